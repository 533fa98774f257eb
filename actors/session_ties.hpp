#pragma once

#include "actors/domain/placement.hpp"
#include "actors/domain/session.hpp"

#include <atomic>
#include <bitset>
#include <cstdint>

namespace switchboard {

/// Whom a session must tell of itself when they start anew. The slot reads it
/// and need not wake thousands of sessions for each slot that moves.
/// Thread safety: one writes, all may read. Written before anybody is told of
/// the new state, so whoever is not concerned yet tells the new owner by
/// itself.
class session_ties {
public:
  void note(const session::state& s) {
    std::uint64_t all = 0;
    for (const auto& x : session::holds(s))
      all |= std::uint64_t{1} << slot_of(x.agent);
    agents_ = all;
    waits_ = session::waits(s);
  }

  [[nodiscard]] bool
  concerned(const std::bitset<slots + 1>& which) const noexcept {
    return (waits_ && which.test(router_slot))
           || (std::bitset<slots + 1>{agents_} & which).any();
  }

private:
  std::atomic<std::uint64_t> agents_{0}; ///< Their slots, a bit each.
  std::atomic<bool> waits_{false};
};

} // namespace switchboard
