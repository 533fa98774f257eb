#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// How well an agent suits a session, and how urgent a session is. Pure
/// functions over integers; scores are in millionths (`one` is the best).
namespace switchboard::scoring {

using score = std::int64_t;

inline constexpr score one = 1'000'000;

/// Languages and skills are mastered at 1 ... 5.
inline constexpr std::int32_t level_max = 5;

/// x = wait / target is not counted beyond this, so that no product overflows:
/// with a target of 15 s that is more than four hours.
inline constexpr score relative_wait_max = 1'000 * one;

/// What the router knows about this pair and the agent does not say.
struct obstacles {
  bool excluded = false;  ///< Declined or did not answer, within the cool-down.
  bool set_aside = false; ///< Refused a proposal a moment ago.
};

/// The terms of one pair.
struct terms {
  score language = 0;
  score skill = 0;
  score affinity = 0;
  score load_factor = 0; ///< rho
  score quality = 0;     ///< q
  score match = 0;       ///< M = q * rho

  friend bool operator==(const terms&, const terms&) = default;
};

// -- may this agent serve this session? ---------------------------------------

/// @returns every reason against, as sentences; empty when eligible.
[[nodiscard]] std::vector<std::string>
verdicts(const policy& p, const router::session_waiting& s,
         const agent::availability& a, const obstacles& o = {});

/// @returns verdicts(...).empty(), without making the sentences.
[[nodiscard]] bool eligible(const policy& p, const router::session_waiting& s,
                            const agent::availability& a,
                            const obstacles& o = {});

/// Like `eligible`, whatever the agent's load and the obstacles are: could this
/// agent serve the session, had they room?
[[nodiscard]] bool suited(const policy& p, const router::session_waiting& s,
                          const agent::availability& a);

/// The level that counts as mastering what this session asks for; not above 0:
/// nothing is demanded.
[[nodiscard]] std::int32_t language_min(const policy& p,
                                        const router::session_waiting& s);
[[nodiscard]] std::int32_t skill_min(const policy& p,
                                     const router::session_waiting& s);

// -- how good is the match? ---------------------------------------------------

/// @returns 0 when the ability is missing, else its level, cut to 1 ... 5. Of
/// an ability listed twice the better counts.
[[nodiscard]] std::int32_t level_of(const std::vector<agent::ability>& all,
                                    std::string_view name);

/// @returns 2^(-age / half_life); exact to 16 bits of the fraction.
[[nodiscard]] score fading(duration age, duration half_life);

/// @returns how close the customer is to this agent by having met before.
[[nodiscard]] score affinity(const policy& p, const router::session_waiting& s,
                             const agent::availability& a, time_point now);

/// @returns rho for an agent with this load, in thousandths of a live chat.
[[nodiscard]] score load_factor(const policy& p, std::int32_t load);

/// Which terms a session asks for; the others have no weight.
struct asked {
  bool language = false;
  bool skills = false;
  bool affinity = false;
};

[[nodiscard]] score quality(const policy& p, const asked& x, const terms& t);

/// @returns q of a session with these terms. What the session does not ask for
/// has no weight; a session that asks for nothing suits everybody.
[[nodiscard]] score quality(const policy& p, const router::session_waiting& s,
                            const terms& t);

[[nodiscard]] terms rate(const policy& p, const router::session_waiting& s,
                         const agent::availability& a, time_point now);

// -- who is first? ------------------------------------------------------------

/// @returns U = weight * (1 + x)^2 with x = wait / target.
/// @param target 0: that of the class
[[nodiscard]] score urgency(const policy& p, urgency_class c, duration wait,
                            duration target = {});

/// @returns how much the end of the channel's reply window presses, in the same
///          measure as x
[[nodiscard]] score window_pressure(const policy& p, std::string_view channel,
                                    duration wait);

/// @returns U of a session: with the greater of its wait and its pressure.
[[nodiscard]] score urgency(const policy& p, urgency_class c,
                            std::string_view channel, duration wait);
/// With the target of its queue, where there is one.
[[nodiscard]] score urgency(const policy& p, const router::session_waiting& s,
                            time_point now);

/// @returns x of a wait or a pressure; `urgency` is made of it.
[[nodiscard]] score urgency_at(const policy& p, urgency_class c,
                               score relative_wait);

/// @returns B = U * M.
[[nodiscard]] score priority(score urgency, score match);

/// The last resort among equals: spreads them, and always the same way.
[[nodiscard]] std::uint64_t tie_hash(session_id s, std::string_view agent,
                                     std::int32_t policy_version);

/// One agent in the comparison for one session.
struct contender {
  const agent::availability* who = nullptr;
  score match = 0;
};

/// Which rule tells two contenders apart.
enum class rule : std::uint8_t { match, load_ratio, idle, hash, name };

/// Why the first of two contenders, in words; empty for `rule::match`.
std::string_view to_string(rule x) noexcept;

/// What a comparison of two contenders for one session came to.
struct comparison {
  bool first_is_better = false;
  rule by = rule::match;
};

/// A strict order: better match, then lower load ratio, then longer since the
/// last accepted session, then hash, then name.
[[nodiscard]] comparison compare(const contender& x, const contender& y,
                                 session_id s, std::int32_t policy_version);

} // namespace switchboard::scoring
