#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/opening_hours.hpp"
#include "actors/domain/result.hpp"
#include "actors/domain/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchboard {
struct decision; // actors/domain/decision.hpp
}

/// The life of one conversation: (phase, event) -> (phase, effects).
///
///              customer_said          granted           accepted
///        new ----------------> queued -------> offered ----------> active
///                                ^                |                | |  ^
///                                | declined, timer, withdrawn      | |  |
///                                +----------------+                | |  |
///                                |        agent_lost               | |  |
///                                +---------------------------------+ |  |
///                                                                    |  |
///     active <-- hold_asked, resume_asked --> held                   |  |
///     active -- transfer_asked --> transferring -- accepted ---------|--+
///     active <-- declined, timer (back to the sender) -- transferring|
///     active -- close_asked --> wrap_up -- wrapped_up, timer --> closed
///     wrap_up -- customer_said --> active
///     active -- timer (no first reply after three reminders) --> queued
///     queued -- timer (no answer to "still there?") --> closed
///     every phase but new -- customer_left --> closed
///
/// Nothing in this file sends, waits or reads a clock. It says what should be
/// done, and `session_actor` does it: first all that is durable (append, save,
/// send_out, record) in one commit, and only then, in order, the rest.
namespace switchboard::session {

// -- values -------------------------------------------------------------------

/// An agent is asked to take the session and has a place kept free for it.
struct reservation {
  agent_id agent;
  std::int64_t offer = 0; ///< Numbers the offers of this session: 1, 2, 3 ...
  time_point until{};

  friend bool operator==(const reservation&, const reservation&) = default;
};

/// An agent who will not be asked again for this session before `until`.
struct exclusion {
  agent_id agent;
  time_point until{};

  friend bool operator==(const exclusion&, const exclusion&) = default;
};

/// What takes room at an agent. `load` is in thousandths of a live chat.
struct hold {
  agent_id agent;
  std::int32_t load = 0;
  bool open_offer = false; ///< true: only offered; false: assigned.
  std::int64_t offer = 0;  ///< Of an open offer.

  friend bool operator==(const hold&, const hold&) = default;
};

/// Where a transfer goes: to a queue, or to one agent.
struct transfer_target {
  std::optional<agent_id> agent{};
  std::optional<queue_id> queue{};

  friend bool operator==(const transfer_target&,
                         const transfer_target&) = default;
};

/// What becomes of those who come while their queue is closed. They are told in
/// any case.
enum class closed_hours : std::uint8_t {
  wait,     ///< They wait until it opens.
  overflow, ///< They go to the overflow queue, if that can be.
  receiver, ///< The emergency receiver may have them.
};

std::string_view to_string(closed_hours x) noexcept;

/// Who waits in a queue, and what is done for those who wait long.
struct waiting_rules {
  // For sessions that do not say themselves what they need.
  std::string language{};
  std::vector<std::string> skills{}; ///< Besides those that they name.
  urgency_class urgency = urgency_class::normal;
  duration target{0}; ///< How soon to answer; 0: as the policy says.

  opening_hours hours{};
  closed_hours when_closed = closed_hours::wait;
  std::string closed_text{}; ///< Said to the customer; empty: nothing.

  /// Who has waited so long goes to `overflow`; without one, or when it has
  /// been through there, the receiver may have it too. 0: never.
  duration overflow_time{0};
  std::optional<queue_id> overflow{};
  std::optional<agent_id> receiver{}; ///< Whatever they are good at.

  /// A customer of a live chat who has been silent for so long is asked whether
  /// they are still there, and offered to nobody until they answer. 0: never.
  duration probe_time{0};
  duration probe_answer_time{std::chrono::seconds{60}}; ///< Then it is closed.
  std::string probe_text{"Are you still there?"};

