#pragma once

#include "bench/simulation/experiment.hpp"

#include <string>

/// Pictures of a study as inline SVG. Colours are CSS classes of the page:
/// `p0` is the product, `p1` ... the baselines in the order of `rules`.
namespace switchboard::simulation {

/// One figure at every load: a bar for each policy, with its interval.
[[nodiscard]] std::string bars(const study& s, figure f);

/// The share of customers who wait longer than so many seconds, a curve for
/// each policy.
[[nodiscard]] std::string waiting_curve(const table& t);

} // namespace switchboard::simulation
