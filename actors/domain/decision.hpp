#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace switchboard {

/// The record of one routing choice: enough to explain it to a person and to
/// make it again, bit for bit. Scores are integers in millionths.
struct decision {
  /// One agent as the router saw them. All verdicts are kept, not only the
  /// first; an agent without a verdict was eligible.
  struct candidate {
    agent_id agent;
    std::vector<std::string>
      verdicts{}; ///< "capacity: load 3000 + 1000 > 3000"
    std::int64_t language = 0;
    std::int64_t skill = 0;
    std::int64_t affinity = 0;
    std::int64_t load_factor = 0; ///< rho
    std::int64_t quality = 0;     ///< q
    std::int64_t match = 0;       ///< M = q * rho
    std::int64_t priority = 0;    ///< B = U * M
    std::int32_t load = 0;
    std::int32_t capacity = 0;
    std::int32_t rank = 0; ///< 1 = best; 0 = not eligible

    friend bool operator==(const candidate&, const candidate&) = default;
  };

  /// How many agents this speaks against, of all; several may do so at once.
  struct obstacle {
    std::string what; ///< "capacity", "queue", "skill billing" ...
    std::int32_t agents = 0;

    friend bool operator==(const obstacle&, const obstacle&) = default;
  };

  session_id session;
  std::string trigger; ///< "session_waiting", "agent_available", "sweep" ...
  std::int32_t policy = 1;
  time_point at{};
  needs want{};
  std::int64_t wait_ms = 0;
  std::int64_t urgency = 0;            ///< U
  std::int32_t waiting = 0;            ///< Sessions waiting at that moment.
  std::vector<candidate> candidates{}; ///< The first `candidates_max` by rank.
  std::int32_t candidates_left_out = 0;
  agent_id chosen{};       ///< Empty: nobody was eligible.
  std::int64_t margin = 0; ///< M of the chosen minus M of the runner-up.
  std::string tie_rule{};  ///< Which rule broke a tie; empty: none was needed.
  std::uint64_t inputs_hash = 0;
  std::int32_t load = 1000; ///< What the session takes of an agent.
  std::int32_t relaxed = 0; ///< So many of its requirements were let go.
  std::vector<obstacle> obstacles{};

  static constexpr std::size_t candidates_max = 50;

  /// Of those who were not eligible so many are recorded by name.
  static constexpr std::size_t others_max = 10;

  friend bool operator==(const decision&, const decision&) = default;
};

} // namespace switchboard
