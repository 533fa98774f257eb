#pragma once

// Who understands what. An actor takes one message type; whatever it can be
// told is listed here or in the header of its domain machine.

#include "actors/domain/agent.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/session.hpp"
#include "actors/front.hpp"
#include "actors/runtime.hpp"
#include "persistence/store.hpp"

#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace switchboard {

/// Called once with what came of a request, on any thread; hands over, returns.
using reply_to = std::function<void(const result<receipt>&)>;

/// Agents and queues as operators have set them up; replaced as a whole.
struct directory {
  std::int64_t version = 0;
  std::map<agent_id, agent_row> agents{};
  std::map<queue_id, queue_row> queues{};

  [[nodiscard]] const session::rules& rules_of(const queue_id& queue) const;
};
using directory_ptr = std::shared_ptr<const directory>;

// -- to everybody who lives in a slot -----------------------------------------

/// These slots (64: the router) have started anew somewhere, and know nothing
/// of us: tell them what concerns them.
struct neighbours_new {
  std::bitset<slots + 1> which;
};

// -- to a session -------------------------------------------------------------

/// Something happened to a session, and who (if anybody) waits to hear of it.
struct job {
  session::event what;
  reply_to reply{}; ///< May be empty.
};

/// What the store knows of this person: who they are, if they have proven an
/// address, and who served them last, on any channel.
struct person_found {
  std::optional<store::last_served> last{};
  std::optional<result<customer_id>> customer{};
};

/// Queues or agents were edited.
struct rules_changed {
  directory_ptr known;
};

/// The customer types, or has read everything up to `read`. Never stored.
struct customer_signed {
  std::optional<std::int32_t> read{};
};

/// A screen of the customer has come (again): tells it how the conversation
/// stands. The receipt names its last line.
struct customer_came {
  reply_to reply;
};

/// The slot sends nothing more to this session, which is over: give back what
/// came too late, so that it can go to the contact's next session in order.
struct farewell {};

/// Tell the slot (`session_settled`) as soon as nothing is under way.
struct settle_asked {};

/// The slot is another node's now: answer what waits, and end.
struct evicted {};

/// An agent believes to have this session, or an offer of it: if that is true
/// say it again, if not put it right.
struct session_claimed {
  agent_id by;
};

/// Some time after a revival: look up who served this person last.
struct person_wanted {};

using session_told =
  std::variant<job, outcome, person_found, rules_changed, customer_signed,
               farewell, neighbours_new, settle_asked, evicted, session_claimed,
               customer_came, person_wanted>;
using session_ref = caf::typed_actor<rt::takes<session_told>>;

// -- to an agent --------------------------------------------------------------

/// A screen as its own node knows it; the same again replaces what was there.
struct screen_in {
  std::shared_ptr<agent_screen> screen; ///< Here, or one that sends it there.
  screen_position from;
  reply_to done;
  std::int64_t key = 0;             ///< Unique in the cluster.
  std::int64_t binding = 0;         ///< Counts the times that it signed in.
  std::string home{};               ///< "<node>/<incarnation>" of its socket.
  std::vector<session_id> offers{}; ///< That it shows.
  std::optional<push::presence> shown{}; ///< The presence that it shows.
  bool looked_up = false; ///< In the database itself, past the directory.
};

struct screen_out {
  std::int64_t key = 0;
};

/// A node has died, and the sockets that it had with it.
struct home_gone {
  std::string home;
};

struct asked {
  agent_ask what;
  reply_to reply;
};

/// A session is this agent's, now or still; its entries follow.
struct session_given {
  push::session_opened what;
  std::int32_t load = 0;
};

struct session_taken {
  session_id session;
  std::string reason;
};

struct offer_made {
  push::offer what;
  std::int32_t load = 0;
};

struct offer_over {
  session_id session;
  std::int64_t number = 0;
  std::string reason;
};

/// A push that is simply passed on to all screens (entries go through views).
struct passed_on {
  agent_push what;
};

/// Entries of a session as the store has them, for a screen that lacks them.
struct filled {
  std::int64_t token = 0;
  session_id session;
  result<std::vector<entry>> lines;
  bool more = false; ///< There may be more than one read brings.
};

/// A screen that lagged behind may take more of a session's history now.
struct fill_on {
  std::int64_t token = 0;
  session_id session;
};

/// Calls back with true if the agent may read the session.
/// (`seq` 1 in the receipt says yes.)
struct may_read {
  session_id session;
  reply_to answer;
};

/// The session that the agent asked for will not come.
struct pick_refused {
  session_id session;
  std::int64_t number = 0; ///< Of the question; 0: whichever is open.
  std::string reason;
};

