#pragma once

#include "actors/domain/policy.hpp"
#include "actors/domain/result.hpp"
#include "persistence/router_log.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Makes recorded choices again.
namespace switchboard {

/// A router's whole record, in memory.
struct router_record {
  std::vector<router_line> lines{};
  std::uint64_t lines_lost = 0; ///< The recorder could not keep up.
};

/// @returns malformed with the number of the line; unavailable for a file that
///          cannot be read
result<router_record> read_router_record(const std::string& file);

struct replayed {
  std::int64_t events = 0;
  std::int64_t proposals = 0;

  /// Of every proposal, in order: session, agent, and the hash of what it was
  /// decided on.
  std::uint64_t hash = 0;
  std::uint64_t recorded_hash = 0; ///< The same of the record.

  /// The first that differs from the record, as a sentence.
  std::string first_difference{};

  /// What the other policy would have chosen.
  std::vector<router::disagreement> disagreements{};

  bool identical() const {
    return hash == recorded_hash && first_difference.empty();
  }
};

/// Tells a new router what the recorded one was told, at the same times.
/// @param other a policy to compare with, choice by choice, in the situations
///        of the record
replayed replay(const router_record& what,
                const std::optional<policy>& other = {});

} // namespace switchboard
