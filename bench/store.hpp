#pragma once

#include "bench/report.hpp"

#include <cstdint>

namespace switchboard::bench {

struct store_options {
  std::int64_t rows = 50'000; ///< Of each turn.
  int rounds = 5;
};

/// What the database alone can take: the fenced append of the product (one
/// entry each for 1 024 sessions a commit, duplicates sought, slot and session
/// rows kept) beside COPY of the same rows into copies of the same tables, and
/// beside row by row INSERT with a commit each. A B B A, median of the rounds.
report run_store(const store_options& how);

} // namespace switchboard::bench
