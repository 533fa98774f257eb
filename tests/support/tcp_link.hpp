#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace switchboard::test {

/// What one direction of a link does with the bytes that come.
enum class flow : std::uint8_t {
  pass, ///< Sends them on.
  hold, ///< Keeps them, in order, and sends them on when it passes again.
  drop, ///< Throws them away; whoever lost some is cut off when all passes.
};

/// A TCP proxy on 127.0.0.1 between one node and one server, whose two
/// directions can be disturbed. `up` is from the node to the server.
/// Thread safety: full; it works on a thread of its own.
class tcp_link {
public:
  /// Listens on a free port.
  explicit tcp_link(std::uint16_t server_port);
  ~tcp_link();
  tcp_link(const tcp_link&) = delete;
  tcp_link& operator=(const tcp_link&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Ends all connections and refuses new ones.
  void cut();

  /// Connections stay and new ones are taken, as on a network that loses
  /// packets of one direction or of both.
  void disturb(flow up, flow down);

  /// Each byte arrives so much later.
  void delay(std::chrono::milliseconds each_way);

  /// As on the first day. Connections that lost bytes end.
  void heal();

  struct counts {
    int open = 0;               ///< Connections at this moment.
    std::int64_t taken = 0;     ///< Connections ever.
    std::int64_t up = 0;        ///< Bytes sent on to the server.
    std::int64_t down = 0;      ///< Bytes sent on to the node.
    std::int64_t up_kept = 0;   ///< Bytes held or dropped.
    std::int64_t down_kept = 0; ///< Bytes held or dropped.
    std::int64_t delayed = 0;   ///< Bytes that were made to wait.
  };
  [[nodiscard]] counts now() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard::test
