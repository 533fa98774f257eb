#include "gateways/agent/link.hpp"

#include <utility>

namespace switchboard {

using agent_protocol::close_code;

farewell farewell_for(std::string_view reason) {
  if (reason.starts_with("replaced"))
    return {close_code::replaced, "signed in again from this device"};
  if (reason.starts_with("forbidden"))
    return {close_code::forbidden, std::string(reason)};
  return {close_code::draining, std::string(reason)};
}

void agent_link::show(const agent_push& what) {
  put(agent_protocol::format(what), agent_protocol::droppable(what));
}

void socket_link::put(std::string text, bool may_drop) {
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
  end_with(farewell_for(reason));
}

void socket_link::end_with(farewell how) {
  {
    const std::lock_guard lock{mutex_};
    if (!end_)
      end_ = std::move(how);
  }
  wake_();
}

bool socket_link::half_full() {
  const std::lock_guard lock{mutex_};
  return queue_.lags();
}

void socket_link::open(std::string welcome) {
  {
    const std::lock_guard lock{mutex_};
    queue_.push_front(std::move(welcome));
    open_ = true;
  }
  wake_();
}

bool socket_link::is_open() {
  const std::lock_guard lock{mutex_};
  return open_;
}

std::string socket_link::take(std::size_t bytes_max) {
  const std::lock_guard lock{mutex_};
  woken_ = false;
  return open_ ? queue_.take(bytes_max) : std::string();
}

std::optional<farewell> socket_link::ended() {
  const std::lock_guard lock{mutex_};
  return end_;
}

std::size_t socket_link::dropped() {
  const std::lock_guard lock{mutex_};
  const auto before = std::exchange(dropped_told_, queue_.dropped());
  return queue_.dropped() - before;
}

bool socket_link::begin(std::size_t in_flight_max) {
  const std::lock_guard lock{mutex_};
  if (in_flight_ == in_flight_max)
    return false;
  ++in_flight_;
  return true;
}

void socket_link::finish() {
  const std::lock_guard lock{mutex_};
  --in_flight_;
}

} // namespace switchboard
