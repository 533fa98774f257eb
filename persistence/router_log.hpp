#pragma once

#include "actors/domain/result.hpp"
#include "actors/domain/router.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a router was told and what it chose, one JSON object a line, so that
/// the same choices can be made again. Holds no word of any customer.
namespace switchboard {

/// A proposal as it was made.
struct recorded_proposal {
  session_id session;
  agent_id agent;
  std::uint64_t inputs_hash = 0;

  friend bool operator==(const recorded_proposal&,
                         const recorded_proposal&) = default;
};

/// One line: an event or a proposal. Neither: something that replay passes
/// over, like a disagreement.
struct router_line {
  time_point at{};
  std::optional<router::event> event{};
  std::optional<recorded_proposal> proposal{};
  bool start = false; ///< From here on a new router is told.
  bool gap = false; ///< Lines are missing here: nothing after it can be equal.
};

/// Each without a line feed.
std::string to_json(const router::event& x, time_point at);
std::string to_json(const router::effect& x, time_point at);
std::string router_start_json(time_point at);
std::string router_gap_json(std::uint64_t lines_lost, time_point at);

/// @returns malformed, with what is wrong
result<router_line> router_line_from_json(std::string_view text);

} // namespace switchboard
