#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/decision.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/placement.hpp"
#include "actors/domain/result.hpp"
#include "actors/domain/session.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is remembered. PostgreSQL is the authority: the commit is the moment an
/// entry exists, and the same commit checks that the writer still owns the
/// slot.
namespace switchboard {

using headers = std::vector<std::pair<std::string, std::string>>;

/// A thing that must leave the house, written with its cause, sent afterwards
/// at least once and always under the same `dedupe_id`.
struct outbox_row {
  slot_number slot = 0;
  std::string dedupe_id; ///< Unique for ever: "<session>-<seq>-<kind>"
  session_id session;
  std::int32_t seq = 0;
  std::string subject;
  headers with{};
  std::string payload;

  friend bool operator==(const outbox_row&, const outbox_row&) = default;
};

/// One session's write: all of it happens, or nothing. There is never more than
/// one under way for a session.
struct session_write {
  slot_number slot = 0;
  std::int64_t epoch = 0;     ///< Of the slot, as claimed.
  session::state state;       ///< As it will be.
  std::int32_t base_seq = 0;  ///< `last_seq` before; 0 for a new session.
  bool state_changed = false; ///< false: only entries are added.
  bool holds_changed = false; ///< `session::holds(state)` differ from before.
  std::vector<entry> entries; ///< At least one: base_seq + 1, + 2, ...
  std::vector<outbox_row> out{};
  std::vector<std::shared_ptr<const decision>> decisions{};
};

/// How far the slowest standby is behind.
struct replication {
  std::int64_t standbys = 0;
  std::int64_t lag_bytes = 0; ///< Of log that it has not replayed.
  duration lag{};             ///< Since it last replayed the newest commit.
};

enum class verdict : std::uint8_t {
  committed, ///< It is on disk (or was already, when a lost reply is repeated).
  duplicate, ///< Some message ids were there before: see `known`. Nothing was
             ///< written; take those out and write again.
  fenced,    ///< The slot has another owner or epoch. Stop its actors.
  agent_full, ///< An agent would have been over capacity. Nothing was written.
  stale,      ///< `base_seq` is not the session's last. Read it again.
  refused,    ///< The database cannot keep the content, and never will. Only
              ///< the writer says so, after trying the write alone.
};

std::string_view to_string(verdict v) noexcept;

/// A message id that was stored before.
struct known_message {
  message_id id;
  receipt where;         ///< duplicate = true
  bool same_body = true; ///< false: another content under the same id.

  friend bool operator==(const known_message&, const known_message&) = default;
};

struct outcome {
  verdict what = verdict::committed;
  std::vector<known_message> known{};
};

/// How far a slot has read its buffered lane: everything up to `offset` is
/// committed (or a dead letter). `stream` tells a broker that was set back.
struct watermark {
  slot_number slot = 0;
  std::int64_t epoch = 0;
  std::uint64_t offset = 0;
  std::string stream{};
};

struct dead_letter {
  slot_number slot = 0;
  std::int64_t epoch = 0;
  std::string subject;
  std::string reason;
  headers with{};
  std::string payload;
  std::uint64_t offset = 0; ///< In the buffered lane; 0: not from there.
};

/// A contact was counted to another customer.
struct contact_change {
  customer_id was{}; ///< Empty: the contact was new.
  customer_id became{};
  std::string reason{}; ///< "first seen", "verified address", "separated"

  friend bool operator==(const contact_change&,
                         const contact_change&) = default;
};

struct presence_write {
  slot_number slot = 0;
  std::int64_t epoch = 0;
  agent_id agent;
  agent::presence now = agent::presence::offline;
  std::string reason{};
};

/// One group commit.
struct batch {
  std::vector<session_write> sessions{};
  std::vector<watermark> watermarks{};
  std::vector<dead_letter> dead{};
  std::vector<presence_write> presences{};
  std::vector<std::string> outbox_done{}; ///< dedupe_ids
  std::vector<std::string> outbox_dead{}; ///< dedupe_ids, given up

  bool empty() const noexcept {
    return sessions.empty() && watermarks.empty() && dead.empty()
           && presences.empty() && outbox_done.empty() && outbox_dead.empty();
  }
};

struct claimed_slot {
  slot_number slot = 0;
  std::int64_t epoch = 0;
  std::uint64_t offset = 0;
  std::string stream{};
};

struct agent_row {
  agent_id id;
  agent::profile who;
  agent::presence now = agent::presence::offline;
  std::int32_t active = 0; ///< Load taken, as the database counts it.
};

struct queue_row {
  queue_id id;
  std::string display_name{};
  session::rules rules{};
};

/// A session as a list shows it.
struct session_row {
  session_id id;
  contact who;
  customer_id customer{};
  std::string phase;
  queue_id queue;
  agent_id agent{};
  std::int32_t last_seq = 0;
  time_point opened_at{};
};

/// A line of one person's history over all channels.
struct history_line {
  session_id session;
  std::string channel;
  entry what;
};

/// One invariant of the product, checked against the database.
struct finding {
  std::string invariant; ///< "INV-2"
  std::string title;     ///< "seq of a session is 1..n without a gap"
  std::int64_t checked = 0;
  std::int64_t violations = 0;
  std::vector<std::string> examples{}; ///< At most 10.
};

/// One connection to what is remembered. All members block; every failure of
/// the connection is `unavailable`, after which the same call may be made again
/// (the implementation reconnects by itself).
/// Thread safety: none; each thread has its own store.
class store {
public:
  virtual ~store() = default;