  friend bool operator==(const waiting_rules&, const waiting_rules&) = default;
};

/// What the session's queue asks of this machine.
struct rules {
  duration offer_time{std::chrono::seconds{20}};
  duration exclusion_time{std::chrono::minutes{5}};
  duration transfer_time{std::chrono::seconds{60}};
  duration wrap_up_time{0}; ///< 0: a closed conversation is closed at once.
  /// So long an agent may let a new customer wait before they are reminded,
  /// again before supervisors hear of it, and again before somebody else is
  /// looked for. Only where customers wait for an answer. 0: nobody looks.
  duration first_reply_time{std::chrono::seconds{60}};
  /// A customer silent for so long takes less room of the agent. 0: never.
  duration quiet_time{std::chrono::minutes{10}};
  std::int32_t offers_at_once = 1; ///< Agents asked together, 1 to 3.
  bool accept_automatically = false;
  /// What a conversation may end as; empty: anything, or nothing.
  std::vector<std::string> dispositions{};
  waiting_rules waiting{};
};

inline constexpr std::int32_t offers_at_once_max = 3;

/// Whoever writes there waits for an answer now.
inline constexpr std::int32_t load_of_live_chat = 1000;

// -- phases -------------------------------------------------------------------

struct fresh {
  static constexpr std::string_view name = "new";
  friend bool operator==(const fresh&, const fresh&) = default;
};

/// In the line, or not: as long as its queue is closed, or its customer has not
/// said that they are still there.
struct queued {
  static constexpr std::string_view name = "queued";
  time_point closed_until{}; ///< Unset: the queue is open.
  time_point probed_until{}; ///< Unset: nothing was asked.
  friend bool operator==(const queued&, const queued&) = default;
};

/// The first to accept has the session, the others are told that it is over.
struct offered {
  static constexpr std::string_view name = "offered";
  reservation to;
  std::vector<reservation> also{}; ///< Asked at the same time, later first.
  std::int32_t more = 0;           ///< So many may still be asked besides.
  friend bool operator==(const offered&, const offered&) = default;
};

struct active {
  static constexpr std::string_view name = "active";
  agent_id agent;
  bool replied = false;       ///< Has said something since taking it.
  bool quiet = false;         ///< The customer has been silent for long.
  std::int32_t reminders = 0; ///< About the first reply.
  friend bool operator==(const active&, const active&) = default;
};

struct held {
  static constexpr std::string_view name = "held";
  agent_id agent;
  friend bool operator==(const held&, const held&) = default;
};

/// `from` keeps the conversation (and may speak) until somebody accepts.
struct transferring {
  static constexpr std::string_view name = "transferring";
  agent_id from;
  transfer_target target;
  time_point until{};                 ///< Then it returns to `from`.
  std::optional<reservation> asked{}; ///< Who is being asked right now.
  friend bool operator==(const transferring&, const transferring&) = default;
};

struct wrap_up {
  static constexpr std::string_view name = "wrap_up";
  agent_id agent;
  time_point until{};
  std::string disposition{}; ///< Chosen so far.
  friend bool operator==(const wrap_up&, const wrap_up&) = default;
};

struct closed {
  static constexpr std::string_view name = "closed";
  friend bool operator==(const closed&, const closed&) = default;
};

using phase = std::variant<fresh, queued, offered, active, held, transferring,
                           wrap_up, closed>;

// -- events: what happened ----------------------------------------------------

struct customer_said {
  static constexpr std::string_view name = "customer_said";
  inbound what;
};

struct customer_left {
  static constexpr std::string_view name = "customer_left";
};

/// `ownership` is what the agent's screen showed when it was sent.
struct agent_said {
  static constexpr std::string_view name = "agent_said";
  agent_id agent;
  std::int64_t ownership = 0;
  message_id id;
  std::string body;
};

struct agent_noted {
  static constexpr std::string_view name = "agent_noted";
  agent_id agent;
  message_id id;
  std::string body;
};

/// An agent's actor keeps a place free, as the router proposed.
struct granted {
  static constexpr std::string_view name = "granted";
  agent_id agent;
  bool pick = false; ///< The agent asked for it: no need to ask back.
  std::shared_ptr<const decision> why{};
};

struct accepted {
  static constexpr std::string_view name = "accepted";
  agent_id agent;
  std::int64_t offer = 0;
};

struct declined {
  static constexpr std::string_view name = "declined";
  agent_id agent;
  std::int64_t offer = 0;
  std::string reason;
};

/// The agent cannot be asked any more (connection lost, not responding).
struct withdrawn {
  static constexpr std::string_view name = "withdrawn";
  agent_id agent;
  std::int64_t offer = 0;
  std::string reason;
};

/// The agent who has the session will not come back in time.
struct agent_lost {
  static constexpr std::string_view name = "agent_lost";
  agent_id agent;
  std::string reason;
};

struct transfer_asked {
  static constexpr std::string_view name = "transfer_asked";
  agent_id agent;
  std::int64_t ownership = 0;
  transfer_target target;
  std::string note;      ///< Empty: a cold transfer.
  std::string against{}; ///< Why the target takes nobody, from who knows it.
};

struct hold_asked {
  static constexpr std::string_view name = "hold_asked";
  agent_id agent;
  std::int64_t ownership = 0;
};

struct resume_asked {
  static constexpr std::string_view name = "resume_asked";
  agent_id agent;
  std::int64_t ownership = 0;
};

struct close_asked {
  static constexpr std::string_view name = "close_asked";
  agent_id agent;
  std::int64_t ownership = 0;
  std::string disposition;
};

struct wrapped_up {
  static constexpr std::string_view name = "wrapped_up";
  agent_id agent;
  std::string disposition;
};

/// The time asked for with `wake` has come.
struct timer {
  static constexpr std::string_view name = "timer";
  std::int64_t round = 0;
};

/// The session was just read from the store, or the router or the agent's actor
/// is new: tell them again what they should know.
struct revived {
  static constexpr std::string_view name = "revived";
};

/// The router has looked at the line: here it stands, and so long it may take.
struct placed {
  static constexpr std::string_view name = "placed";
  std::int32_t position = 0; ///< 1: the next.
  duration wait_min{};
  duration wait_max{}; ///< 0: nobody can tell yet.
};

/// On the wire an alternative is named by its place here: add at the end only.
using event = std::variant<customer_said, customer_left, agent_said,
                           agent_noted, granted, accepted, declined, withdrawn,
                           agent_lost, transfer_asked, hold_asked, resume_asked,
                           close_asked, wrapped_up, timer, revived, placed>;

// -- effects: what to do about it ---------------------------------------------

/// Durable. Write this line.
struct append {
  static constexpr std::string_view name = "append";
  entry line;
};

/// Durable. The state has changed in more than its last_seq.
struct save {
  static constexpr std::string_view name = "save";
};

/// Durable. Put the line (already appended) into the outbox for the channel.
struct send_out {
  static constexpr std::string_view name = "send_out";
  entry line;
};

/// Durable. Keep the record of the routing choice behind an offer.
struct record {
  static constexpr std::string_view name = "record";
  std::shared_ptr<const decision> why;
};

/// Tell whoever brought the event what came of it.
struct answer {
  static constexpr std::string_view name = "answer";
  result<receipt> what;
};

/// Tell the router that this session waits (again); asking twice is harmless.
struct find_agent {
  static constexpr std::string_view name = "find_agent";
};

/// Tell the router that this session no longer waits.
struct leave_queue {
  static constexpr std::string_view name = "leave_queue";
};

/// Ring the agent: will you take this session?
struct offer {
  static constexpr std::string_view name = "offer";
  reservation to;
};

/// The question to the agent is void; the place kept free is free again.
struct end_offer {
  static constexpr std::string_view name = "end_offer";
  agent_id agent;
  std::int64_t offer = 0; ///< 0: a grant that never became an offer.
  std::string reason;
};

/// The session is this agent's now, at the state's `ownership`.
struct assign {
  static constexpr std::string_view name = "assign";
  agent_id agent;
};

/// The session is no longer this agent's.
struct unassign {
  static constexpr std::string_view name = "unassign";
  agent_id agent;
  std::string reason;
};

/// Tell the agent that the customer still waits for a first reply.
struct remind {
  static constexpr std::string_view name = "remind";
  agent_id agent;
};

/// Put a line on the agent's screen.
struct show {
  static constexpr std::string_view name = "show";
  agent_id agent;
  entry line;
};

/// Deliver `timer{round}` at this time.
struct wake {
  static constexpr std::string_view name = "wake";
  time_point at;
  std::int64_t round;
};

/// The event does not belong in this phase, usually because it crossed another
/// one on the way. Not an error: counted, logged at debug level, forgotten.
struct ignore {
  static constexpr std::string_view name = "ignore";
  std::string_view phase;
  std::string_view event;
};

/// Tell the customer where they stand. Lost is lost.
struct tell_place {
  static constexpr std::string_view name = "tell_place";
  placed where;
};

using effect = std::variant<append, save, send_out, record, answer, find_agent,
                            leave_queue, offer, end_offer, assign, unassign,
                            remind, show, wake, ignore, tell_place>;
using effects = std::vector<effect>;

// -- the machine --------------------------------------------------------------

/// How many agents a session remembers as not to be asked; the oldest lapses.
inline constexpr std::size_t exclusions_max = 32;

/// All there is to know about one conversation; exactly what is stored and what
/// travels to another node.
struct state {
  session_id id;
  contact who;
  customer_id customer{}; ///< The person, once contacts are joined.
  needs want{};
  phase at = fresh{};
  std::int32_t last_seq = 0;
  std::int64_t ownership = 0; ///< Grows whenever the speaker changes.
  std::int64_t offers = 0;    ///< Made so far.
  std::int64_t rounds = 0;    ///< Tells this timer from older ones.
  time_point look_at{};       ///< When an active session is looked at; soft.
  std::int32_t load = 1000; ///< What it takes of an agent, 1000 = a live chat.
  time_point opened_at{};
  time_point waiting_since{}; ///< First customer line that nobody answered.
  bool answered = false;      ///< No customer line waits for an answer.
  std::optional<agent_id> previous{}; ///< Who served this customer last.
  std::vector<exclusion> excluded{};

