#pragma once

#include "actors/domain/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace switchboard::router {

/// Watches how the sessions fare that a policy is tried out on, beside those of
/// the acting policy over the same time.
class canary_watch {
public:
  /// Nothing is judged before both have so many sessions.
  static constexpr std::int64_t sessions_min = 50;

  /// How much worse than the acting policy the canary may be, in thousandths:
  /// of customers who gave up waiting, and of offers that came to nothing.
  static constexpr std::int64_t given_up_margin = 50;
  static constexpr std::int64_t repeated_margin = 100;

  /// ... and how much longer its customers may wait: half as long again and a
  /// second more.
  static constexpr duration wait_margin{1000};

  // `arm` is 0 for the acting policy and 1 for the canary.
  void decided(std::size_t arm, duration wait);
  void repeated(std::size_t arm) { ++arms_.at(arm).repeated; }
  void given_up(std::size_t arm) { ++arms_.at(arm).given_up; }

  /// @returns which guard is broken, as a sentence; empty while none is
  [[nodiscard]] std::string broken() const;

private:
  struct tally {
    std::int64_t decided = 0;
    std::int64_t repeated = 0;
    std::int64_t given_up = 0;
    std::int64_t waited_ms = 0;

    std::int64_t sessions() const { return decided + given_up; }
  };

  std::array<tally, 2> arms_{};
};

} // namespace switchboard::router
