#include "actors/slot_actor.hpp"

#include "actors/agent_actor.hpp"
#include "actors/session_actor.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace switchboard {

session::rules directory::rules_of(const queue_id& queue) const {
  const auto at = queues.find(queue);
  return at == queues.end() ? session::rules{} : at->second.rules;
}

slot_actor::slot_actor(handle::pointer self, birth b,
                       std::shared_ptr<const world> w)
  : self_(self),
    slot_(b.slot),
    epoch_(b.epoch),
    inbox_(std::move(b.inbox)),
    known_(std::move(b.known)),
    // Not from 0: should a clock have been set back, numbers still differ.
    started_(
      static_cast<std::uint16_t>(std::stoul(random_secret(2), nullptr, 16))),
    world_(std::move(w)) {
  // nop
}

slot_actor::handle::behavior_type slot_actor::make_behavior() {
  return {
    [this](const slot_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

// -- the pipeline -------------------------------------------------------------

void slot_actor::told(const inbox_filled&) {
  for (auto& x : inbox_->take())
    take(std::move(x));
}

void slot_actor::take(arrived what) {
  const auto where = subject::parse_ingress(what.subject);
  const auto id = what.id;
  const auto bytes = what.bytes;
  const auto offset = what.offset;
  auto reply = answer_to(std::move(what), slot_, epoch_, world_);
  if (lost_) {
    reply(fail(errc::moved, "another node owns this contact now; try again"));
    return;
  }
  if (!where) {
    reply(where.error());
    return;
  }
  auto message = codec::decode_inbound(bytes, where->from, id);
  if (!message) {
    reply(message.error());
    return;
  }
  if (message->id.empty())
    // On the buffered lane the same on every reading, so a re-read is a repeat.
    message->id.text = offset > 0 ? "sb-in-" + std::to_string(offset)
                                  : "sb-" + random_secret(12);
  customer_says(
    {session::customer_said{std::move(*message)}, std::move(reply)});
}

/// @pre `what` is customer_said
void slot_actor::customer_says(job what) {
  const auto& said = std::get<session::customer_said>(what.what).what;
  const auto at = by_contact_.find(said.from);
  if (at != by_contact_.end() && at->second.leaving) {
    at->second.waiting.push_back(std::move(what));
    return;
  }
  auto to = at == by_contact_.end() ? start_session(said) : at->second.ref;
  rt::post(to, session_told{std::move(what)});
}

session_ref slot_actor::start_session(const inbound& first) {
  session::state s;
  s.id = make_session_id(now(), slot_, ++started_);
  s.who = first.from;
  s.want = first.want;
  s.opened_at = now();
  s.waiting_since = s.opened_at;
  return keep(std::move(s), false);
}

session_ref slot_actor::keep(session::state state, bool from_store) {
  const auto id = state.id;
  const auto who = state.who;
  const auto rules = known_->rules_of(state.want.queue);
  auto ref = rt::spawn<session_actor>(
    self_->home_system(),
    session_actor::birth{std::move(state), rules, slot_, epoch_, from_store},
    world_);
  by_contact_.insert_or_assign(who, resident{id, ref, false, {}});
  by_id_.insert_or_assign(id, ref);
  return ref;
}

void slot_actor::told(const revive& x) {
  for (const auto& s : x.open)
    rt::post(keep(s, true), session_told{job{session::revived{}}});
}

void slot_actor::told(const from_gateway& x) {
  if (lost_) {
    x.what.reply(fail(errc::moved, "another node owns this contact now"));
    return;
  }
  customer_says(x.what);
}

void slot_actor::told(const sign_from& x) {
  const auto at = by_contact_.find(x.who);
  if (at != by_contact_.end() && !at->second.leaving)
    rt::post(at->second.ref, session_told{x.what});
}

// -- post office --------------------------------------------------------------

void slot_actor::told(const for_session& x) {
  const auto at = by_id_.find(x.session);
  if (at != by_id_.end() && !lost_) {
    rt::post(at->second, session_told{x.what});
    return;
  }
  if (const auto* grant = std::get_if<session::granted>(&x.what.what))
    // Give the place back: the session ended while the proposal was on its way.
    world_->tell_agent(grant->agent, offer_over{x.session, 0, "closed"});
  if (x.what.reply)
    x.what.reply(fail(errc::stale_owner, "the session is closed"));
}

void slot_actor::told(const for_agent& x) {
  if (!lost_)
    rt::post(agent_of(x.agent), x.what);
}

agent_ref slot_actor::agent_of(const agent_id& id) {
  const auto at = agents_.find(id);
  if (at != agents_.end())
    return at->second;
  const auto row = known_->agents.find(id);
  auto ref = rt::spawn<agent_actor>(
    self_->home_system(),
    agent_actor::birth{id,
                       row == known_->agents.end() ? std::nullopt
                                                   : std::optional{row->second},
                       slot_, epoch_},
    world_);
  agents_.emplace(id, ref);
  return ref;
}

void slot_actor::told(const timer_due& x) {
  if (const auto* session = std::get_if<session_id>(&x.who)) {
    if (const auto at = by_id_.find(*session); at != by_id_.end())
      rt::post(at->second, session_told{job{session::timer{x.round}}});
    return;
  }
  const auto& agent = std::get<agent_id>(x.who);
  if (const auto at = agents_.find(agent); at != agents_.end())
    rt::post(at->second, agent_told{agent::event{agent::timer{x.round}}});
}

void slot_actor::told(const session_over& x) {
  by_id_.erase(x.session);
  const auto at = by_contact_.find(x.who);
  if (at == by_contact_.end() || at->second.id != x.session)
    return;
  at->second.leaving = true;
  rt::post(at->second.ref, session_told{farewell{}});
}

void slot_actor::told(const session_left_behind& x) {
  auto late = x.left;
  const auto at = by_contact_.find(x.who);
  if (at != by_contact_.end() && at->second.id == x.session) {
    for (auto& w : at->second.waiting)
      late.push_back(std::move(w));
    by_contact_.erase(at);
  }
  for (auto& each : late) {
    if (std::holds_alternative<session::customer_said>(each.what))
      customer_says(std::move(each));
    else
      told(for_session{x.session, std::move(each)});
  }
}

void slot_actor::told(const directory_changed& x) {
  known_ = x.now;
  for (const auto& [id, ref] : agents_)
    if (const auto row = known_->agents.find(id); row != known_->agents.end())
      rt::post(
        ref, agent_told{agent::event{agent::profile_changed{row->second.who}}});
}

void slot_actor::told(const slot_lost&) {
  if (lost_)
    return;
  spdlog::error("slot {}: lost at epoch {}; its actors end", slot_, epoch_);
  lost_ = true;
  --world_->counted->slots_owned;
  leave();
}

void slot_actor::told(const stop&) {
  lost_ = true;
  for (auto& x : inbox_->take())
    take(std::move(x)); // Answered `moved`.
  leave();
  self_->quit();
}

void slot_actor::leave() {
  by_contact_.clear();
  by_id_.clear();
  agents_.clear();
}

} // namespace switchboard
