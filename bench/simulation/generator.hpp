#pragma once

#include "bench/simulation/world.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace switchboard::simulation {

/// How large a part asks for this.
struct share {
  std::string name;
  double part = 0;

  friend bool operator==(const share&, const share&) = default;
};

/// What the made-up company looks like. Everything follows from `seed`.
struct plan {
  std::uint64_t seed = 1;
  int agents = 40;
  double hours = 10;

  /// 1: the work that comes, done by agents of level 3, takes all that the
  /// agents on duty can do with every place taken.
  double load = .9;

  double work_s = 300;     ///< Mean work of the best agent.
  double patience_s = 180; ///< Mean; urgent customers have half of it.
  double returning = .35;  ///< Share of customers who were here before.
  /// What customers ask for, and agents accordingly can. Parts add up to 1.
  std::vector<share> languages{{"zh", .55}, {"en", .35}, {"es", .10}};
  std::vector<share> skills{
    {"billing", .35}, {"technical", .30}, {"returns", .20}, {"sales", .15}};
  nature laws{};
};

/// Agents with languages, skills, room and shifts, without customers.
[[nodiscard]] world make_company(const plan& p);

/// Fills in the customers: a Poisson stream with two humps a day.
void add_customers(world& w, const plan& p);

/// Draws what a customer from a file does not say; `i` is their line.
[[nodiscard]] customer draw_customer(const world& w, const plan& p,
                                     std::size_t i);

[[nodiscard]] world make_world(const plan& p);

/// The share of the mean rate of arrivals, `x` from 0 (opening) to 1 (closing).
[[nodiscard]] double daily_shape(double x);

} // namespace switchboard::simulation
