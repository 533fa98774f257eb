#include "actors/session_actor.hpp"

#include "actors/cluster/visitors.hpp"
#include "actors/session_rows.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

namespace {

const session::customer_said* said_by_customer(const job& x) {
  return std::get_if<session::customer_said>(&x.what);
}

void answer(const job& to, const result<receipt>& what) {
  if (to.reply)
    to.reply(what);
}

bool is_durable(const session::effect& e) {
  return std::holds_alternative<session::append>(e)
         || std::holds_alternative<session::save>(e)
         || std::holds_alternative<session::record>(e);
}

/// The id under which the store recognises a repeat: only messages have one.
message_id id_of(const job& x) {
  if (const auto* said = std::get_if<session::customer_said>(&x.what))
    return said->what.id;
  if (const auto* said = std::get_if<session::agent_said>(&x.what))
    return said->id;
  if (const auto* noted = std::get_if<session::agent_noted>(&x.what))
    return noted->id;
  return {};
}

std::string_view body_of(const job& x) {
  if (const auto* said = std::get_if<session::customer_said>(&x.what))
    return said->what.content;
  if (const auto* said = std::get_if<session::agent_said>(&x.what))
    return said->body;
  if (const auto* noted = std::get_if<session::agent_noted>(&x.what))
    return noted->body;
  return {};
}

/// Customers' ids and agents' ids do not collide.
bool same_message(const job& a, const job& b) {
  return !id_of(a).empty() && id_of(a) == id_of(b)
         && (said_by_customer(a) != nullptr)
              == (said_by_customer(b) != nullptr);
}

error another_body(const message_id& id) {
  return fail(errc::conflict, "message id '" + id.text
                                + "' was used before for another content; "
                                  "give every message an id of its own");
}

} // namespace

session_actor::session_actor(handle::pointer self, birth b,
                             std::shared_ptr<const world> w)
  : self_(self),
    state_(std::move(b.state)),
    known_(std::move(b.known)),
    slot_(b.slot),
    epoch_(b.epoch),
    stored_(b.from_store),
    affinity_known_(state_.previous.has_value()),
    ties_(std::move(b.with)),
    world_(std::move(w)) {
  ++world_->counted->sessions;
  if (session::waits(state_))
    ++world_->counted->waiting;
}

