#include "actors/slot_actor.hpp"

#include "actors/agent_actor.hpp"
#include "actors/cluster/screens.hpp"
#include "actors/cluster/visitors.hpp"
#include "actors/cluster/wire.hpp"
#include "actors/session_actor.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace switchboard {

const session::rules& directory::rules_of(const queue_id& queue) const {
  static const session::rules ordinary;
  const auto at = queues.find(queue);
  return at == queues.end() ? ordinary : at->second.rules;
}

slot_actor::slot_actor(handle::pointer self, birth b,
                       std::shared_ptr<const world> w)
  : self_(self),
    slot_(b.slot),
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

// -- ours, or another node's --------------------------------------------------

void slot_actor::told(const letter& x) {
  if (mode_ == mode::serving)
    std::visit([this](const auto& y) { open(y); }, x);
  else
    hold(x);
}

/// Held back, in order, until the slot serves here or its owner is known.
void slot_actor::hold(letter what) {
  // Another node thinks that the slot is ours, and may know it from having
  // given it to us: then we look, instead of sending it back.
  const auto stray = mode_ == mode::away && wire::hops_of(what) > 0;
  if (mode_ == mode::away && !stray && held_.empty()
      && world_->post->send(slot_, what))
    return;
  if (stray && !std::exchange(looking_, true)) {
    world_->on_stray();
    world_->timers->at(now() + look_time, [me = handle{self_}] {
      rt::post(me, slot_told{route_known{}});
    });
  }
  if (held_.size() < held_max) {
    held_.push_back(std::move(what));
    return;
  }
  if (const auto reply = wire::reply_of(what))
    reply(fail(errc::overloaded, "the slot is moving and much waits for it"));
}

void slot_actor::send_held() {
  while (!held_.empty() && world_->post->send(slot_, held_.front()))
    held_.pop_front();
}

void slot_actor::told(const route_known&) {
  looking_ = false;
  if (mode_ == mode::away)
    send_held();
}

void slot_actor::told(const slot_claimed& x) {
  if (x.epoch <= epoch_)
    return;
  if (mode_ != mode::away)
    told(slot_lost{epoch_});
  epoch_ = x.epoch;
  mode_ = mode::loading;
  settle_asked_ = false;
  ++world_->counted->slots_owned;
  read_sessions();
}

void slot_actor::told(const read_again& x) {
  if (mode_ != mode::serving || x.epoch != epoch_)
    return;
  leave();
  mode_ = mode::loading;
  read_sessions();
}

void slot_actor::read_sessions() {
  const auto run = world_->reads->run(
    [me = handle{self_}, slot = slot_, epoch = epoch_](store& from) {
      const std::array<slot_number, 1> one{slot};
      rt::post(me, slot_told{revive{epoch, from.open_sessions(one)}});
    },
    query_pool::rank::first);
  if (!run)
    rt::post(handle{self_},
             slot_told{revive{epoch_, fail(errc::overloaded, "busy")}});
}

void slot_actor::told(const revive& x) {
  if (mode_ != mode::loading || x.epoch != epoch_)
    return;
  if (!x.open) {
    spdlog::warn("slot {}: cannot read its sessions, trying again: {}", slot_,
                 x.open.error().detail);
    world_->timers->at(now() + duration{100},
                       [me = handle{self_}, epoch = epoch_] {
                         rt::post(me, slot_told{resume_slot{epoch}});
                       });
    return;
  }
  for (const auto& s : *x.open)
    rt::post(keep(s, true), session_told{job{session::revived{}}});
  serve();
}

void slot_actor::serve() {
  if (std::exchange(mode_, mode::serving) == mode::loading)
    world_->on_served(slot_);
  for (auto& x : std::exchange(held_, {}))
    told(x);
  told(inbox_filled{});
  if (std::exchange(settle_asked_, false))
    told(settle_slot{epoch_});
}

void slot_actor::told(const slot_lost& x) {
  if (mode_ == mode::away || x.epoch != epoch_)
    return;
  mode_ = mode::away;
  --world_->counted->slots_owned;
  leave();
  world_->visits->forget(slot_); // The next owner is told anew.
  send_held();
  told(inbox_filled{});
}

void slot_actor::told(const settle_slot& x) {
  // Somebody waits for `quiet`: who still reads leaves as soon as it has read.
  if (mode_ == mode::loading && x.epoch == epoch_)
    settle_asked_ = true;
  if (mode_ != mode::serving || x.epoch != epoch_)
    return;
  mode_ = mode::leaving;
  unsettled_ = by_id_.size();
  for (const auto& [id, at] : by_id_)
    rt::post(at.ref, session_told{settle_asked{}});
  look_quiet();
}

