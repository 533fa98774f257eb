#pragma once

#include "bench/report.hpp"

namespace switchboard::bench {

struct offer_options {
  int agents = 50;
  int seconds = 20;
  int think_ms = 100; ///< How long an agent keeps a customer.
  int waiting = 500;  ///< Customers in the line, all the time.
};

/// From "this agent has room again" to "the next offer is on their screen".
///
/// Each agent has room for one and serves one customer after the other on a
/// WebSocket of their own: accept, answer, wait, close. A line of `waiting`
/// customers is kept up over NATS, and whatever they do is committed, so the
/// figure is taken under that load. The clock runs from the moment at which the
/// answer to `close` is on the socket (it is sent after the commit that frees
/// the room) to the moment at which the next offer is. Floor: one row committed
/// alone, as an offer is shown only when it is committed.
report run_offer(const offer_options& how);

} // namespace switchboard::bench
