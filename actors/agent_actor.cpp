#include "actors/agent_actor.hpp"

#include "actors/session_rows.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"

#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

namespace switchboard {

namespace {

/// So many entries are read back at once; a longer session takes more reads.
constexpr std::int32_t fill_max = 500;

/// A screen that lags is given a few at a time, and some time between.
constexpr std::int32_t fill_lagging = 16;
constexpr auto lag_time = duration{25};
/// A pick of which nobody has heard for so long has come to nothing.
constexpr auto pick_time = agent::grant_time + std::chrono::seconds{1};
constexpr std::size_t picks_max = 16;

} // namespace

agent_actor::agent_actor(handle::pointer self, birth b,
                         std::shared_ptr<const world> w)
  : self_(self),
    known_(b.row.has_value()),
    slot_(b.slot),
    epoch_(b.epoch),
    world_(std::move(w)) {
  state_.id = b.id;
  state_.grace = world_->agent_grace;
  if (b.row)
    state_.who = b.row->who;
}

agent_actor::handle::behavior_type agent_actor::make_behavior() {
  return {
    [this](const agent_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

// -- what it is told ----------------------------------------------------------

void agent_actor::told(const agent::event& x) {
  if (std::holds_alternative<agent::profile_changed>(x))
    known_ = true;
  happen(x);
}

/// What comes while we look ourselves up waits, so that a screen that went, or
/// signed in again, does not come back by an older word.
void agent_actor::told(const screen_in& x) {
  if (x.looked_up) {
    looking_up_ = false;
    take_in(x);
    for (const auto& y : std::exchange(held_, {}))
      std::visit([this](const auto& z) { told(z); }, y);
  } else if (looking_up_) {
    held_.emplace_back(x);
  } else if (!known_ && look_up(x)) {
    // Added a moment ago, and the directory does not have them yet?
    looking_up_ = true;
  } else {
    take_in(x);
  }
}

void agent_actor::take_in(const screen_in& x) {
  if (!known_) {
    x.done(
      fail(errc::not_found, "there is no agent '" + state_.id.text
                              + "'; add one with `switchboard agent add`"));
    return;
  }
  if (const auto now = screens_.find(x.key); now == screens_.end()) {
    ++world_->counted->screens;
  } else if (now->second.binding > x.binding) {
    x.done(receipt{}); // It has signed in again, and this was overtaken.
    return;
  }
  auto& at = screens_[x.key];
  at = screen{x.screen, x.binding, x.home, x.from, {}};
  x.done(receipt{});
  happen(agent::connected{x.key});
  // We may be new here, and the screen remembers what the agent had chosen.
  if (x.shown && x.shown->now != agent::presence::online
      && state_.now == agent::presence::online)
    happen(agent::presence_asked{x.shown->now, x.shown->reason, x.shown->next});
  at.to->show(presence());
  for (const auto& [id, what] : open_)
    open(x.key, at, what);
  for (const auto& [id, what] : offers_)
    at.to->show(what);
  for (const auto& [id, seq] : x.from)
    if (!open_.contains(id))
      claim(id);
  for (const auto id : x.offers)
    if (!offers_.contains(id))
      claim(id);
}

/// Somebody believes that this session is ours: ask it.
void agent_actor::claim(session_id what) {
  if (const auto k = slot_of(what); k < slots)
    world_->tell(k, agent_claims{what, state_.id});
}

bool agent_actor::look_up(screen_in x) {
  x.looked_up = true;
  return world_->reads->run(
    [me = handle{self_}, id = state_.id, x = std::move(x)](store& from) {
      if (const auto all = from.agents())
        for (const auto& row : *all)
          if (row.id == id)
            rt::post(me,
                     agent_told{agent::event{agent::profile_changed{row.who}}});
      rt::post(me, agent_told{x});
    });
}

void agent_actor::told(const screen_out& x) {
  if (looking_up_) {
    held_.emplace_back(x);
    return;
  }
  if (screens_.erase(x.key) == 0)
    return;
  --world_->counted->screens;
  happen(agent::disconnected{x.key});
}

void agent_actor::told(const home_gone& x) {
  if (looking_up_) {
    held_.emplace_back(x);
    return;
  }
  std::vector<std::int64_t> lost;
  for (const auto& [key, at] : screens_)
    if (at.home == x.home)
      lost.push_back(key);
  for (const auto key : lost)
    told(screen_out{key});
}

/// The sessions of those slots will tell us of themselves, but for those that
/// have ended meanwhile: these we must ask for.
void agent_actor::told(const neighbours_new& x) {
  for (const auto& [id, at] : state_.places)
    if (x.which.test(slot_of(id)))
      claim(id);
  if (x.which.test(router_slot))
    happen(agent::router_started{});
}

void agent_actor::told(const asked& x) {
  std::visit([&](const auto& what) { asks(what, x.reply); }, x.what);
}

void agent_actor::told(const session_given& x) {
  const auto fresh = open_.insert_or_assign(x.what.session, x.what).second;
  offers_.erase(x.what.session);
  answer_pick(x.what.session, receipt{x.what.session, x.what.last_seq, false});
  happen(agent::assigned{x.what.session, x.load});
  for (auto& [token, at] : screens_)
    if (fresh || !at.feeds.contains(x.what.session))
      open(token, at, x.what);
    else
      at.to->show(
        push::session_changed{x.what.session, x.what.ownership, x.what.phase});
}

void agent_actor::told(const session_taken& x) {
  happen(agent::unassigned{x.session});
  open_.erase(x.session);
  for (auto& [token, at] : screens_)
    at.feeds.erase(x.session);
  // Also if we are new here and never had it: a screen may still show it, and
  // those that do not, do not mind.
  show(push::session_ended{x.session, x.reason});
}

void agent_actor::told(const offer_made& x) {
  offers_.insert_or_assign(x.what.session, x.what);
  happen(
    agent::offer_opened{x.what.session, x.what.number, x.load, x.what.until});
  show(x.what);
}

void agent_actor::told(const offer_over& x) {
  if (x.number == 0)
    answer_pick(x.session, fail(errc::wrong_phase,
                                "somebody else was quicker, or the session "
                                "is over"));
  happen(agent::offer_ended{x.session, x.number, x.reason});
  offers_.erase(x.session);
  show(push::offer_ended{x.session, x.number, x.reason});
}

void agent_actor::told(const passed_on& x) {
  const auto* added = std::get_if<push::entry_added>(&x.what);
  if (const auto* changed = std::get_if<push::session_changed>(&x.what)) {
    // Kept for screens that connect later.
    if (const auto at = open_.find(changed->session); at != open_.end()) {
      at->second.ownership = changed->ownership;
      at->second.phase = changed->phase;
    }
  }
  if (!added) {
    show(x.what);
    return;
  }
  for (auto& [token, at] : screens_) {
    const auto feed = at.feeds.find(added->session);
    if (feed == at.feeds.end())
      continue;
    switch (feed->second.live(added->line.seq)) {
      case screen_feed::verdict::show: at.to->show(x.what); break;
      case screen_feed::verdict::drop: break;
      case screen_feed::verdict::fill:
        fill(token, added->session, feed->second.after(), fill_max);
        break;
    }
  }
}

void agent_actor::told(const filled& x) {
  const auto at = screens_.find(x.token);
  if (at == screens_.end())
    return;
  const auto feed = at->second.feeds.find(x.session);
  if (feed == at->second.feeds.end())
    return;
  if (!x.lines) {
    // The screen would have a hole. Let it come back: it resumes by seq.
    spdlog::warn("agent {}: session {} cannot be read back: {}", state_.id.text,
                 x.session.value, x.lines.error().detail);
    at->second.to->end("unavailable");
    return;
  }
  for (const auto& line : *x.lines) {
    if (at->second.to->lags()) {
      // More than it can take would end it, and its next try the same way.
      world_->timers->at(now() + lag_time, [me = handle{self_}, token = x.token,
                                            session = x.session] {
        rt::post(me, agent_told{fill_on{token, session}});
      });
      return;
    }
    if (feed->second.fill(line.seq))
      at->second.to->show(push::entry_added{x.session, line});
  }
  if (feed->second.end_fill(x.more))
    fill(x.token, x.session, feed->second.after(), fill_max);
}

void agent_actor::told(const fill_on& x) {
  const auto at = screens_.find(x.token);
  if (at == screens_.end())
    return;
  const auto feed = at->second.feeds.find(x.session);
  if (feed != at->second.feeds.end())
    fill(x.token, x.session, feed->second.after(), fill_lagging);
}

void agent_actor::told(const may_read& x) {
  const auto mine = open_.contains(x.session) || offers_.contains(x.session);
  x.answer(receipt{x.session, mine ? 1 : 0, false});
}

// -- what an agent asks for ---------------------------------------------------

void agent_actor::asks(const ask::send& x, const reply_to& reply) {
  world_->tell_session(
    x.session,
    {session::agent_said{state_.id, x.ownership, x.client_id, x.body}, reply});
}

void agent_actor::asks(const ask::note& x, const reply_to& reply) {
  world_->tell_session(
    x.session, {session::agent_noted{state_.id, x.client_id, x.body}, reply});
}

void agent_actor::asks(const ask::accept& x, const reply_to& reply) {
  world_->tell_session(x.session,
                       {session::accepted{state_.id, x.offer}, reply});
}

void agent_actor::asks(const ask::decline& x, const reply_to& reply) {
  world_->tell_session(
    x.session, {session::declined{state_.id, x.offer, x.reason}, reply});
}

void agent_actor::asks(const ask::presence& x, const reply_to& reply) {
  happen(agent::presence_asked{x.now, x.reason, x.next});
  reply(receipt{});
}

void agent_actor::asks(const ask::transfer& x, const reply_to& reply) {
  world_->tell_session(
    x.session,
    {session::transfer_asked{state_.id, x.ownership, x.target, x.note}, reply});
}

void agent_actor::asks(const ask::hold& x, const reply_to& reply) {
  world_->tell_session(x.session,
                       {session::hold_asked{state_.id, x.ownership}, reply});
}

void agent_actor::asks(const ask::resume& x, const reply_to& reply) {
  world_->tell_session(x.session,
                       {session::resume_asked{state_.id, x.ownership}, reply});
}

void agent_actor::asks(const ask::close& x, const reply_to& reply) {
  world_->tell_session(
    x.session,
    {session::close_asked{state_.id, x.ownership, x.disposition}, reply});
}

void agent_actor::asks(const ask::wrapped_up& x, const reply_to& reply) {
  world_->tell_session(x.session,
                       {session::wrapped_up{state_.id, x.disposition}, reply});
}

void agent_actor::asks(const ask::pick& x, const reply_to& reply) {
  if (open_.contains(x.session)) {
    reply(fail(errc::conflict, "the session is yours already"));
    return;
  }
  if (picks_.contains(x.session) || picks_.size() == picks_max) {
    reply(fail(errc::conflict, "your last pick is still under way"));
    return;
  }
  const auto number = ++picks_made_;
  picks_.emplace(x.session, pick{number, reply});
  world_->tell_router(router::picked{x.session, state_.id});
  world_->timers->at(now() + pick_time, [world = world_, id = state_.id,
                                         session = x.session, number] {
    world->tell_agent(
      id, pick_refused{session, number, "nobody answered; try again"});
  });
}

void agent_actor::told(const pick_refused& x) {
  const auto at = picks_.find(x.session);
  if (at == picks_.end() || (x.number != 0 && x.number != at->second.number))
    return;
  answer_pick(x.session,
              fail(x.number == 0 ? errc::wrong_phase : errc::unavailable,
                   "the session cannot be picked: " + x.reason));
}

void agent_actor::answer_pick(session_id of, const result<receipt>& what) {
  const auto at = picks_.find(of);
  if (at == picks_.end())
    return;
  at->second.reply(what);
  picks_.erase(at);
}

void agent_actor::asks(const ask::typing& x, const reply_to& reply) {
  const auto at = open_.find(x.session);
  if (at == open_.end()) {
    reply(fail(errc::stale_owner, "the session is not on your screen"));
    return;
  }
  tell_channel("typing", at->second, {});
  world_->tell(subject::slot_of(at->second.who),
               for_visitor{at->second.who, visit::typing{x.session}, 0});
  reply(receipt{x.session, 0, false});
}

void agent_actor::asks(const ask::read& x, const reply_to& reply) {
  const auto at = open_.find(x.session);
  if (at == open_.end()) {
    reply(fail(errc::stale_owner, "the session is not on your screen"));
    return;
  }
  tell_channel("read", at->second, x.seq);
  world_->tell(subject::slot_of(at->second.who),
               for_visitor{at->second.who, visit::read{x.session, x.seq}, 0});
  reply(receipt{x.session, x.seq, false});
}

/// Lost is lost: nobody waits for a sign.
void agent_actor::tell_channel(std::string_view what,
                               const push::session_opened& of,
                               std::optional<std::int32_t> seq) {
  const auto session = to_string(of.session);
  boost::json::object body{{"session", session},
                           {"agent", state_.id.text},
                           {"channel", of.who.channel},
                           {"user", of.who.user}};
  if (seq)
    body["seq"] = *seq;
  static_cast<void>(world_->wire->publish(
    subject::event("session", what, session), boost::json::serialize(body),
    cloud_event("session." + std::string(what),
                session + '-' + std::string(what) + '-' + random_secret(6),
                session, now())));
}

// -- presence and places ------------------------------------------------------

void agent_actor::happen(const agent::event& x) {
  for (const auto& effect : agent::apply(state_, x, now()))
    std::visit([this](const auto& e) { perform(e); }, effect);
}

void agent_actor::perform(const agent::grant& e) {
  world_->tell_session(e.session,
                       {session::granted{state_.id, e.pick, e.why}, {}});
}

void agent_actor::perform(const agent::refuse& e) {
  answer_pick(e.session, fail(errc::wrong_phase,
                              "the session cannot be picked: " + e.reason));
  world_->tell_router(router::refused{e.session, state_.id, e.reason});
}

void agent_actor::perform(const agent::advertise&) {
  world_->tell_router(router::agent_changed{agent::availability_of(state_)});
}

void agent_actor::perform(const agent::withdraw& e) {
  world_->tell_session(e.session,
                       {session::withdrawn{state_.id, e.offer, e.reason}, {}});
}

void agent_actor::perform(const agent::lose& e) {
  world_->tell_session(e.session,
                       {session::agent_lost{state_.id, e.reason}, {}});
}

void agent_actor::perform(const agent::save&) {
  world_->log->submit(
    presence_write{slot_, epoch_, state_.id, state_.now, state_.reason});
}

push::presence agent_actor::presence() const {
  return {state_.now, state_.reason, state_.next};
}

void agent_actor::perform(const agent::show_presence&) {
  show(presence());
}

void agent_actor::perform(const agent::wake& e) {
  world_->timers->at(
    e.at, [slot = world_->slot[slot_], id = state_.id, round = e.round] {
      rt::post(slot, slot_told{timer_due{id, round}});
    });
}

void agent_actor::perform(const agent::ignore& e) {
  ++world_->counted->ignored;
  spdlog::debug("agent {}: {} ignored", state_.id.text, e.event);
}

// -- screens ------------------------------------------------------------------

void agent_actor::show(const agent_push& what) {
  for (auto& [token, at] : screens_)
    at.to->show(what);
}

void agent_actor::open(std::int64_t token, screen& at,
                       const push::session_opened& what) {
  at.to->show(what);
  const auto from = at.from.find(what.session);
  auto& feed =
    at.feeds
      .insert_or_assign(what.session,
                        screen_feed{from == at.from.end() ? 0 : from->second})
      .first->second;
  feed.begin_fill();
  fill(token, what.session, feed.after(), fill_max);
}

void agent_actor::fill(std::int64_t token, session_id of, std::int32_t after,
                       std::int32_t count) {
  const auto asked = world_->reads->run([me = handle{self_}, token, of, after,
                                         count](store& from) {
    auto lines = from.entries(of, after, count);
    const auto more = lines && lines->size() == static_cast<std::size_t>(count);
    rt::post(me, agent_told{filled{token, of, std::move(lines), more}});
  });
  if (!asked)
    rt::post(
      handle{self_},
      agent_told{filled{token, of, fail(errc::overloaded, "too many reads")}});
}

} // namespace switchboard
