#pragma once

#include "bench/report.hpp"

#include <cstdint>

namespace switchboard::bench {

struct buffered_options {
  int users = 2000;
  int window = 2000; ///< Publishes without the broker's answer at a time.
  std::int64_t messages = 100'000;
  int seconds = 10; ///< Of the open loop at half the rate, for the latencies.
};

/// The buffered lane: JetStream publish -> stored -> read in order -> commit.
/// The figure is messages a second from the first publish to the commit of the
/// last. Then half of that rate runs in an open loop, and a few customers look
/// how long their own lines take from the publish until they can be read from
/// the database.
/// Floor: the same publishes into a stream that an ordered reader only counts,
/// and then COPY of the same rows: 1 / (1/a + 1/b).
report run_buffered(const buffered_options& how);

} // namespace switchboard::bench
