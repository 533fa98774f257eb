#pragma once

#include "actors/protocol.hpp"
#include "actors/world.hpp"
#include "bus/bus.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace switchboard {

/// A message as it came from the bus, copied and not yet looked at.
struct arrived {
  std::string subject;
  std::string bytes;
  std::string id;           ///< Header Nats-Msg-Id; may be empty.
  std::string reply;        ///< Empty on the buffered lane.
  std::uint64_t offset = 0; ///< In the buffered lane; 0: direct lane.
  std::chrono::steady_clock::time_point at{};
};

/// Where bus threads leave what arrives for a slot. The slot's actor takes all
/// of it at once, so a burst costs one wake-up and not one for each message.
/// Thread safety: all members may be called from any thread.
class slot_inbox {
public:
  /// @returns true if the actor must be told: the inbox was empty
  bool put(arrived what) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(what));
    return waiting_.size() == 1;
  }

  std::vector<arrived> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(waiting_, {});
  }

private:
  std::mutex mutex_;
  std::vector<arrived> waiting_;
};

/// Admission of the whole node: counts what was accepted and not yet answered.
/// Thread safety: all members may be called from any thread.
class admission {
public:
  explicit admission(std::size_t max) : max_(static_cast<std::int64_t>(max)) {}

  bool enter(statistics& counted) {
    if (counted.in_flight.fetch_add(1) < max_)
      return true;
    --counted.in_flight;
    return false;
  }

  [[nodiscard]] bool relaxed(const statistics& counted) const {
    return counted.in_flight.load() < max_ / 2;
  }

  [[nodiscard]] std::int64_t max() const noexcept { return max_; }

private:
  std::int64_t max_;
};

/// Answers one message of either lane when its outcome is known; a message that
/// is dropped without an answer is answered `unavailable`.
/// @pre the message was admitted
reply_to answer_to(arrived what, slot_number slot, std::int64_t epoch,
                   std::shared_ptr<const world> w);

/// The problem on the wire, with the error headers of the NATS services
/// protocol.
void reply_problem(bus& wire, const std::string& to, const error& why);

} // namespace switchboard
