#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/result.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/session.hpp"
#include "actors/visit.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The actors as a gateway sees them: no CAF, no subjects, no slots. A gateway
/// neither knows nor cares on which node an actor lives.
namespace switchboard {

/// What appears on an agent's screen. Each has been committed before.
namespace push {

struct offer {
  session_id session;
  std::int64_t number = 0; ///< Of the offer; goes into accept and decline.
  time_point until{};
  contact who;
  needs want;
  std::string preview{}; ///< The customer's last line.
  std::string why{};     ///< One sentence: why this agent.
};

struct offer_ended {
  session_id session;
  std::int64_t number = 0;
  std::string reason;
};

/// The session is on this agent's screen from now on (or again, after a
/// reconnect), at this ownership; its entries follow.
struct session_opened {
  session_id session;
  std::int64_t ownership = 0;
  std::string phase;
  contact who;
  customer_id customer{};
  needs want;
  std::int32_t last_seq = 0;
  bool answered = false;
};

/// The phase or ownership of a session on the screen has changed.
struct session_changed {
  session_id session;
  std::int64_t ownership = 0;
  std::string phase;
};

/// The customer still waits for this agent's first reply.
struct reminder {
  session_id session;
  time_point waiting_since{};
};

struct session_ended {
  session_id session;
  std::string reason;
};

struct entry_added {
  session_id session;
  entry line;
};

struct typing {
  session_id session;
  std::string author; ///< Empty: the customer.
};

/// The customer has seen everything up to `seq`.
struct read {
  session_id session;
  std::int32_t seq = 0;
};

struct presence {
  agent::presence now;
  std::string reason{};
  std::optional<agent::presence> next{};
};

struct queue_lines {
  std::vector<router::line> lines;
};

} // namespace push

using agent_push =
  std::variant<push::offer, push::offer_ended, push::session_opened,
               push::session_changed, push::session_ended, push::entry_added,
               push::typing, push::read, push::presence, push::queue_lines,
               push::reminder>;

/// One connection of an agent. `show` may be called from any thread; it hands
/// over and returns. Pushes of one session come in order and, from the seq that
/// the connection asked for, without gap and without repetition.
class agent_screen {
public:
  virtual ~agent_screen() = default;
  virtual void show(const agent_push& what) = 0;

  /// True while so much waits to be written that history is better held back.
  /// What happens live is shown all the same. May be called from any thread.
  [[nodiscard]] virtual bool lags() { return false; }

  /// The agent signed in elsewhere with the same device, or the node drains.
  virtual void end(std::string_view reason) = 0;
};

/// What an agent can ask for. `ownership` is what the screen showed.
namespace ask {

struct send {
  session_id session;
  std::int64_t ownership = 0;
  message_id client_id;
  std::string body;
};
struct note {
  session_id session;
  message_id client_id;
  std::string body;
};
struct accept {
  session_id session;
  std::int64_t offer = 0;
};
struct decline {
  session_id session;
  std::int64_t offer = 0;
  std::string reason;
};
struct presence {
  agent::presence now;
  std::string reason{};
  std::optional<agent::presence> next{};
};
struct transfer {
  session_id session;
  std::int64_t ownership = 0;
  session::transfer_target target;
  std::string note;
};
struct hold {
  session_id session;
  std::int64_t ownership = 0;
};
struct resume {
  session_id session;
  std::int64_t ownership = 0;
};
struct close {
  session_id session;
  std::int64_t ownership = 0;
  std::string disposition;
};
struct wrapped_up {
  session_id session;
  std::string disposition;
};
struct pick {
  session_id session;
};
struct typing {
  session_id session;
};
struct read {
  session_id session;
  std::int32_t seq = 0;
};

} // namespace ask

using agent_ask =
  std::variant<ask::send, ask::note, ask::accept, ask::decline, ask::presence,
               ask::transfer, ask::hold, ask::resume, ask::close,
               ask::wrapped_up, ask::pick, ask::typing, ask::read>;

/// Where an agent's screen stands: the last seq it has of each session.
using screen_position = std::map<session_id, std::int32_t>;

class front {
public:
  template <class T>
  using callback = std::function<void(result<T>)>;

  virtual ~front() = default;

  /// Connects a screen; what it should show follows as pushes: presence, open
  /// offers, each assigned session, and its entries after `from`.
  /// @param done gets a token for `sign_out`, or not_found for an agent whom
  ///        the database does not know
  virtual void sign_in(const agent_id& who,
                       std::shared_ptr<agent_screen> screen,
                       screen_position from, callback<std::int64_t> done) = 0;

  virtual void sign_out(const agent_id& who, std::int64_t token) = 0;

  /// `done` is called once, after the commit, on any thread. For what writes no
  /// entry (presence, typing, read) the receipt is empty.
  virtual void ask(const agent_id& who, agent_ask what,
                   callback<receipt> done) = 0;

  /// The direct lane for gateways of this node.
  virtual void post(inbound what, callback<receipt> done) = 0;

  /// Connects a customer's screen; what it lacks since `from` follows, and then
  /// what happens.
  /// @param done gets the contact's conversation and its last line (session 0:
  ///        there is none), or malformed for a `from` that cannot be
  /// @returns a token for `leave`, which may be called before `done` is
  virtual std::int64_t come(const contact& who,
                            std::shared_ptr<visitor_screen> screen,
                            visit::position from, callback<receipt> done) = 0;

  virtual void leave(const contact& who, std::int64_t token) = 0;

  /// The customer types, or has read everything up to `read`. Never stored.
  virtual void sign(const contact& who, std::optional<std::int32_t> read) = 0;

  /// The last visible lines of the contact's conversation before `before`,
  /// ascending; fewer than `count_max`: there are no more.
  /// @returns forbidden for a conversation of somebody else
  virtual void recall(const contact& who, session_id of, std::int32_t before,
                      std::int32_t count_max,
                      callback<std::vector<entry>> done) = 0;

  /// Entries of a session after `after`; only for an agent to whom the session
  /// was ever assigned or offered, or for `who` empty (the operator).
  virtual void history(const agent_id& who, session_id of, std::int32_t after,
                       std::int32_t count_max,
                       callback<std::vector<entry>> done) = 0;

  /// The same customer's lines on all channels, before `before`.
  struct person_line {
    session_id session;
    std::string channel;
    entry what;
  };
  virtual void person(const agent_id& who, session_id of, time_point before,
                      std::int32_t count_max,
                      callback<std::vector<person_line>> done) = 0;

  /// For /readyz, /metrics and `health`.
  struct check {
    std::string name; ///< "database", "bus", "slots", "writer"
    bool ok = false;
    std::string detail;
  };
  [[nodiscard]] virtual std::vector<check> health() const = 0;

  /// The metrics of the actors in Prometheus' text format 0.0.4.
  [[nodiscard]] virtual std::string metrics() const = 0;
};

} // namespace switchboard