/// On the wire an alternative is named by its place here: add at the end only.
using agent_told =
  std::variant<agent::event, screen_in, screen_out, asked, session_given,
               session_taken, offer_made, offer_over, passed_on, filled,
               may_read, neighbours_new, home_gone, fill_on, pick_refused>;
using agent_ref = caf::typed_actor<rt::takes<agent_told>>;

// -- to a slot ----------------------------------------------------------------

/// The inbox has something.
struct inbox_filled {};

/// A letter may be passed on so many times before it is given up.
inline constexpr int hops_max = 3;

/// A customer's message that came over a gateway, of whatever node.
struct from_gateway {
  job what; ///< customer_said
  int hops = 0;
};

/// Passed on if the contact has a session, and forgotten otherwise.
struct sign_from {
  contact who;
  customer_signed what;
};

struct for_session {
  session_id session;
  job what;
  int hops = 0;
};

struct for_agent {
  agent_id agent;
  agent_told what;
  int hops = 0;
};

/// See `session_claimed`.
struct agent_claims {
  session_id session;
  agent_id agent;
  int hops = 0;
};

/// A message of the direct lane that reached a node which has just given the
/// slot away.
struct straggler {
  std::string subject;
  std::string bytes;
  std::string id;
  std::string reply;
  int hops = 0;
};

struct for_router {
  router::event what;
  int hops = 0;
};

/// A node has sockets of this contact, now or still. The receipt names the
/// contact's conversation and its last line; session 0: there is none.
struct visitor_here {
  contact who;
  std::string home; ///< "<node>/<incarnation>"
  reply_to reply;
  int hops = 0;
};

struct visitor_gone {
  contact who;
  std::string home;
  int hops = 0;
};

/// Shown to the contact wherever it looks, and forgotten otherwise.
struct for_visitor {
  contact who;
  visit_push what;
  int hops = 0;
};

/// What can be told to a slot wherever it lives. On the wire an alternative is
/// named by its place here: add at the end only.
using letter =
  std::variant<for_session, for_agent, from_gateway, straggler, agent_claims,
               for_router, visitor_here, visitor_gone, for_visitor>;

/// A time asked for with `wake` has come, for a session or for an agent.
struct timer_due {
  std::variant<session_id, agent_id> who;
  std::int64_t round = 0;
};

/// The session is closed, or never came to be. The slot answers `farewell`.
struct session_over {
  session_id session;
  contact who;
  std::int64_t epoch = 0;
};

/// The answer to `farewell`: what arrived too late for the session.
struct session_left_behind {
  session_id session;
  contact who;
  std::vector<job> left;
  std::int64_t epoch = 0;
};

/// The answer to `settle_asked`.
struct session_settled {
  session_id session;
  std::int64_t epoch = 0;
};

struct directory_changed {
  directory_ptr now;
};

/// The slot is ours: it reads its sessions, and then serves.
struct slot_claimed {
  std::int64_t epoch = 0;
};

/// Sessions that the store has as open: take them up again.
struct revive {
  std::int64_t epoch = 0;
  result<std::vector<session::state>> open;
};

/// The store has other entries than a session thought: read all of them again.
struct read_again {
  std::int64_t epoch = 0;
};

/// Another node owns the slot: end everything that lived here at this epoch.
struct slot_lost {
  std::int64_t epoch = 0;
};

/// The slot will move: let everything finish, hold back what is new, and say
/// when it is quiet.
struct settle_slot {
  std::int64_t epoch = 0;
};

/// It does not move after all.
struct resume_slot {
  std::int64_t epoch = 0;
};

/// Who owns this slot has changed: send on what was held back for its owner.
struct route_known {};

/// The node stops.
struct stop {};

using slot_told =
  std::variant<inbox_filled, letter, sign_from, timer_due, session_over,
               session_left_behind, session_settled, directory_changed,
               slot_claimed, revive, slot_lost, settle_slot, resume_slot,
               route_known, neighbours_new, home_gone, read_again, stop>;
using slot_ref = caf::typed_actor<rt::takes<slot_told>>;

// -- to the router ------------------------------------------------------------

using router_told = std::variant<for_router, router::policy_choice,
                                 slot_claimed, slot_lost, route_known, stop>;
using router_ref = caf::typed_actor<rt::takes<router_told>>;

} // namespace switchboard

CAF_BEGIN_TYPE_ID_BLOCK(switchboard, caf::first_custom_type_id)

  SWITCHBOARD_MESSAGE((switchboard::agent_told))
  SWITCHBOARD_MESSAGE((switchboard::router_told))
  SWITCHBOARD_MESSAGE((switchboard::session_told))
  SWITCHBOARD_MESSAGE((switchboard::slot_told))

CAF_END_TYPE_ID_BLOCK(switchboard)