session_actor::handle::behavior_type session_actor::make_behavior() {
  return {
    [this](const session_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

// -- what it is told ----------------------------------------------------------

void session_actor::told(const job& x) {
  if (evicted_) {
    answer(x, fail(errc::moved, "another node owns this session now; try "
                                "again"));
    return;
  }
  inbox_.push_back(x);
  take_up();
}

void session_actor::told(const outcome& x) {
  switch (x.what) {
    case verdict::committed: finish(); break;
    case verdict::duplicate: without_known(x.known); break;
    case verdict::agent_full: without_grants(); break;
    case verdict::refused: without_refused(); break;
    case verdict::fenced:
      ++world_->counted->fenced;
      world_->on_fenced(slot_, epoch_);
      give_up(errc::moved, "another node owns this session now; try again");
      break;
    case verdict::stale:
      spdlog::error("session {}: the store has other entries than expected",
                    state_.id.value);
      give_up(errc::unavailable,
              "the session is read again; repeat with the same id");
      if (!evicted_)
        rt::post(world_->slot[slot_], slot_told{read_again{epoch_}});
      break;
  }
  if (evicted_)
    give_up(errc::moved, "another node owns this session now; try again");
  take_up();
  say_settled();
}

void session_actor::told(const person_found& x) {
  affinity_known_ = true;
  looking_up_ = false;
  // Also in what is under way, which will be the state.
  std::vector<session::state*> all{&state_};
  if (flight_)
    all.push_back(&flight_->next);
  if (x.last && !state_.previous) {
    for (auto* s : all)
      s->previous = x.last->agent;
    previous_at_ = x.last->at;
  }
  if (x.customer && !*x.customer) {
    looked_up_ = {}; // The next line tries again.
    spdlog::warn("session {}: person not looked up: {}", state_.id.value,
                 x.customer->error().detail);
  } else if (x.customer) {
    for (auto* s : all)
      s->customer = **x.customer;
  }
  if (session::waits(state_))
    ask_router();
}

void session_actor::told(const rules_changed& x) {
  const auto& queue = state_.want.queue;
  const auto same =
    known_->rules_of(queue).waiting == x.known->rules_of(queue).waiting;
  const auto shown = standing().agent;
  known_ = x.known;
  // An agent who was added, or renamed, a moment ago.
  if (!evicted_ && standing().agent != shown
      && world_->visits->watched(slot_, state_.who))
    world_->visits->show(state_.who, standing());
  // It may be open now, or closed. For an edit of anything else nobody wakes.
  if (same || evicted_ || !std::holds_alternative<session::queued>(state_.at))
    return;
  told(job{session::timer{state_.rounds}, {}});
  if (session::waits(state_)) // Perhaps it asks for something else now.
    ask_router();
}

void session_actor::told(const customer_signed& x) {
  const auto holder = session::owner(state_);
  if (!holder)
    return;
  if (!x.read)
    world_->tell_agent(*holder, passed_on{push::typing{state_.id, {}}});
  else if (*x.read <= state_.last_seq)
    world_->tell_agent(*holder, passed_on{push::read{state_.id, *x.read}});
}

void session_actor::told(const farewell&) {
  if (evicted_)
    return;
  session_left_behind over{state_.id, state_.who, {}, epoch_};
  for (auto& x : std::exchange(inbox_, {}))
    over.left.push_back(std::move(x));
  rt::post(world_->slot[slot_], slot_told{std::move(over)});
}

/// Who has started anew hears again what concerns them: the router that we
/// wait, the agent that we are theirs.
void session_actor::told(const neighbours_new& x) {
  const auto held = session::holds(state_);
  if ((session::waits(state_) && x.which.test(router_slot))
      || std::any_of(held.begin(), held.end(), [&](const session::hold& h) {
           return x.which.test(slot_of(h.agent));
         }))
    told(job{session::revived{}, {}});
}

void session_actor::told(const session_claimed& x) {
  const auto held = session::holds(state_);
  if (std::any_of(held.begin(), held.end(),
                  [&](const session::hold& h) { return h.agent == x.by; })) {
    told(job{session::revived{}, {}});
    return;
  }
  world_->tell_agent(x.by, session_taken{state_.id, "moved on"});
  world_->tell_agent(x.by, offer_over{state_.id, 0, "over"});
}

void session_actor::told(const customer_came& x) {
  if (evicted_ || state_.last_seq == 0) {
    if (x.reply)
      x.reply(evicted_ ? result<receipt>{fail(errc::moved, "try again")}
                       : result<receipt>{receipt{}});
    return;
  }
  if (x.reply)
    x.reply(receipt{state_.id, state_.last_seq, false});
  world_->visits->show(state_.who, standing());
  if (session::waits(state_) && state_.place_told > 0)
    world_->visits->show(state_.who, visit::place{state_.id, state_.place_told,
                                                  duration{}, duration{}});
}

void session_actor::told(const settle_asked&) {
  settle_asked_ = true;
  say_settled();
}

void session_actor::say_settled() {
  if (!settle_asked_ || evicted_ || flight_ || (!inbox_.empty() && !ended_))
    return;
  settle_asked_ = false;
  rt::post(world_->slot[slot_], slot_told{session_settled{state_.id, epoch_}});
}

/// The write under way, if any, decides by itself: it is committed, and then
/// what follows from it is true, or it is fenced.
void session_actor::told(const evicted&) {
  evicted_ = true;
  for (const auto& x : std::exchange(inbox_, {}))
    answer(x, fail(errc::moved, "another node owns this session now; try "
                                "again"));
  end();
}

// -- one write after the other ------------------------------------------------

void session_actor::take_up() {
  while (!flight_ && !inbox_.empty() && !ended_) {
    flight_ = std::make_unique<flight>(plan());
    const auto durable = std::any_of(
      flight_->jobs.begin(), flight_->jobs.end(), [](const planned& x) {
        return std::any_of(x.effects.begin(), x.effects.end(), is_durable);
      });
    if (durable)
      submit();
    else
      finish();
  }
}

/// A queue outside of its hours would let the customer wait in vain until the
/// transfer has timed out.
std::string session_actor::closed_now(const session::transfer_target& target,
                                      time_point at) const {
  if (!target.queue)
    return {};
  const auto& hours = known_->rules_of(*target.queue).waiting.hours;
  if (hours.is_open(at))
    return {};
  const auto opens = hours.next_change(at);
  return "the queue " + target.queue->text + " is closed"
         + (opens ? " until " + rfc3339(*opens) : std::string{})
         + "; name an open queue, or an agent";
}

session_actor::flight session_actor::plan() {
  flight f{state_, {}, {}, std::chrono::steady_clock::now()};
  const auto at = now();
  auto taken = std::exchange(inbox_, {});
  if (alone_ > 0) {
    --alone_;
    inbox_.assign(std::make_move_iterator(taken.begin() + 1),
                  std::make_move_iterator(taken.end()));
    taken.resize(1);
  }
  for (auto& x : taken) {
    // What comes after the end belongs to the contact's next session.
    if (std::holds_alternative<session::closed>(f.next.at)
        && said_by_customer(x)) {
      inbox_.push_back(std::move(x));
      continue;
    }
    const auto earlier =
      std::find_if(f.jobs.begin(), f.jobs.end(),
                   [&](const planned& p) { return same_message(p.what, x); });
    if (earlier != f.jobs.end()) {
      const auto index = static_cast<std::size_t>(earlier - f.jobs.begin());
      f.jobs.push_back({std::move(x), {}, index});
      continue;
    }
    if (auto* moving = std::get_if<session::transfer_asked>(&x.what))
      moving->against = closed_now(moving->target, at);
    auto effects =
      session::apply(f.next, x.what, known_->rules_of(f.next.want.queue), at);
    f.jobs.push_back({std::move(x), std::move(effects), {}});
  }
  return f;
}

void session_actor::submit() {
  std::vector<session::effects> todo;
  todo.reserve(flight_->jobs.size());
  for (const auto& x : flight_->jobs)
    todo.push_back(x.effects);
  auto write = rows_of(state_, flight_->next, todo);
  write.slot = slot_;
  write.epoch = epoch_;
  flight_->out = write.out;
  world_->log->submit(std::move(write), [me = handle{self_}](const outcome& x) {
    rt::post(me, session_told{x});
  });
}

void session_actor::finish() {
  auto done = std::move(*flight_);
  flight_.reset();
  const auto waited = session::waits(state_);
  const auto before = std::exchange(state_, std::move(done.next));
  ties_->note(state_);
  if (waited != session::waits(state_))
    world_->counted->waiting += waited ? -1 : 1;
  world_->counted->commit.add(
    std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - done.since));
  if (state_.last_seq > 0)
    stored_ = true;
  for (auto& row : done.out)
    world_->sender->send(std::move(row));
  recognise(done);
  for (const auto& x : done.jobs) {
    if (const auto* said = said_by_customer(x.what))
      last_line_ = prefix(said->what.content, 200);
    for (const auto& effect : x.effects)
      std::visit([&](const auto& e) { perform(x, e); }, effect);
  }
  show_change(before);
  show_customer(before, done);
  for (const auto& x : done.jobs) {
    if (!x.repeats)
      continue;
    const auto& first = done.jobs[*x.repeats];
    if (body_of(first.what) != body_of(x.what)) {
      answer(x.what, another_body(id_of(x.what)));
      continue;
    }
    for (const auto& effect : first.effects)
      if (const auto* told = std::get_if<session::answer>(&effect)) {
        auto again = told->what;
        if (again)
          again->duplicate = true;
        answer(x.what, again);
      }
  }
  if (!stored_ || std::holds_alternative<session::closed>(state_.at))
    end();
}

/// Some messages were stored before. Nothing of the write happened: their
/// senders are told where they are, and the rest is done again without them.
void session_actor::without_known(const std::vector<known_message>& known) {
  auto undone = std::move(*flight_);
  flight_.reset();
  std::vector<job> again;
  for (auto& x : undone.jobs) {
    const auto id = id_of(x.what);
    const auto hit =
      std::find_if(known.begin(), known.end(), [&](const known_message& k) {
        return !id.empty() && k.id == id;
      });
    if (hit == known.end()) {
      again.push_back(std::move(x.what));
      continue;
    }
    ++world_->counted->duplicates;
    const auto first =
      std::find_if(undone.jobs.begin(), undone.jobs.end(),
                   [&](const planned& p) { return id_of(p.what) == id; });
    const auto same = hit->same_body && body_of(first->what) == body_of(x.what);
    answer(x.what, same ? result<receipt>{hit->where}
                        : result<receipt>{another_body(id)});
  }
  for (auto& x : inbox_)
    again.push_back(std::move(x));
  inbox_ = std::move(again);
  if (!stored_ && inbox_.empty())
    end();
}

/// The database knows of more load than the agent's actor did.
void session_actor::without_grants() {
  ++world_->counted->over_commits;
  auto undone = std::move(*flight_);
  flight_.reset();
  std::vector<job> again;
  bool taken_out = false;
  for (auto& x : undone.jobs) {
    if (const auto* grant = std::get_if<session::granted>(&x.what.what)) {
      taken_out = true;
      perform(x, session::end_offer{grant->agent, 0, "full"});
      continue;
    }
    again.push_back(std::move(x.what));
  }
  if (!taken_out) {
    // An acceptance or a transfer asked for room that is not there.
    for (auto& x : again)
      answer(x, fail(errc::full, "the agent has no room left"));
    again.clear();
  }
  for (auto& x : inbox_)
    again.push_back(std::move(x));
  inbox_ = std::move(again);
  if (session::waits(state_))
    ask_router();
}

/// The database cannot keep something in the write. Each job is tried alone, so
/// that only the one at fault is lost.
void session_actor::without_refused() {
  auto undone = std::move(*flight_);
  flight_.reset();
  if (undone.jobs.size() > 1) {
    alone_ = undone.jobs.size();
    std::vector<job> again;
    for (auto& x : undone.jobs)
      again.push_back(std::move(x.what));
    for (auto& x : inbox_)
      again.push_back(std::move(x));
    inbox_ = std::move(again);
    return;
  }
  for (const auto& x : undone.jobs) {
    if (const auto* grant = std::get_if<session::granted>(&x.what.what))
      perform(x, session::end_offer{grant->agent, 0, "refused"});
    answer(x.what, fail(errc::malformed,
                        "the database cannot keep this content; send plain "
                        "UTF-8 text without NUL characters"));
  }
  if (!stored_ && inbox_.empty())
    end();
}

void session_actor::give_up(errc code, const char* why) {
  if (flight_)
    for (const auto& x : flight_->jobs)
      answer(x.what, fail(code, why));
  flight_.reset();
  for (const auto& x : inbox_)
    answer(x, fail(code, why));
  inbox_.clear();
  end();
}

void session_actor::end() {
  if (std::exchange(ended_, true))
    return;
  --world_->counted->sessions;
  if (session::waits(state_))
    --world_->counted->waiting;
  // What is in the inbox, and what comes before the slot says farewell, is
  // given back then; after that nobody knows us, and the last reference ends
  // us.
  if (!evicted_)
    rt::post(world_->slot[slot_],
             slot_told{session_over{state_.id, state_.who, epoch_}});
}

} // namespace switchboard
