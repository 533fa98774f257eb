// What a session does after the commit: every effect that is not a row.
#include "actors/cluster/visitors.hpp"
#include "actors/session_actor.hpp"
#include "actors/session_rows.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

namespace {

/// After a revival nobody is looked up for so long; then spread over as long.
constexpr auto rush_time = duration{2000};

} // namespace

void session_actor::perform(const planned&, const session::append& e) {
  if (e.line.kind == entry_kind::customer)
    ++world_->counted->messages_in;
  else if (e.line.kind == entry_kind::agent)
    ++world_->counted->messages_out;
  else if (e.line.kind == entry_kind::event)
    spdlog::debug("session {}: {} seq={} agent={}", state_.id.value,
                  e.line.event, e.line.seq, e.line.author);
}

void session_actor::perform(const planned&, const session::record&) {
  ++world_->counted->decisions;
}

void session_actor::perform(const planned& x, const session::answer& e) {
  if (!e.what && e.what.error().code == errc::stale_owner)
    ++world_->counted->stale_owner;
  if (x.what.reply)
    x.what.reply(e.what);
}

void session_actor::perform(const planned& x, const session::find_agent&) {
  if (affinity_known_) {
    ask_router();
    return;
  }
  if (std::holds_alternative<session::revived>(x.what.what) && !looking_up_) {
    // Thousands are, when a node dies. They can be matched at once; thousands
    // of questions at the same time would be in the way of who waits for an
    // answer.
    ask_router();
    const auto spread = duration{state_.id.value % rush_time.count()};
    world_->timers->at(now() + rush_time + spread, [me = handle{self_}] {
      rt::post(me, session_told{person_wanted{}});
    });
    return;
  }
  if (!looking_up_)
    look_up_person();
  if (affinity_known_)
    ask_router();
}

/// A verified address joins the contact to the person whom it belongs to, when
/// a session starts and whenever a line brings another one.
void session_actor::recognise(const flight& done) {
  for (const auto& x : done.jobs)
    if (const auto* said = std::get_if<session::customer_said>(&x.what.what)) {
      auto found = person::verified_in(said->what, world_->persons);
      if (!found.phone.empty())
        proven_.phone = std::move(found.phone);
      if (!found.email.empty())
        proven_.email = std::move(found.email);
    }
  if (proven_ != looked_up_)
    look_up_person();
}

void session_actor::told(const person_wanted&) {
  if (!ended_ && !affinity_known_ && !looking_up_ && session::waits(state_))
    look_up_person(query_pool::rank::last);
}

void session_actor::look_up_person(query_pool::rank when) {
  looked_up_ = proven_;
  const auto asked = world_->reads->run(
    [me = handle{self_}, who = state_.who, with = proven_](store& from) {
      person_found found;
      if (!with.empty())
        found.customer = from.identify(who, with.phone, with.email);
      if (const auto last = from.last_agent(who))
        found.last = *last;
      rt::post(me, session_told{std::move(found)});
    },
    when);
  looking_up_ = asked;
  if (asked)
    return;
  affinity_known_ = true; // Without it the choice is only a little poorer.
  looked_up_ = {};
}

void session_actor::ask_router() {
  router::session_waiting w{.session = state_.id,
                            .channel = state_.who.channel,
                            .want = state_.want,
                            .load = state_.load,
                            .since = session::waits_since(state_),
                            .previous = state_.previous,
                            .previous_at = previous_at_};
  for (const auto& x : session::asked(state_))
    w.asked.push_back(x.agent);
  for (const auto& x : state_.excluded) {
    w.excluded.push_back(x.agent);
    if (w.excluded_until == time_point{} || x.until < w.excluded_until)
      w.excluded_until = x.until;
  }
  if (const auto* moving = std::get_if<session::transferring>(&state_.at)) {
    w.only = moving->target.agent;
    w.not_from = moving->from;
    if (moving->target.queue)
      w.want.queue = *moving->target.queue;
  }
  const auto& asks = known_->rules_of(w.want.queue);
  w.want = session::wanted(w.want, asks);
  w.target = asks.waiting.target;
  if (state_.receiver_too) {
    const auto* at = std::get_if<session::queued>(&state_.at);
    const auto closed = at && at->closed_until != time_point{};
    (closed ? w.only : w.besides) = asks.waiting.receiver;
  }
  world_->tell_router(std::move(w));
}

/// Held, taken back, in transfer: the same agent sees the session change.
void session_actor::show_change(const session::state& before) {
  const auto holder = session::owner(state_);
  const auto same_phase = before.at.index() == state_.at.index();
  if (!holder || holder != session::owner(before)
      || (same_phase && before.ownership == state_.ownership))
    return;
  world_->tell_agent(*holder, passed_on{push::session_changed{
                                state_.id, state_.ownership,
                                std::string(session::name_of(state_.at))}});
}

