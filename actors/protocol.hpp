#pragma once

// Who understands what. An actor takes one message type; whatever it can be
// told is listed here or in the header of its domain machine.

#include "actors/domain/agent.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/session.hpp"
#include "actors/front.hpp"
#include "actors/runtime.hpp"
#include "persistence/store.hpp"

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

  session::rules rules_of(const queue_id& queue) const;
};
using directory_ptr = std::shared_ptr<const directory>;

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
  session::rules rules;
};

/// The slot sends nothing more to this session, which is over: give back what
/// came too late, so that it can go to the contact's next session in order.
struct farewell {};

using session_told =
  std::variant<job, outcome, person_found, rules_changed, farewell>;
using session_ref = caf::typed_actor<rt::takes<session_told>>;

// -- to an agent --------------------------------------------------------------

struct screen_in {
  std::shared_ptr<agent_screen> screen;
  screen_position from;
  front::callback<std::int64_t> done;
  bool looked_up = false; ///< The store was asked who this is.
};

struct screen_out {
  std::int64_t token = 0;
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
};

/// Calls back with true if the agent may read the session.
struct may_read {
  session_id session;
  std::function<void(bool known_here)> answer;
};

using agent_told = std::variant<agent::event, screen_in, screen_out, asked,
                                session_given, session_taken, offer_made,
                                offer_over, passed_on, filled, may_read>;
using agent_ref = caf::typed_actor<rt::takes<agent_told>>;

// -- to a slot ----------------------------------------------------------------

/// The inbox has something.
struct inbox_filled {};

/// Sessions that the store has as open: take them up again.
struct revive {
  std::vector<session::state> open;
};

/// A customer's message that came over a gateway of this node.
struct from_gateway {
  job what; ///< customer_said
};

struct for_session {
  session_id session;
  job what;
};

struct for_agent {
  agent_id agent;
  agent_told what;
};

/// A time asked for with `wake` has come, for a session or for an agent.
struct timer_due {
  std::variant<session_id, agent_id> who;
  std::int64_t round = 0;
};

/// The session is closed, or never came to be. The slot answers `farewell`.
struct session_over {
  session_id session;
  contact who;
};

/// The answer to `farewell`: what arrived too late for the session.
struct session_left_behind {
  session_id session;
  contact who;
  std::vector<job> left;
};

struct directory_changed {
  directory_ptr now;
};

/// Another node owns the slot: stop everything in it.
struct slot_lost {};

/// The node stops.
struct stop {};

using slot_told =
  std::variant<inbox_filled, revive, from_gateway, for_session, for_agent,
               timer_due, session_over, session_left_behind, directory_changed,
               slot_lost, stop>;
using slot_ref = caf::typed_actor<rt::takes<slot_told>>;

// -- to the router ------------------------------------------------------------

using router_told = std::variant<router::event, stop>;
using router_ref = caf::typed_actor<rt::takes<router_told>>;

} // namespace switchboard

CAF_BEGIN_TYPE_ID_BLOCK(switchboard, caf::first_custom_type_id)

  SWITCHBOARD_MESSAGE((switchboard::agent_told))
  SWITCHBOARD_MESSAGE((switchboard::router_told))
  SWITCHBOARD_MESSAGE((switchboard::session_told))
  SWITCHBOARD_MESSAGE((switchboard::slot_told))

CAF_END_TYPE_ID_BLOCK(switchboard)
