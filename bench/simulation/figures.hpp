#pragma once

#include "bench/simulation/engine.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace switchboard::simulation {

/// What a day is judged by.
enum class figure : std::uint8_t {
  wait_mean, ///< Seconds, of all who came, until served or gone.
  wait_p50,  ///< Seconds, of all who came, until served or gone.
  wait_p95,  ///< Seconds.
  in_target, ///< Share of all who came and were served within 60 s.
  abandoned, ///< Share of all who came.
  resolved,  ///< Share of all who came.
  affinity,  ///< Share of the served with a previous agent: got that one.
  fairness,  ///< Jain's index over the agents' share of places in use.
  occupancy, ///< Share of all places in use, over shifts.
};

inline constexpr std::array figures{
  figure::wait_mean, figure::wait_p50,  figure::wait_p95,
  figure::in_target, figure::abandoned, figure::resolved,
  figure::affinity,  figure::fairness,  figure::occupancy,
};

std::string_view to_string(figure x) noexcept;

/// Of two values of a figure: is the lower one better, the higher one, or is it
/// not a matter of better or worse?
enum class sense : std::uint8_t { lower, higher, neither };

sense sense_of(figure x) noexcept;

/// The figures of one day, indexed by `figure`.
using day_figures = std::array<double, figures.size()>;

[[nodiscard]] day_figures measure(const world& w, const day& d);

inline double value_of(const day_figures& f, figure x) {
  return f[static_cast<std::size_t>(x)];
}

/// How many came, and what became of them.
struct head_count {
  std::size_t arrived = 0;
  std::size_t served = 0;
  std::size_t abandoned = 0;
  std::size_t waiting = 0; ///< At closing.

  friend bool operator==(const head_count&, const head_count&) = default;
};

[[nodiscard]] head_count count(const day& d);

/// (sum x)^2 / (n * sum x^2): 1 when all are equal, 1/n when one has all.
[[nodiscard]] double jain(const std::vector<double>& all);

/// The smallest value that at least this part of all does not exceed.
/// @returns 0 when there is none
[[nodiscard]] double quantile(std::vector<double> all, double part);

} // namespace switchboard::simulation