void slot_actor::told(const session_settled& x) {
  if (mode_ != mode::leaving || x.epoch != epoch_)
    return;
  --unsettled_;
  look_quiet();
}

/// Quiet: no write under way, and nobody between two sessions.
void slot_actor::look_quiet() {
  if (mode_ != mode::leaving || unsettled_ > 0
      || std::any_of(by_contact_.begin(), by_contact_.end(),
                     [](const auto& x) { return x.second.leaving; }))
    return;
  world_->on_quiet(slot_, epoch_);
}

void slot_actor::told(const resume_slot& x) {
  if (x.epoch != epoch_)
    return;
  if (mode_ == mode::loading)
    read_sessions();
  else if (mode_ == mode::leaving)
    serve();
}

void slot_actor::told(const neighbours_new& x) {
  if (mode_ != mode::serving && mode_ != mode::leaving)
    return; // Who is revived tells everybody anyway.
  for (const auto& [id, at] : by_id_)
    if (at.with->concerned(x.which))
      rt::post(at.ref, session_told{x});
  for (const auto& [id, ref] : agents_)
    rt::post(ref, agent_told{x});
}

void slot_actor::told(const home_gone& x) {
  for (const auto& [id, ref] : agents_)
    rt::post(ref, agent_told{x});
}

/// What reached us although the slot is another node's: the sender was a
/// moment behind. With an id it is safe to pass on, even if it has reached the
/// owner as well.
void slot_actor::send_on(arrived what) {
  if (what.offset > 0) {
    --world_->counted->in_flight; // Its owner reads it from the stream.
    return;
  }
  letter on{straggler{what.subject, what.bytes, what.id, what.reply}};
  if (what.id.empty()) {
    const auto where = subject::parse_ingress(what.subject);
    const auto read = where ? codec::decode_inbound(what.bytes, where->from, "")
                            : result<inbound>{where.error()};
    if (!read || read->id.empty()) {
      answer_to(std::move(what), slot_, epoch_,
                world_)(fail(errc::moved, "another node owns this contact now; "
                                          "try again"));
      return;
    }
  }
  --world_->counted->in_flight;
  hold(std::move(on));
}

// -- the pipeline -------------------------------------------------------------

void slot_actor::told(const inbox_filled&) {
  if (mode_ == mode::loading || mode_ == mode::leaving)
    return; // It stays in the inbox.
  for (auto& x : inbox_->take())
    if (mode_ == mode::serving)
      take(std::move(x));
    else
      send_on(std::move(x));
}

void slot_actor::open(const straggler& x) {
  ++world_->counted->in_flight; // Admitted where it arrived first.
  take(arrived{.subject = x.subject,
               .bytes = x.bytes,
               .id = x.id,
               .reply = x.reply,
               .offset = 0,
               .at = std::chrono::steady_clock::now()});
}

void slot_actor::take(arrived what) {
  const auto where = subject::parse_ingress(what.subject);
  const auto id = what.id;
  const auto bytes = what.bytes;
  const auto offset = what.offset;
  auto reply = answer_to(std::move(what), slot_, epoch_, world_);
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
  s.load = session::load_of(first.from.channel);
  s.opened_at = now();
  s.waiting_since = s.opened_at;
  return keep(std::move(s), false);
}

session_ref slot_actor::keep(session::state state, bool from_store) {
  const auto id = state.id;
  const auto who = state.who;
  auto with = std::make_shared<session_ties>();
  with->note(state);
  auto ref = rt::spawn<session_actor>(
    self_->home_system(),
    session_actor::birth{std::move(state), known_, slot_, epoch_, from_store,
                         with},
    world_);
  by_contact_.insert_or_assign(who, resident{id, ref, false, {}});
  by_id_.insert_or_assign(id, tied_session{ref, std::move(with)});
  return ref;
}

void slot_actor::open(const from_gateway& x) {
  customer_says(x.what);
}

void slot_actor::told(const sign_from& x) {
  const auto at = by_contact_.find(x.who);
  if (at != by_contact_.end() && !at->second.leaving)
    rt::post(at->second.ref, session_told{x.what});
}

// -- customers who look -------------------------------------------------------

void slot_actor::open(const visitor_here& x) {
  world_->visits->here(x.who, x.home);
  const auto at = by_contact_.find(x.who);
  if (at != by_contact_.end() && !at->second.leaving)
    rt::post(at->second.ref, session_told{customer_came{x.reply}});
  else if (x.reply)
    x.reply(receipt{});
}