  // -- ownership --------------------------------------------------------------

  /// Announces this node under a fresh incarnation; a former one is replaced.
  virtual result<void> announce(const node_id& node,
                                std::string_view incarnation) = 0;

  /// Keeps the lease. @returns moved when another incarnation has replaced
  /// ours.
  virtual result<void> renew(const node_id& node,
                             std::string_view incarnation) = 0;

  /// Takes the slots that nobody owns, that this node owned in a former life,
  /// or whose owner has given them up; each gets the next epoch.
  virtual result<std::vector<claimed_slot>>
  claim(const node_id& node, std::string_view incarnation) = 0;

  /// Gives all slots up, so that the next node need not wait.
  virtual result<void> release(const node_id& node,
                               std::string_view incarnation) = 0;

  // -- the path of a message --------------------------------------------------

  /// The fenced append: one statement, one commit. On `unavailable` the outcome
  /// is unknown; send the same batch again. On `malformed` something in the
  /// batch cannot be kept, and nothing of it was written.
  /// @returns one outcome for each of `what.sessions`, in order. The rest of
  /// the
  ///          batch (watermarks ...) is written where the slot is still owned.
  virtual result<std::vector<outcome>> append(const node_id& node,
                                              const batch& what) = 0;

  // -- reading back -----------------------------------------------------------

  /// All sessions of these slots that are not closed.
  virtual result<std::vector<session::state>>
  open_sessions(std::span<const slot_number> of) = 0;

  /// @returns entries with seq > `after`, ascending, at most `count_max`.
  virtual result<std::vector<entry>> entries(session_id of, std::int32_t after,
                                             std::int32_t count_max) = 0;

  virtual result<std::optional<session_row>> session(session_id of) = 0;

  /// Newest first.
  virtual result<std::vector<session_row>> sessions(std::int32_t count_max,
                                                    bool open_only) = 0;

  /// What one person said and was told on all channels, oldest first: the last
  /// `count_max` lines before `before`.
  virtual result<std::vector<history_line>>
  history(const contact& of, time_point before, std::int32_t count_max) = 0;

  /// Who served this person last, on any channel.
  struct last_served {
    agent_id agent;
    time_point at{};
  };
  virtual result<std::optional<last_served>> last_agent(const contact& of) = 0;

  virtual result<std::vector<outbox_row>>
  pending_outbox(std::span<const slot_number> of, std::int32_t count_max) = 0;

  /// Decision records of a session as JSON, oldest first.
  virtual result<std::vector<std::string>> decisions(session_id of) = 0;

  // -- people and queues ------------------------------------------------------

  virtual result<std::vector<agent_row>> agents() = 0;
  virtual result<void> put_agent(const agent_id& id,
                                 const agent::profile& who) = 0;
  virtual result<std::vector<queue_row>> queues() = 0;
  virtual result<void> put_queue(const queue_row& what) = 0;

  /// Joins the contact to the customer who is known under the verified phone
  /// (E.164) or e-mail; without either it gets a customer of its own.
  virtual result<customer_id> identify(const contact& who,
                                       std::string_view phone,
                                       std::string_view email) = 0;

  /// Undoes a join: the contact gets a customer of its own again, and the
  /// addresses of the former one do not lead back there.
  virtual result<customer_id> separate(const contact& who) = 0;

  virtual result<std::vector<contact>> contacts(const customer_id& of) = 0;

  /// Every join and separation of the contact, oldest first.
  virtual result<std::vector<contact_change>> changes(const contact& of) = 0;

  // -- care -------------------------------------------------------------------

  /// What could not be taken from the buffered lane, newest first.
  /// Their epochs are not kept.
  virtual result<std::vector<dead_letter>>
  dead_letters(std::int32_t count_max) = 0;

  /// Checks the invariants of the product; reads only.
  virtual result<std::vector<finding>> verify() = 0;

  /// A number that grows whenever agents or queues were edited, by anybody.
  virtual result<std::int64_t> directory_version() = 0;

  /// The standbys that follow now, as far as this user may see them
  /// (PostgreSQL: GRANT pg_monitor).
  virtual result<replication> replicas() = 0;
};

/// What a session is as JSON: the form in which the database and a hand-over to
/// another node carry it. Unknown members are skipped, missing ones default.
std::string to_json(const session::state& s);
result<session::state> session_from_json(std::string_view text);

/// The decision record as JSON (the form of `explain --json` and of the event).
std::string to_json(const decision& d);
result<decision> decision_from_json(std::string_view text);

} // namespace switchboard
