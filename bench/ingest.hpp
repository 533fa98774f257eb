#pragma once

#include "bench/report.hpp"

namespace switchboard::bench {

struct ingest_options {
  int users = 2000;
  int window = 2000;
  std::int64_t messages = 200'000;
};

/// The direct lane at its fastest: many customers, many messages under way,
/// request -> pipeline -> commit -> receipt; nothing left out, all on this
/// machine. Floor: the same requests answered at once by a bare responder, and
/// then the same rows written by binary COPY into the same tables with the same
/// indexes, one after the other: 1 / (1/a + 1/b).
report run_ingest(const ingest_options& how);

/// 1 000 messages of 1 000 new customers at once, until the last receipt.
report run_burst(int messages);

} // namespace switchboard::bench
