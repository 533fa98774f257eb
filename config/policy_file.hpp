#pragma once

#include "actors/domain/policy.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// What is wrong with a policy file, and where: "policy.toml:3:5: …".
class policy_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Everything that a policy file says. It may name another file whose policy is
/// tried out on a part of the sessions, and more that only watch.
struct policy_file {
  policy acting{};
  std::optional<policy> canary{};
  std::int32_t canary_percent = 0;
  std::vector<policy> shadows{};
  std::vector<std::string> files{}; ///< All that were read; this one first.
};

/// Reads a policy file and those it names (relative to its own folder).
/// @throws policy_error for what cannot be read, an unknown name (with the
///         nearest known one) or a value that does not fit
policy_file load_policy(const std::string& file);

/// The same from memory; may name no other files.
/// @param where stands before the line in errors
policy parse_policy(std::string_view text, const std::string& where);

/// The policy as a file, every value written out. `parse_policy` makes the same
/// policy of it.
std::string to_toml(const policy& p);

/// A time as a policy file writes it, quotes included: "30s".
std::string write_duration(duration x);

/// What is allowed in a policy and yet hardly meant, as sentences.
/// @param offer_time how long an agent may think about an offer
std::vector<std::string> lint(const policy_file& what, duration offer_time);

} // namespace switchboard