  // Of its wait in queues; see `waiting_rules`.
  time_point heard_at{};     ///< When the customer last wrote; soft.
  time_point counts_from{};  ///< The opening that it waited for, if any.
  time_point queue_since{};  ///< In this queue, if it was in another before.
  time_point told_closed{};  ///< The opening that the customer was told of.
  bool receiver_too = false; ///< The emergency receiver may have it.
  std::vector<queue_id> overflowed{}; ///< Queues that it has been through.
  std::int32_t place_told = 0;        ///< It never rises; 0: none yet. Soft.

  friend bool operator==(const state&, const state&) = default;
};

/// Lets `what` happen to `s` and returns what is to be done, in order. Any
/// event may come in any phase. An event that somebody waits for
/// (customer_said, customer_left, agent_said, agent_noted, accepted, declined,
/// *_asked, wrapped_up) has exactly one `answer` among its effects, whatever
/// the phase.
[[nodiscard]] effects apply(state& s, const event& what, const rules& r,
                            time_point now);

/// What the session takes of agents right now: none, one, or two
/// (transferring).
[[nodiscard]] std::vector<hold> holds(const state& s);

/// The agent who may speak, if any.
[[nodiscard]] std::optional<agent_id> owner(const state& s);

/// True while the router should be looking for an agent.
[[nodiscard]] bool waits(const state& s);

/// Since when it waits in the line: what it waited for the opening of a closed
/// queue does not count.
[[nodiscard]] time_point waits_since(const state& s);

/// What the session asks of agents: what it says itself, and for the rest what
/// its queue (by `r`) asks for.
[[nodiscard]] needs wanted(const needs& own, const rules& r);

/// All agents who are being asked right now.
[[nodiscard]] std::vector<reservation> asked(const state& s);

/// What a session of this channel takes of an agent: 1000 for a live chat, less
/// where customers do not expect an answer at once.
[[nodiscard]] std::int32_t load_of(std::string_view channel) noexcept;

[[nodiscard]] std::string_view name_of(const phase& p) noexcept;

} // namespace switchboard::session
