#pragma once

#include "actors/front.hpp"
#include "gateways/agent/protocol.hpp"
#include "gateways/agent/send_queue.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace switchboard {

/// What is known about how a connection should end.
struct farewell {
  agent_protocol::close_code code = agent_protocol::close_code::normal;
  std::string reason;
};

/// The half of a connection that other threads may touch: they put text in, the
/// connection's own thread takes it out. It holds no socket and may outlive
/// the connection.
/// Thread safety: full.
class socket_link {
public:
  /// @param wake tells the connection's thread to look; called from any thread,
  ///        and never while a lock is held
  socket_link(send_queue::limits at_most, std::function<void()> wake)
    : queue_(at_most), wake_(std::move(wake)) {}

  /// A reply, or a push.
  void put(std::string text, bool may_drop = false);

  [[nodiscard]] bool half_full();

  /// The connection is to end so, unless something else ended it before.
  void end_with(farewell how);

  /// The answer to the sign-in: goes first, and opens the gate for what the
  /// sign-in has already put on the screen.
  void open(std::string welcome);

  [[nodiscard]] bool is_open();

  /// @returns what is to be written next; empty: nothing yet
  [[nodiscard]] std::string take(std::size_t bytes_max);

  /// @returns why the connection must end, if it must
  [[nodiscard]] std::optional<farewell> ended();

  /// @returns how many pushes were dropped since the last call
  [[nodiscard]] std::size_t dropped();

  /// Counts the unanswered commands. @returns false when there are too many
  [[nodiscard]] bool begin(std::size_t in_flight_max);
  void finish();

private:
  std::mutex mutex_;
  send_queue queue_;
  bool open_ = false;
  bool woken_ = false; ///< A wake is on its way: no need for another.
  std::size_t in_flight_ = 0;
  std::size_t dropped_told_ = 0;
  std::optional<farewell> end_;
  std::function<void()> wake_;
};

/// The actors speak of reasons, WebSocket of numbers.
[[nodiscard]] farewell farewell_for(std::string_view reason);

/// What an agent's actor sees of a connection.
class agent_link final : public socket_link, public agent_screen {
public:
  using socket_link::socket_link;

  void show(const agent_push& what) override;
  void end(std::string_view reason) override;
  [[nodiscard]] bool lags() override { return half_full(); }
};

} // namespace switchboard
