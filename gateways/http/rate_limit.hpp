#pragma once

#include <chrono>
#include <cstddef>

namespace switchboard {

/// GCRA: a token bucket that keeps one point in time instead of a count, and so
/// needs no refilling. Pure; the clock is the caller's, but must not run back.
class rate_limit {
public:
  using time = std::chrono::steady_clock::time_point;
  using step = std::chrono::nanoseconds;

  /// @pre per_second > 0, burst > 0
  rate_limit(double per_second, std::size_t burst)
    : interval_(static_cast<step::rep>(1e9 / per_second)),
      tolerance_(interval_ * static_cast<step::rep>(burst)) {}

  /// Takes one. @returns false, and takes nothing, when that would be too fast.
  [[nodiscard]] bool take(time now) noexcept {
    const auto from = full_at_ > now ? full_at_ : now;
    if (from + interval_ - now > tolerance_)
      return false;
    full_at_ = from + interval_;
    return true;
  }

private:
  step interval_;
  step tolerance_;
  time full_at_{};
};

} // namespace switchboard
