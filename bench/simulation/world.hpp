#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

/// A customer service on paper: who comes, who works, and how long things take.
/// Everything random about a customer is drawn before the day begins, so every
/// policy meets the same people with the same questions and the same patience.
namespace switchboard::simulation {

/// Somebody who will write at `at`.
struct customer {
  time_point at{};
  needs want{};
  duration patience{}; ///< Leaves after waiting so long.
  double work_s = 0;   ///< For the best agent, with nothing else to do.
  double luck = 0;     ///< In [0, 1); below the chance of success: resolved.
  std::optional<agent_id> previous{}; ///< Who served them last.
  time_point previous_at{};

  friend bool operator==(const customer&, const customer&) = default;
};

/// From `from` until before `to`.
struct period {
  time_point from{};
  time_point to{};

  friend bool operator==(const period&, const period&) = default;
};

/// Somebody who answers.
struct worker {
  agent_id id;
  agent::profile who{};
  std::vector<period> shifts{}; ///< In order; a break is a gap.

  friend bool operator==(const worker&, const worker&) = default;
};

/// What the skill, the acquaintance and the number of chats do to the work.
/// These are assumptions, not measurements. No policy is told of them.
struct nature {
  /// Throughput with 0, 1, 2 ... chats at once, where one chat is 1. Beyond the
  /// end it stays.
  std::vector<double> throughput{0, 1, 1.6, 2.0, 2.2};

  double skill_slows = .13;    ///< Longer for each level short of 5.
  double language_slows = .07; ///< Longer for each level short of 5.
  double affinity_saves = .2;  ///< Shorter for who served them just before.
  duration affinity_half_life{std::chrono::hours{24 * 14}};

  double resolves = .93;          ///< Chance of success at best.
  double skill_resolves = .07;    ///< Less for each level short of 5.
  double language_resolves = .02; ///< Less for each level short of 5.
  double affinity_resolves = .05; ///< More for who served them just before.

  [[nodiscard]] double rate(std::size_t chats) const;
};

struct world {
  period open{}; ///< Nobody is assigned any more after its end.
  std::vector<worker> workers{};
  std::vector<customer> customers{}; ///< In order of `at`.
  nature laws{};
};

/// What becomes of a customer with this worker.
struct prospect {
  double work_s = 0;
  double resolution = 0; ///< Chance of success.
  bool acquainted = false;
};

[[nodiscard]] prospect foresee(const nature& n, const customer& c,
                               const worker& w, time_point now);

} // namespace switchboard::simulation
