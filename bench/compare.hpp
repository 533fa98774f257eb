#pragma once

#include "bench/report.hpp"

#include <string>
#include <vector>

namespace switchboard::bench {

/// The report of the same benchmark, or nothing.
[[nodiscard]] const report* find(const std::vector<report>& in,
                                 const std::string& name);

/// Each report beside the one of the same name from another day, as a table for
/// people: value, ratio to the floor, latencies, and by how many percent each
/// changed. Ratios can be compared between machines, values cannot; when the
/// machines differ it says so.
[[nodiscard]] std::string compare(const std::vector<report>& before,
                                  const std::vector<report>& now);

} // namespace switchboard::bench
