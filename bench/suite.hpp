#pragma once

#include "bench/report.hpp"

#include <string>
#include <vector>

namespace switchboard::bench {

/// How much of a benchmark: `tiny` shows that it works (seconds, figures mean
/// nothing), `brief` is enough for a figure (all together below ten minutes),
/// `full` is what the tables are made of.
enum class extent { tiny, brief, full };

struct suite_entry {
  std::string name; ///< As of its command and its report.
  report (*run)(extent how_much);
};

/// Every benchmark, in the order in which they are run.
[[nodiscard]] const std::vector<suite_entry>& suite();

} // namespace switchboard::bench
