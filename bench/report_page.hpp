#pragma once

#include "bench/report.hpp"

#include <string>
#include <vector>

namespace switchboard::bench {

/// Reports as one page that needs nothing else: the original product's claims
/// beside ours, a table of all, and for each the latency curve, the throughput
/// over time and the CPU per message by process.
/// @param command how to make it again
[[nodiscard]] std::string to_html(const std::vector<report>& all,
                                  const std::string& command);

} // namespace switchboard::bench
