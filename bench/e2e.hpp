#pragma once

#include "bench/report.hpp"

#include <cstdint>

namespace switchboard::bench {

struct e2e_options {
  double rate = 0; ///< Messages a second; 0: half of what a ramp finds.
  int seconds = 15;
  int agents = 200;
  int sessions = 10; ///< Of each agent.
  std::int64_t floor_messages = 200'000;
};

/// The whole way and back: a customer's message over NATS, committed, shown on
/// an agent's WebSocket, answered there, committed, out on sb.v1.out.…
///
/// First a ramp of open loops finds the highest rate that still keeps up; then
/// half of it runs for `seconds`, and the time from when a message was due to
/// when its reply arrived is the figure. Floor: what a message needs at least
/// (twice the bare bus, two rows by COPY), for the ramp's result.
report run_e2e(const e2e_options& how);

} // namespace switchboard::bench