visit::standing session_actor::standing() const {
  visit::standing x{state_.id, state_.last_seq, {}};
  if (const auto who = session::owner(state_)) {
    const auto at = known_->agents.find(*who);
    if (at != known_->agents.end())
      x.agent = at->second.who.display_name;
  }
  return x;
}

/// Every line, those as well that the customer does not see: their screens
/// count them.
void session_actor::show_customer(const session::state& before,
                                  const flight& done) {
  if (!world_->visits->watched(slot_, state_.who))
    return;
  for (const auto& x : done.jobs)
    for (const auto& effect : x.effects)
      if (const auto* added = std::get_if<session::append>(&effect))
        world_->visits->show(state_.who,
                             visit::said{state_.id, for_customer(added->line)});
  if (session::owner(before) != session::owner(state_))
    world_->visits->show(state_.who, standing());
}

void session_actor::perform(const planned&, const session::leave_queue&) {
  world_->tell_router(router::session_left{state_.id});
}

void session_actor::perform(const planned& x, const session::offer& e) {
  if (const auto* grant = std::get_if<session::granted>(&x.what.what);
      grant && grant->why) {
    const auto& d = *grant->why;
    const auto among =
      d.candidates.size() + static_cast<std::size_t>(d.candidates_left_out);
    why_ = (among > 1 ? "best of " + std::to_string(among) + " agents"
                      : std::string("the only agent free for it"))
           + ", waited " + std::to_string(d.wait_ms / 1000) + " s";
  }
  world_->tell_agent(
    e.to.agent,
    offer_made{push::offer{.session = state_.id,
                           .number = e.to.offer,
                           .until = e.to.until,
                           .who = state_.who,
                           .want = session::wanted(state_.want, rules()),
                           .preview = last_line_,
                           .why = why_},
               state_.load});
}

void session_actor::perform(const planned&, const session::end_offer& e) {
  world_->tell_agent(e.agent, offer_over{state_.id, e.offer, e.reason});
}

push::session_opened session_actor::opened() const {
  return {.session = state_.id,
          .ownership = state_.ownership,
          .phase = std::string(session::name_of(state_.at)),
          .who = state_.who,
          .customer = state_.customer,
          .want = session::wanted(state_.want, rules()),
          .last_seq = state_.last_seq,
          .answered = state_.answered};
}

void session_actor::perform(const planned& x, const session::assign& e) {
  if (!std::holds_alternative<session::revived>(x.what.what))
    world_->counted->queue_wait.add(
      std::chrono::duration_cast<std::chrono::microseconds>(
        now() - session::waits_since(state_)));
  previous_at_ = now();
  std::int32_t load = state_.load;
  for (const auto& h : session::holds(state_))
    if (h.agent == e.agent)
      load = h.load;
  world_->tell_agent(e.agent, session_given{opened(), load});
}

void session_actor::perform(const planned&, const session::unassign& e) {
  world_->tell_agent(e.agent, session_taken{state_.id, e.reason});
}

void session_actor::perform(const planned&, const session::remind& e) {
  world_->tell_agent(
    e.agent, passed_on{push::reminder{state_.id, state_.waiting_since}});
}

void session_actor::perform(const planned&, const session::show& e) {
  world_->tell_agent(e.agent, passed_on{push::entry_added{state_.id, e.line}});
}

void session_actor::perform(const planned&, const session::wake& e) {
  world_->timers->at(
    e.at, [slot = world_->slot[slot_], id = state_.id, round = e.round] {
      rt::post(slot, slot_told{timer_due{id, round}});
    });
}

/// Not kept, and in nobody's way: where they stand may be another a moment
/// later.
void session_actor::perform(const planned&, const session::tell_place& e) {
  const auto session = to_string(state_.id);
  static_cast<void>(world_->wire->publish(
    subject::event("session", "place", session), place_body(state_, e.where),
    cloud_event("session.place", session + "-place-" + random_secret(6),
                session, now())));
  if (world_->visits->watched(slot_, state_.who))
    world_->visits->show(state_.who,
                         visit::place{state_.id, e.where.position,
                                      e.where.wait_min, e.where.wait_max});
}

void session_actor::perform(const planned&, const session::ignore& e) {
  ++world_->counted->ignored;
  spdlog::debug("session {}: {} ignored while {}", state_.id.value, e.event,
                e.phase);
}

} // namespace switchboard
