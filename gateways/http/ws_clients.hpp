#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace switchboard {

/// Many WebSocket clients on one thread, for load generators (a thread each
/// would cost the machine more than what is measured). Each connects to
/// 127.0.0.1, and comes back a moment after it has lost its connection.
/// Thread safety: `cut` and `later` may be called from any thread.
class ws_clients {
public:
  /// Called on the clients' thread.
  struct handlers {
    /// A connection stands. @returns the first frame to send
    std::function<std::string(std::size_t who)> opened;
    /// A frame has come. @returns the frame to send; empty: none
    std::function<std::string(std::size_t who, std::string_view frame)>
      received;
  };

  ws_clients(std::uint16_t port, std::size_t count, handlers to);
  ~ws_clients();
  ws_clients(const ws_clients&) = delete;
  ws_clients& operator=(const ws_clients&) = delete;

  /// Ends a connection without a word, as a lost network would.
  void cut(std::size_t who);

  /// Asks for a frame after a while, on the clients' thread, and sends it. If
  /// there is no connection by then, nobody is asked.
  void later(std::size_t who, std::chrono::milliseconds after,
             std::function<std::string()> what);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard
