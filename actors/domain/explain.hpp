#pragma once

#include "actors/domain/decision.hpp"
#include "actors/domain/policy.hpp"

#include <cstddef>
#include <string>

namespace switchboard {

/// Tells a person why an agent was chosen: who was looked at, with which terms,
/// what spoke against the others, and what would have to be different for
/// somebody else to be chosen. Plain UTF-8, no colours; every line ends with a
/// line feed and is at most `width` columns wide (names and words that are
/// longer themselves excepted); below 72 columns the single terms are left out.
[[nodiscard]] std::string explain(const decision& d, const policy& p = {},
                                  std::size_t width = 80);

/// @returns one line: "would be li if load < 3", without a line feed; empty if
/// a lower load would change nothing.
[[nodiscard]] std::string would_be(const decision& d, const policy& p = {});

} // namespace switchboard
