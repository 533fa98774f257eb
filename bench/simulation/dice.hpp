#pragma once

#include <cstdint>

namespace switchboard::simulation {

/// A stream of random numbers that is the same in every build. The standard
/// library's distributions are not: each library has its own.
class dice {
public:
  /// @param seed any number; @param stream tells streams of one seed apart, so
  /// that one customer's draws never depend on how many another made
  explicit dice(std::uint64_t seed, std::uint64_t stream = 0);

  std::uint64_t bits();
  double uniform();                             ///< In [0, 1).
  double exponential(double mean);              ///< More than zero.
  double lognormal(double mean, double spread); ///< `spread`: sd of the log.
  std::uint64_t below(std::uint64_t n);         ///< @pre n > 0
  bool chance(double p) { return uniform() < p; }

private:
  std::uint64_t state_;
};

} // namespace switchboard::simulation
