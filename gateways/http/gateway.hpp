#pragma once

#include "actors/front.hpp"
#include "gateways/auth/token.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace switchboard {

/// Every limit of a gateway. A test makes them small, an operator never needs
/// to touch them.
struct gateway_limits {
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 256 * 1024;
  duration request_time{10'000}; ///< For a whole request to arrive.
  duration idle_time{60'000};    ///< Between two requests of a connection.
  duration answer_time{10'000};  ///< For the actors to answer.
  duration sign_in_time{5'000};
  duration ping_time{25'000};
  duration dead_time{60'000}; ///< Nothing heard for so long: gone.
  duration close_time{2'000}; ///< For the peer to answer a close.
  duration drain_time{5'000}; ///< For all connections to go, in `stop`.
  duration return_time{500};  ///< `after_ms` of a drain, at least; at most 3x.
  double commands_per_second = 50;
  std::size_t commands_burst = 100;
  std::size_t in_flight_max = 256; ///< Unanswered commands of one connection.
  std::size_t outbound_objects_max = 512;
  std::size_t outbound_bytes_max = 256 * 1024;
  /// After signing in, until the screen has caught up for the first time.
  std::size_t catch_up_bytes_max = 4 * 1024 * 1024;
  /// Customers are many, and need less.
  double visitor_commands_per_second = 10;
  std::size_t visitor_commands_burst = 40;
  std::size_t visitor_in_flight_max = 32;
  std::size_t visitor_outbound_objects_max = 512;
  std::size_t visitor_outbound_bytes_max = 256 * 1024;
  int send_buffer_bytes =
    0; ///< Of the kernel, each connection; 0: as it likes.
};

/// The door of a node: HTTP and WebSocket on one port.
///
///     GET  /                          an agent's desk
///     GET  /livez /readyz?verbose /metrics /version
///     GET  /v1/ws                     WebSocket, switchboard.v1.json (agents)
///                                     or switchboard.customer.v1.json
///     POST /v1/messages               one customer message, answered after
///                                     its commit (role operator)
///     GET  /v1/sessions/<id>/entries?after=<seq>&limit=<n>
struct gateway_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0; ///< 0: any free one, see `gateway::port`.
  std::size_t threads = 1;
  std::vector<std::string> origins{}; ///< Allowed in browsers; "*": all.
  std::size_t connections_max = 15'000;
  const token_verifier* verifier = nullptr; ///< Must outlive the gateway.
  front* actors = nullptr;                  ///< Must outlive the gateway.
  /// More metrics in Prometheus' text format, from whoever has some.
  std::function<std::string()> on_metrics{};
  std::string version = "0.1.0";
  gateway_limits limits{};
};

/// Thread safety: full, but for the destructor.
class gateway {
public:
  virtual ~gateway() = default; ///< Calls `stop`.

  /// The port that it listens on.
  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Open sockets, and those of them on which an agent is signed in.
  [[nodiscard]] virtual std::size_t connections() const = 0;
  [[nodiscard]] virtual std::size_t agents() const = 0;
  /// ... or a customer.
  [[nodiscard]] virtual std::size_t visitors() const = 0;

  /// Fails /readyz and sends agents to another node (4503 with after_ms); HTTP
  /// is still answered. Returns at once.
  virtual void drain() = 0;

  /// Drains, waits for the connections to go (bounded), ends. No callback runs
  /// after it has returned.
  virtual void stop() = 0;
};

/// Starts to listen.
/// @returns unavailable, saying why, when the address cannot be listened on
[[nodiscard]] result<std::unique_ptr<gateway>>
make_gateway(gateway_options how);

} // namespace switchboard