void slot_actor::open(const visitor_gone& x) {
  world_->visits->gone(x.who, x.home);
}

void slot_actor::open(const for_visitor& x) {
  world_->visits->show(x.who, x.what);
}

// -- post office --------------------------------------------------------------

void slot_actor::open(const for_session& x) {
  const auto at = by_id_.find(x.session);
  if (at != by_id_.end()) {
    rt::post(at->second.ref, session_told{x.what});
    return;
  }
  if (const auto* grant = std::get_if<session::granted>(&x.what.what))
    // Give the place back: the session ended while the proposal was on its way.
    world_->tell_agent(grant->agent, offer_over{x.session, 0, "closed"});
  if (x.what.reply)
    x.what.reply(fail(errc::stale_owner, "the session is closed"));
}

void slot_actor::open(const for_agent& x) {
  if (const auto* screen = std::get_if<screen_in>(&x.what);
      screen && !screen->screen) {
    auto here = *screen;
    here.screen =
      make_remote_screen(*world_->post, here.home, here.key, here.binding);
    rt::post(agent_of(x.agent), agent_told{std::move(here)});
    return;
  }
  rt::post(agent_of(x.agent), x.what);
}

void slot_actor::open(const agent_claims& x) {
  if (const auto at = by_id_.find(x.session); at != by_id_.end()) {
    rt::post(at->second.ref, session_told{session_claimed{x.agent}});
    return;
  }
  world_->tell_agent(x.agent, session_taken{x.session, "closed"});
  world_->tell_agent(x.agent, offer_over{x.session, 0, "closed"});
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
  if (mode_ == mode::leaving) {
    // Nothing begins now. Should the slot stay, it is only a little late.
    world_->timers->at(now() + duration{50},
                       [me = handle{self_}, x] { rt::post(me, slot_told{x}); });
    return;
  }
  if (mode_ != mode::serving)
    return; // The owner has timers of its own.
  if (const auto* session = std::get_if<session_id>(&x.who)) {
    if (const auto at = by_id_.find(*session); at != by_id_.end())
      rt::post(at->second.ref, session_told{job{session::timer{x.round}}});
    return;
  }
  const auto& agent = std::get<agent_id>(x.who);
  if (const auto at = agents_.find(agent); at != agents_.end())
    rt::post(at->second, agent_told{agent::event{agent::timer{x.round}}});
}

void slot_actor::told(const session_over& x) {
  if (x.epoch != epoch_)
    return;
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
  if (x.epoch == epoch_ && at != by_contact_.end()
      && at->second.id == x.session) {
    for (auto& w : at->second.waiting)
      late.push_back(std::move(w));
    by_contact_.erase(at);
  }
  if (mode_ != mode::serving) {
    // Before whatever came since.
    for (auto each = late.rbegin(); each != late.rend(); ++each)
      if (std::holds_alternative<session::customer_said>(each->what))
        held_.push_front(from_gateway{std::move(*each)});
      else
        held_.push_front(for_session{x.session, std::move(*each)});
    if (mode_ == mode::away)
      send_held();
    look_quiet();
    return;
  }
  for (auto& each : late) {
    if (std::holds_alternative<session::customer_said>(each.what))
      customer_says(std::move(each));
    else
      open(for_session{x.session, std::move(each)});
  }
}

void slot_actor::told(const directory_changed& x) {
  known_ = x.now;
  for (const auto& [id, at] : by_id_)
    rt::post(at.ref, session_told{rules_changed{known_}});
  for (const auto& [id, ref] : agents_)
    if (const auto row = known_->agents.find(id); row != known_->agents.end())
      rt::post(
        ref, agent_told{agent::event{agent::profile_changed{row->second.who}}});
}

void slot_actor::told(const stop&) {
  if (mode_ != mode::away)
    --world_->counted->slots_owned;
  mode_ = mode::away;
  for (auto& x : inbox_->take())
    answer_to(std::move(x), slot_, epoch_,
              world_)(fail(errc::moved, "the node stops; try again"));
  for (const auto& x : std::exchange(held_, {}))
    if (const auto reply = wire::reply_of(x))
      reply(fail(errc::moved, "the node stops; try again"));
  leave();
  self_->quit();
}

void slot_actor::leave() {
  for (const auto& [id, at] : by_id_)
    rt::post(at.ref, session_told{evicted{}});
  for (auto& [who, at] : by_contact_)
    for (auto& x : at.waiting)
      if (x.reply)
        x.reply(fail(errc::moved, "another node owns this contact now; try "
                                  "again"));
  by_contact_.clear();
  by_id_.clear();
  agents_.clear();
}

} // namespace switchboard
