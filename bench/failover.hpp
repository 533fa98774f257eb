#pragma once

#include "bench/report.hpp"

#include <string>

namespace switchboard::bench {

struct failover_options {
  std::string program{}; ///< The switchboard binary; empty: this very program.
  int nodes = 3;
  int sessions = 10'000; ///< Live ones, of as many customers.
  double rate = 2'000;   ///< Messages a second, open loop.
  int rounds = 4;        ///< In every other one the node is frozen, not killed.
  bool freeze = true;
};

/// Three nodes under load; one is killed, or frozen for longer than its lease
/// lasts and then let go. How long until everything that is sent is answered
/// again, and whether anything was lost, doubled or reordered. The times are
/// those of the messages that were hit: due between the fault and the recovery,
/// and answered late.
report run_failover(const failover_options& how);

struct migrate_options {
  std::string program{};
  std::string former{}; ///< What the nodes run first; empty: the same.
  int sessions = 10'000;
  double rate = 2'000;
  int rounds = 2;
};

/// Planned moves under load: a node is told to end, and all it has moves away;
/// it joins again, and its share moves to it. Three rounds are a rolling
/// restart of all nodes, or a rolling upgrade from `former`. The times are
/// those of all messages that were due while slots moved.
report run_migrate(const migrate_options& how);

} // namespace switchboard::bench
