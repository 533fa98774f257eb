#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/decision.hpp"
#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Who waits, who is free, and who should serve whom: the matching of the whole
/// company. Its state is soft: a new router is told everything again by the
/// sessions and agents. It only proposes; the agent's actor grants, and the
/// commit of the offer has the last word. So stale knowledge leads to a
/// refusal, never to harm.
namespace switchboard::router {

// -- events -------------------------------------------------------------------

/// A session waits for an agent. Said again when anything in it has changed.
struct session_waiting {
  static constexpr std::string_view name = "session_waiting";
  session_id session;
  std::string channel;
  needs want;
  std::int32_t load = 1000;
  time_point since{};             ///< Of the first unanswered line.
  std::optional<agent_id> only{}; ///< A transfer to this agent and no other.
  std::optional<agent_id> not_from{}; ///< A transfer never returns by itself.
  std::optional<agent_id> previous{}; ///< Who served this customer last.
  time_point previous_at{};
  std::vector<agent_id> asked{};     ///< Already, and still: ask others.
  std::vector<agent_id> excluded{};  ///< Declined or let it ring, lately.
  time_point excluded_until{};       ///< When the first of them lapses.
  std::optional<agent_id> besides{}; ///< May have it whatever they can do.
  duration target{0}; ///< Of its queue; 0: that of the policy's class.

  // What waiting has let go of; written by `relax` only.
  std::int32_t relaxed = 0; ///< Steps of the policy that were taken.
  std::int32_t lowered = 0; ///< Levels that every skill may be lower.
  bool translated = false;  ///< The language is not demanded any more.
  queue_id home{};          ///< Whose session it is, if another queue opened.

  /// Which policy decides about it: 0 the acting one, 1 the canary. Written by
  /// the matcher only.
  std::uint8_t arm = 0;
};

struct session_left {
  static constexpr std::string_view name = "session_left";
  session_id session;
};

/// Anything about an agent has changed: room, presence, skills.
struct agent_changed {
  static constexpr std::string_view name = "agent_changed";
  agent::availability what;
};

struct agent_left {
  static constexpr std::string_view name = "agent_left";
  agent_id agent;
};

/// The agent's actor could not follow a proposal.
struct refused {
  static constexpr std::string_view name = "refused";
  session_id session;
  agent_id agent;
  std::string reason;
};

/// An agent asks for one particular waiting session. Being busy or excluded is
/// no obstacle then; queue, channel, abilities and room still are.
struct picked {
  static constexpr std::string_view name = "picked";
  session_id session;
  agent_id agent;
};

/// Once a second: looks for matches that no event has brought about. A find is
/// a defect of ours, and counted.
struct swept {
  static constexpr std::string_view name = "swept";
};

/// Which policy decides: the acting one, and for some sessions another that is
/// tried out on them.
struct policy_choice {
  policy acting{};
  std::optional<policy> canary{};
  std::int32_t canary_percent = 0; ///< Of the sessions, by their number.
};

/// From now on another policy decides. Nobody loses their place in the line.
struct policy_changed {
  static constexpr std::string_view name = "policy_changed";
  policy_choice what;
};

using event = std::variant<session_waiting, session_left, agent_changed,
                           agent_left, refused, picked, swept, policy_changed>;

// -- effects ------------------------------------------------------------------

/// Ask the agent's actor to keep a place free for the session.
struct propose {
  static constexpr std::string_view name = "propose";
  agent_id agent;
  session_id session;
  std::int32_t load = 0;
  bool pick = false;
  std::shared_ptr<const decision> why;
};

/// The sweep found a match that an event should have found.
struct lost_wakeup {
  static constexpr std::string_view name = "lost_wakeup";
  session_id session;
};

/// The shadow would have chosen otherwise: another agent for the session, or
/// another session for the agent.
struct disagreement {
  static constexpr std::string_view name = "disagreement";
  session_id session;
  agent_id agent;
  session_id other_session;
  agent_id other_agent{};  ///< Empty: nobody.
  std::int32_t policy = 0; ///< The shadow's version.
};

/// A guard of the canary is broken: the acting policy decides about everybody
/// again.
struct canary_ended {
  static constexpr std::string_view name = "canary_ended";
  std::string reason;
};

/// Tell the agent that the session they picked will not come.
struct turn_down {
  static constexpr std::string_view name = "turn_down";
  agent_id agent;
  session_id session;
  std::string reason;
};

using effect =
  std::variant<propose, lost_wakeup, disagreement, canary_ended, turn_down>;
using effects = std::vector<effect>;

// -- the machine --------------------------------------------------------------

/// What the router knows of a waiting line, for screens and metrics.
struct line {
  queue_id queue;
  std::int32_t waiting = 0;
  time_point oldest{};
};

/// Where a session stands in its queue.
struct place {
  session_id session;
  std::int32_t position = 0; ///< 1: the next.
  std::int32_t length = 0;   ///< Of the line.
  duration longest{};        ///< How long the first to come has waited.
};

/// One router. A class and not a plain struct, because its indexes must agree
/// with each other; `apply` is its only way to change.
/// Thread safety: none; it belongs to one actor.
class matcher {
public:
  explicit matcher(policy p = {});
  explicit matcher(policy_choice c);
  ~matcher();
  matcher(matcher&&) noexcept;
  matcher& operator=(matcher&&) noexcept;

  /// Lets `what` happen and returns the proposals that follow from it. A
  /// proposed session leaves the line and the agent's room shrinks at once;
  /// `refused` or a new `session_waiting` / `agent_changed` puts that right.
  [[nodiscard]] effects apply(const event& what, time_point now);

  /// From now on every choice is compared with what this policy would have
  /// chosen in the same situation; it never acts. Costs as much as the choice,
  /// so it is for a matcher that only follows another.
  void set_shadow(policy p);

  /// Thinks a waiting session through without doing anything: who could serve
  /// it now, and what speaks against the others.
  /// @returns nothing unless the session waits.
  [[nodiscard]] std::optional<decision> consider(session_id session,
                                                 time_point now) const;

  /// Everybody who waits, queue by queue, the most urgent first: the order in
  /// which agents who could serve all of them would. Costs a sort of the line.
  [[nodiscard]] std::vector<place> places(time_point now) const;

  /// @returns lines with at least one waiting session, ordered by queue.
  [[nodiscard]] std::vector<line> lines() const;

  [[nodiscard]] std::size_t waiting() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard::router
