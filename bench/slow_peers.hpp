#pragma once

#include "bench/report.hpp"

namespace switchboard::bench {

struct slow_peers_options {
  int agents = 40;
  int sessions = 10; ///< Of each agent.
  int stuck = 4;     ///< Agents with a second screen that never reads.
  double rate = 500; ///< Messages a second, open loop.
  int seconds = 10;  ///< Of each of the four parts.
};

/// Screens that sign in, ask for everything from the beginning, and never read
/// a byte, again and again: what do the others notice? Four parts, A B B A,
/// without and with them; the figure is the p99 from a customer's line to its
/// reply with them (that of the stuck screens' own agents counts, too), the
/// floor the same without. The node's memory is looked at all along.
report run_slow_peers(const slow_peers_options& how);

} // namespace switchboard::bench
