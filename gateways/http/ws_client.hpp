#pragma once

#include "actors/domain/result.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard {

/// A blocking WebSocket client for the demo, benchmarks and tests: one thread,
/// one connection. Thread safety: none.
class ws_client {
public:
  struct options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string path = "/v1/ws";
    std::string subprotocol = "switchboard.v1.json"; ///< Empty: none.
    std::string origin{};                            ///< Empty: no browser.
    int receive_buffer_bytes = 0; ///< Of the kernel; 0: as it likes.
    duration patience{5000};      ///< For connecting.
  };

  /// @returns unavailable when nobody listens; for a refused upgrade the code
  ///          that fits its status, with the body in the detail
  [[nodiscard]] static result<ws_client> connect(const options& how);

  ~ws_client();
  ws_client(ws_client&&) noexcept;
  ws_client& operator=(ws_client&&) noexcept;

  /// @returns unavailable when the connection is over
  result<void> send(std::string_view text);
  result<void> send_binary(std::string_view bytes);

  /// The next object: frames of several lines are taken apart.
  /// @returns nothing after `patience`, or when the connection is over
  ///          (then `closed` says so)
  [[nodiscard]] std::optional<std::string> receive(duration patience);

  /// True once the connection is over, from whatever side.
  [[nodiscard]] bool closed() const;

  /// What the server said on closing; 0 while open, or if it just went.
  [[nodiscard]] std::uint16_t close_code() const;
  [[nodiscard]] std::string close_reason() const;

  /// Says good-bye and waits a little for the answer.
  void close();

  /// Ends the connection without a word, as a lost network would.
  void cut();

private:
  struct impl;
  explicit ws_client(std::unique_ptr<impl> x);
  std::unique_ptr<impl> impl_;
};

struct http_response {
  int status = 0;
  std::map<std::string, std::string> headers{}; ///< Names in lower case.
  std::string body{};
};

using http_headers = std::vector<std::pair<std::string, std::string>>;

/// One request on a connection of its own.
[[nodiscard]] result<http_response>
http_request_once(std::uint16_t port, std::string_view method,
                  std::string_view target, const http_headers& headers = {},
                  std::string_view body = {},
                  duration patience = duration{5000});

[[nodiscard]] result<http_response> http_get(std::uint16_t port,
                                             std::string_view target,
                                             const http_headers& headers = {});

/// Sends bytes as they are, on a connection of its own, and reads until the
/// server closes it or `patience` is over. For tests of bad requests.
[[nodiscard]] result<std::string>
tcp_exchange(std::uint16_t port, std::string_view bytes, duration patience);

} // namespace switchboard
