#pragma once

#include "bench/report.hpp"

#include <cstdint>

namespace switchboard::bench {

struct route_options {
  std::int64_t agents = 10'000;
  std::int64_t waiting = 100'000;
  std::int64_t decisions = 20'000;
  std::int64_t sample = 200; ///< Decisions compared with the oracle.
};

/// Everybody is busy and the line is long: an agent gets a place free, and the
/// most pressing session of all is found for them, with its decision record.
/// Floors in the same run: a naive scan with the rules themselves (which is
/// also the oracle: the choices must be equal), and a vectorised scan over flat
/// arrays that was written for this machine and knows no record.
report run_route(const route_options& how);

} // namespace switchboard::bench
