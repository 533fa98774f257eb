#include "gateways/agent/link.hpp"

#include <utility>

namespace switchboard {

using agent_protocol::close_code;

namespace {

/// The actors speak of reasons, WebSocket of numbers.
farewell farewell_for(std::string_view reason) {
  if (reason.starts_with("replaced"))
    return {close_code::replaced, "signed in again from this device"};
  if (reason.starts_with("forbidden"))
    return {close_code::forbidden, std::string(reason)};
  return {close_code::draining, std::string(reason)};
}

} // namespace

void agent_link::show(const agent_push& what) {
  put(agent_protocol::format(what), agent_protocol::droppable(what));
}

void agent_link::put(std::string text) {
  put(std::move(text), false);
}

void agent_link::put(std::string text, bool may_drop) {
  {
    const std::lock_guard lock{mutex_};
    queue_.push(std::move(text), may_drop);
    const auto overflow = queue_.overflowed() && !end_;
    if (overflow)
      end_ =
        farewell{close_code::too_fast, "you read too slowly; resume by seq"};
    // A writer that is stuck takes nothing, and so needs a wake of its own.
    if (std::exchange(woken_, true) && !overflow)
      return;
  }
  wake_();
}

void agent_link::end(std::string_view reason) {
  {
    const std::lock_guard lock{mutex_};
    if (!end_)
      end_ = farewell_for(reason);
  }
  wake_();
}

bool agent_link::lags() {
  const std::lock_guard lock{mutex_};
  return queue_.lags();
}

void agent_link::open(std::string welcome) {
  {
    const std::lock_guard lock{mutex_};
    queue_.push_front(std::move(welcome));
    open_ = true;
  }
  wake_();
}

std::string agent_link::take(std::size_t bytes_max) {
  const std::lock_guard lock{mutex_};
  woken_ = false;
  return open_ ? queue_.take(bytes_max) : std::string();
}

std::optional<farewell> agent_link::ended() {
  const std::lock_guard lock{mutex_};
  return end_;
}

std::size_t agent_link::dropped() {
  const std::lock_guard lock{mutex_};
  const auto before = std::exchange(dropped_told_, queue_.dropped());
  return queue_.dropped() - before;
}

bool agent_link::begin(std::size_t in_flight_max) {
  const std::lock_guard lock{mutex_};
  if (in_flight_ == in_flight_max)
    return false;
  ++in_flight_;
  return true;
}

void agent_link::finish() {
  const std::lock_guard lock{mutex_};
  --in_flight_;
}

} // namespace switchboard
