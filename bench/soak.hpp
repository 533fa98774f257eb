#pragma once

#include "bench/report.hpp"

#include <vector>

namespace switchboard::bench {

struct soak_options {
  double minutes = 10;
  double rate = 0; ///< Messages a second; 0: half of what a ramp finds.
  int agents = 100;
  int sessions = 10;   ///< Of each agent.
  double churn = 0.02; ///< Part of the screens cut in a second; they return.
};

/// Customers write, agents answer, screens come and go, for long: is memory
/// flat? The figure is the node's growth by a line through its resident memory,
/// the first third left out; the floor is what the scatter around that line
/// would let any line grow (twice its standard deviation over the time).
report run_soak(const soak_options& how);

/// A straight line through points, by least squares.
struct trend {
  double slope = 0;   ///< y for each x.
  double scatter = 0; ///< Standard deviation around it.
};
[[nodiscard]] trend line_through(const std::vector<double>& x,
                                 const std::vector<double>& y);

} // namespace switchboard::bench
