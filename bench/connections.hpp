#pragma once

#include "bench/report.hpp"

namespace switchboard::bench {

struct connections_options {
  int count = 10'000;
  int nodes = 0;    ///< 0: as many as the limit of open files demands.
  int sample = 500; ///< So many have an agent, and write while all are held.
  int lines = 4;    ///< That each of them writes.
};

/// Customers who are signed in over WebSocket and have a live session each, all
/// held at once. Measured: user memory of the nodes for each connection with
/// its session, and the kernel's for each end of a connection. Then a sample of
/// them writes, and each line's reply must be pushed to its socket once, in
/// order. Floor: what the kernel takes for one end of an idle connection of a
/// bare epoll acceptor, which keeps nothing itself; ratio: that, to all we
/// take.
report run_connections(const connections_options& how);

struct storm_options {
  int count = 10'000;
  int rounds = 3; ///< Of ours, floor, floor, ours.
};

/// All connect and sign in at once, hang up, and come again. Nobody may fail.
/// Floor: the same customers at a bare epoll acceptor that answers with fixed
/// bytes.
report run_storm(const storm_options& how);

} // namespace switchboard::bench
