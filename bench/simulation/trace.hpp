#pragma once

#include "bench/simulation/generator.hpp"

#include "actors/domain/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Customers and agents out of a file: CSV with a line of names first, or a
/// JSON object on each line. Lists are written `a|b`, in JSON also as arrays.
namespace switchboard::simulation {

/// A line about a customer. What it leaves open is drawn from the seed.
struct recorded_customer {
  double at_s = 0; ///< Since opening.
  needs want{};
  std::optional<double> patience_s{};
  std::optional<double> work_s{};
  std::optional<agent_id> previous{};
  double previous_days = 7; ///< How long ago that was.

  friend bool operator==(const recorded_customer&,
                         const recorded_customer&) = default;
};

/// Fields: at_s (needed), language, skills, urgency (normal, vip, urgent,
/// relaxed), patience_s, work_s, previous (an agent's id), previous_days.
/// @returns them in order of at_s; else `malformed`, naming the line
[[nodiscard]] result<std::vector<recorded_customer>>
parse_customers(std::string_view text);

/// A line about an agent.
struct recorded_agent {
  agent_id id;
  agent::profile who{};
  std::vector<std::pair<double, double>> shifts_h{}; ///< Empty: all day.

  friend bool operator==(const recorded_agent&,
                         const recorded_agent&) = default;
};

/// Fields: id (needed), languages ("zh:5|en:3"), skills ("billing:4"), capacity
/// in chats, shifts in hours since opening ("0-4|4.5-8.5").
/// @returns malformed naming the line
[[nodiscard]] result<std::vector<recorded_agent>>
parse_agents(std::string_view text);

/// The day that files describe. Without `agents` the company is made up, of
/// people with the languages and skills that `customers` ask for; without
/// `customers` these are made up.
[[nodiscard]] world
make_recorded_world(const plan& p,
                    const std::vector<recorded_customer>& customers,
                    const std::vector<recorded_agent>& agents);

} // namespace switchboard::simulation
