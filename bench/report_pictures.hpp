#pragma once

#include "bench/report.hpp"

#include <string>

/// Pictures of one report as inline SVG; empty when there is nothing to show.
namespace switchboard::bench {

/// Latency in ms, logarithmic, over the share of operations, stretched towards
/// the slowest: 50, 90, 99, 99.9 %.
[[nodiscard]] std::string latency_curve(const report& r);

/// @param what under the picture: "done in a second"
[[nodiscard]] std::string curve_over_time(const report::series& of,
                                          const std::string& what);

[[nodiscard]] std::string cpu_bars(const report& r);

} // namespace switchboard::bench
