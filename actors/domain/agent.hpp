#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchboard {
struct decision; // actors/domain/decision.hpp
}

/// The life of one agent: who is connected, willing, and has room.
///
///     offline -- connected --> online <-- presence_asked --> busy, on_break
///     online, busy -- presence_asked --> finishing   (no new work)
///     online -- two offers timed out in a row --> not_responding
///     every presence -- last device gone --> (same presence, grace runs)
///     grace over --> offline, sessions are lost
///
/// Presence is what the agent says; `routable()` is what follows from presence,
/// connection and room. The grant (a place kept free) happens here and nowhere
/// else, so two routers can never fill the same place twice.
namespace switchboard::agent {

// -- values -------------------------------------------------------------------

/// A language or skill and how well the agent masters it, 1 (a little) to 5.
struct ability {
  std::string name;
  std::int32_t level = 3;

  friend bool operator==(const ability&, const ability&) = default;
};

/// What is known of an agent without talking to them; edited by operators.
struct profile {
  std::string display_name;
  std::vector<ability> languages{};
  std::vector<ability> skills{};
  std::vector<queue_id> queues{};      ///< Empty: every queue.
  std::vector<std::string> channels{}; ///< Empty: every channel.
  std::int32_t capacity = 3000;        ///< In thousandths of a live chat.

  friend bool operator==(const profile&, const profile&) = default;
};

enum class presence : std::uint8_t {
  offline,
  online,
  busy,
  on_break,
  finishing,
  not_responding,
};

std::string_view to_string(presence p) noexcept;
std::optional<presence> parse_presence(std::string_view text) noexcept;

/// One place taken.
struct place {
  std::int32_t load = 0;
  bool assigned = false;  ///< false: granted or offered.
  std::int64_t offer = 0; ///< Of an open offer; 0 while only granted.
  time_point since{};     ///< A grant that never became an offer lapses.
  time_point until{};     ///< An offer of whose end nobody told lapses.

  friend bool operator==(const place&, const place&) = default;
};

/// What the router sees of an agent.
struct availability {
  agent_id id;
  profile who;
  bool routable = false;
  presence now = presence::offline;
  std::int32_t load = 0; ///< Sum of all places taken.
  time_point last_accepted_at{};

  /// All that take a place: granted, offered or assigned. So the router knows
  /// which of its proposals the load already counts.
  std::vector<session_id> sessions{};

  friend bool operator==(const availability&, const availability&) = default;
};

// -- events -------------------------------------------------------------------

struct connected {
  static constexpr std::string_view name = "connected";
  std::int64_t device = 0;
};

struct disconnected {
  static constexpr std::string_view name = "disconnected";
  std::int64_t device = 0;
};

/// `next` is taken up when the last open session ends, for "busy, then break".
struct presence_asked {
  static constexpr std::string_view name = "presence_asked";
  presence now = presence::online;
  std::string reason{};
  std::optional<presence> next{};
};

struct profile_changed {
  static constexpr std::string_view name = "profile_changed";
  profile who;
};

/// The router proposes a session. `pick`: the agent asked for it.
struct proposed {
  static constexpr std::string_view name = "proposed";
  session_id session;
  std::int32_t load = 0;
  bool pick = false;
  std::shared_ptr<const decision> why{};
};

/// The session's offer is committed and runs until `until`.
struct offer_opened {
  static constexpr std::string_view name = "offer_opened";
  session_id session;
  std::int64_t offer = 0;
  std::int32_t load = 0;
  time_point until{};
};

struct offer_ended {
  static constexpr std::string_view name = "offer_ended";
  session_id session;
  std::int64_t offer = 0; ///< 0: a grant that never became an offer.
  std::string reason;     ///< "timed_out" counts towards not responding.
};

struct assigned {
  static constexpr std::string_view name = "assigned";
  session_id session;
  std::int32_t load = 0;
};

struct unassigned {
  static constexpr std::string_view name = "unassigned";
  session_id session;
};

struct timer {
  static constexpr std::string_view name = "timer";
  std::int64_t round = 0;
};

/// The router is new and knows nobody.
struct router_started {
  static constexpr std::string_view name = "router_started";
};

using event = std::variant<connected, disconnected, presence_asked,
                           profile_changed, proposed, offer_opened, offer_ended,
                           assigned, unassigned, timer, router_started>;

// -- effects ------------------------------------------------------------------

/// Tell the session that a place is kept free.
struct grant {
  static constexpr std::string_view name = "grant";
  session_id session;
  bool pick = false;
  std::shared_ptr<const decision> why;
};

/// Tell the router that the proposal cannot be followed.
struct refuse {
  static constexpr std::string_view name = "refuse";
  session_id session;
  std::string reason;
};

/// Tell the router what it sees of this agent now: `availability_of(state)`.
struct advertise {
  static constexpr std::string_view name = "advertise";
};

/// Tell the session that its open offer is void.
struct withdraw {
  static constexpr std::string_view name = "withdraw";
  session_id session;
  std::int64_t offer = 0;
  std::string reason;
};

/// Tell the session that its agent is gone.
struct lose {
  static constexpr std::string_view name = "lose";
  session_id session;
  std::string reason;
};

/// Write the presence.
struct save {
  static constexpr std::string_view name = "save";
};

/// Tell the agent's screens the presence.
struct show_presence {
  static constexpr std::string_view name = "show_presence";
};

struct wake {
  static constexpr std::string_view name = "wake";
  time_point at;
  std::int64_t round;
};

struct ignore {
  static constexpr std::string_view name = "ignore";
  std::string_view event;
};

using effect = std::variant<grant, refuse, advertise, withdraw, lose, save,
                            show_presence, wake, ignore>;
using effects = std::vector<effect>;

// -- the machine --------------------------------------------------------------

/// How long sessions wait for an agent whose connection was lost, usually.
inline constexpr auto grace_time = duration{std::chrono::seconds{30}};

/// A grant for which no offer was committed by then lapses, and so does an
/// offer that was over for so long.
inline constexpr auto grant_time = duration{std::chrono::seconds{5}};

/// So many offers in a row unanswered, and the agent is not responding.
inline constexpr int unanswered_max = 2;

struct state {
  agent_id id;
  profile who{};
  presence now = presence::offline;
  std::string reason{};
  std::optional<presence> next{};
  std::set<std::int64_t> devices{};
  std::map<session_id, place> places{};
  int unanswered = 0;
  duration grace = grace_time; ///< The same for everybody; not of their life.
  std::int64_t rounds = 0;     ///< Tells this timer from older ones.
  time_point grace_until{};
  time_point last_accepted_at{};

  friend bool operator==(const state&, const state&) = default;
};

/// Lets `what` happen to `s` and returns what is to be done, in order. Any
/// event may come in any state.
[[nodiscard]] effects apply(state& s, const event& what, time_point now);

/// Sum of the places taken, in thousandths of a live chat.
[[nodiscard]] std::int32_t load(const state& s);

[[nodiscard]] availability availability_of(const state& s);

} // namespace switchboard::agent
