#include "actors/domain/router.hpp"

#include "actors/domain/mutant.hpp"
#include "actors/domain/router_impl.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::router {

#ifdef SWITCHBOARD_MUTANTS
mutant planted = mutant::none;
#endif

matcher::impl::impl(policy_choice c)
  : arms{c.acting, c.canary.value_or(c.acting), c.acting},
    canary_percent(c.canary ? c.canary_percent : 0) {}

// -- events -------------------------------------------------------------------

effects matcher::impl::run(const event& what, time_point at) {
  now = at;
  todo.clear();
  trigger = "time";
  pass_time();
  settle();
  std::visit(
    [this](const auto& e) {
      trigger = e.name;
      happen(e);
    },
    what);
  settle();
  guard_canary();
  return std::exchange(todo, {});
}

void matcher::impl::guard_canary() {
  if (canary_percent == 0)
    return;
  auto reason = watch.broken();
  if (reason.empty())
    return;
  todo.emplace_back(canary_ended{std::move(reason)});
  happen(policy_changed{{.acting = arms[0]}});
  settle();
}

void matcher::impl::happen(const session_waiting& e) {
  if (!e.excluded.empty() && e.excluded_until > now)
    watch.repeated(arm_of(e.session));
  end_flight(e.session);
  leave_line(e.session);
  join_line({.what = e});
}

void matcher::impl::happen(const session_left& e) {
  if (line.contains(e.session))
    watch.given_up(arm_of(e.session));
  end_flight(e.session);
  leave_line(e.session);
}

void matcher::impl::happen(const agent_changed& e) {
  auto& x = seat_of(e.what.id);
  const auto before = std::exchange(x.what, e.what);
  if (before.who != e.what.who)
    agents.set_profile(x.place, e.what.who);
  stop_waiting_for(e.what.id, x);
  confirm_flights(x);
  count_load(x);
  if (!has_bug(mutant::forget_freed_agent))
    agents_to_try.insert(e.what.id);
  if (before.who == e.what.who && before.routable == e.what.routable)
    return;
  try_hindered();
  end_holds_for(e.what.id);
}

seat& matcher::impl::seat_of(const agent_id& id) {
  const auto [found, fresh] = seats.try_emplace(id);
  auto& x = found->second;
  if (fresh) {
    x.place = agents.add();
    by_place.resize(std::max(by_place.size(), x.place + 1));
    by_place[x.place] = &x;
  }
  return x;
}

void matcher::impl::happen(const agent_left& e) {
  const auto found = seats.find(e.agent);
  if (found == seats.end())
    return;
  stop_waiting_for(e.agent, found->second);
  const auto lost = found->second.flights;
  for (const auto s : lost)
    return_to_line(s);
  agents.remove(found->second.place);
  by_place[found->second.place] = nullptr;
  seats.erase(found);
  try_hindered();
  end_holds_for(e.agent);
}

void matcher::impl::happen(const refused& e) {
  const auto found = flights.find(e.session);
  if (found == flights.end() || found->second.agent != e.agent)
    return; // Crossed another event that has settled it already.
  if (has_bug(mutant::drop_refused))
    end_flight(e.session);
  else
    return_to_line(e.session);
  auto& x = seats.at(e.agent);
  stop_waiting_for(e.agent, x);
  x.aside = true;
  index(x);
  x.aside_until = now + arms[0].refusal_pause;
  calendar.insert({x.aside_until, due::refusal, {}, e.agent});
}

void matcher::impl::happen(const picked& e) {
  const auto s = line.find(e.session);
  const auto a = seats.find(e.agent);
  if (s == line.end() || a == seats.end()) {
    todo.emplace_back(
      turn_down{e.agent, e.session, "the session does not wait (any more)"});
    return;
  }
  // Whoever could be asked has been asked already. So a pick is for those who
  // are not asked (busy, or excluded as they had declined): who asks, wants.
  auto willing = a->second.what;
  willing.routable = true;
  const auto& what = s->second.what;
  if (scoring::eligible(policy_of(what), what, willing)) {
    propose_to(what, a->second, rank(what, now), true);
    return;
  }
  const auto against = scoring::verdicts(policy_of(what), what, willing, {});
  todo.emplace_back(
    turn_down{e.agent, e.session, against.empty() ? "" : against.front()});
}

void matcher::impl::happen(const swept&) {
  std::set<place_in_line> all;
  for (const auto& [id, s] : line)
    all.insert(place_of(s.what));
  for (const auto& x : all) {
    if (place(x.second))
      todo.insert(std::prev(todo.end()), lost_wakeup{x.second});
  }
}

void matcher::impl::happen(const policy_changed& e) {
  arms = {e.what.acting, e.what.canary.value_or(e.what.acting), arms[2]};
  canary_percent = e.what.canary ? e.what.canary_percent : 0;
  watch = {};
  agents.forget_policies();
  for (const auto& [id, x] : seats)
    index(x);
  // Everybody keeps their place; only what is asked of agents is made anew.
  std::vector<session_id> all;
  for (const auto& [id, w] : line)
    all.push_back(id);
  for (const auto id : all)
    join_line(std::move(*leave_line(id)));
  for (const auto& [id, x] : seats)
    agents_to_try.insert(id);
}

// -- time ---------------------------------------------------------------------

void matcher::impl::pass_time() {
  while (!calendar.empty() && std::get<0>(*calendar.begin()) <= now) {
    const auto [at, what, session, agent] = *calendar.begin();
    calendar.erase(calendar.begin());
    switch (what) {
      case due::refusal:
        seats.at(agent).aside = false;
        index(seats.at(agent));
        if (!has_bug(mutant::forget_refusal_end))
          agents_to_try.insert(agent);
        break;
      case due::proposal:
        if (!has_bug(mutant::forget_lost_proposal))
          return_to_line(session);
        break;
      case due::exclusion: lapse_exclusions(session); break;
      case due::hold: end_hold(session); break;
      case due::relaxation: join_line(std::move(*leave_line(session))); break;
    }
  }
}

void matcher::impl::lapse_exclusions(session_id id) {
  auto w = std::move(*leave_line(id));
  const auto place = place_of(w.what);
  join_line(std::move(w)); // There they lapse.
  if (has_bug(mutant::forget_exclusion_end))
    sessions_to_try.erase(place);
}

void matcher::impl::end_hold(session_id id) {
  auto w = std::move(*leave_line(id));
  w.hold_over = true;
  join_line(std::move(w));
}

/// The agent for whom they wait has gone, or is another now.
void matcher::impl::end_holds_for(const agent_id& a) {
  const auto* all = wishes.meant_for(a);
  if (all == nullptr)
    return;
  std::vector<session_id> held;
  for (const auto* s : *all)
    if (line.at(s->session).held)
      held.push_back(s->session);
  const auto found = seats.find(a);
  for (const auto id : held) {
    const auto& s = line.at(id).what;
    if (found == seats.end()
        || !scoring::suited(policy_of(s), s, found->second.what))
      end_hold(id);
  }
}

// -- the line -----------------------------------------------------------------

/// The oldest exclusion lapses at `excluded_until`, the others (of which the
/// router is not told) when the last of them must have.
void matcher::impl::drop_lapsed(waiter& w) const {
  auto& s = w.what;
  if (s.excluded.empty())
    return;
  if (w.forgotten_at == time_point{})
    w.forgotten_at =
      std::max(s.excluded_until, now + policy_of(s).exclusion_time);
  if (s.excluded_until == time_point{})
    s.excluded_until = w.forgotten_at;
  if (now < s.excluded_until)
    return;
  if (now >= w.forgotten_at)
    s.excluded.clear();
  else
    s.excluded.erase(s.excluded.begin());
  s.excluded_until = w.forgotten_at;
}

void matcher::impl::join_line(waiter s) {
  const auto id = s.what.session;
  s.what.arm = arm_of(id);
  drop_lapsed(s);
  if (!s.what.excluded.empty()) {
    calendar.insert({s.what.excluded_until, due::exclusion, id, {}});
    hindered.insert(place_of(s.what));
  }
  sessions_to_try.insert(place_of(s.what));
  enter_indexes(line.insert_or_assign(id, std::move(s)).first->second);
}

void matcher::impl::enter_indexes(waiter& w) {
  const auto id = w.what.session;
  agents.watch_load(w.what.load);
  w.held_until = w.hold_over ? time_point{} : hold_until(w.what);
  w.held = w.held_until > now;
  if (w.held) {
    wishes.add_held(w.what);
    calendar.insert({w.held_until, due::hold, id, {}});
    return;
  }
  wishes.add(w.what);
  w.relaxed = relax(w.what, w.relaxes_at);
  if (w.relaxes_at > w.what.since)
    calendar.insert({w.relaxes_at, due::relaxation, id, {}});
  for (const auto& s : w.relaxed)
    relaxed[w.what.want.queue].add(s);
}

/// @returns whoever left; nothing if the session does not wait
std::optional<waiter> matcher::impl::leave_line(session_id id) {
  const auto found = line.find(id);
  if (found == line.end())
    return std::nullopt;
  auto& w = found->second;
  calendar.erase({w.what.excluded_until, due::exclusion, id, {}});
  hindered.erase(place_of(w.what));
  sessions_to_try.erase(place_of(w.what));
  if (w.held) {
    wishes.remove_held(w.what);
    calendar.erase({w.held_until, due::hold, id, {}});
  } else {
    wishes.remove(w.what);
    calendar.erase({w.relaxes_at, due::relaxation, id, {}});
  }
  if (!w.relaxed.empty()) {
    const auto those = relaxed.find(w.what.want.queue);
    for (const auto& s : w.relaxed)
      those->second.remove(s);
    if (those->second.empty())
      relaxed.erase(those);
    w.relaxed.clear();
  }
  w.held = false;
  auto out = std::move(w);
  line.erase(found);
  return out;
}

void matcher::impl::try_hindered() {
  if (!has_bug(mutant::forget_lapse))
    sessions_to_try.insert(hindered.begin(), hindered.end());
}

/// A session keeps its arm as long as the percentage stays.
std::uint8_t matcher::impl::arm_of(session_id id) const {
  const auto dice = scoring::tie_hash(id, "canary", 0) % 100;
  return dice < static_cast<std::uint64_t>(canary_percent) ? 1 : 0;
}

// -- proposals on their way ---------------------------------------------------

/// Forgets the proposal of this session, if any, and its load.
void matcher::impl::end_flight(session_id id) {
  const auto found = flights.find(id);
  if (found == flights.end())
    return;
  const auto& x = found->second;
  calendar.erase({x.until, due::proposal, id, {}});
  auto& a = seats.at(x.agent);
  std::erase(a.flights, id);
  if (!has_bug(mutant::forget_left_session))
    agents_to_try.insert(x.agent);
  flights.erase(found);
  count_load(a);
}

void matcher::impl::return_to_line(session_id id) {
  auto s = std::move(flights.at(id).who);
  end_flight(id);
  if (has_bug(mutant::new_place_in_line))
    s.what.since = now;
  const auto place = place_of(s.what);
  join_line(std::move(s));
  if (has_bug(mutant::forget_returned))
    sessions_to_try.erase(place);
}

/// The agent's report names every session that takes a place there: of those
/// the reported load tells already.
void matcher::impl::confirm_flights(seat& x) {
  x.reported = x.what.load;
  const auto asked = x.flights;
  const auto& granted = x.what.sessions;
  for (const auto s : asked)
    if (std::find(granted.begin(), granted.end(), s) != granted.end()
        || has_bug(mutant::confirm_too_early))
      end_flight(s);
}

void matcher::impl::count_load(seat& x) {
  x.what.load = x.reported;
  if (!has_bug(mutant::forget_flights))
    for (const auto s : x.flights)
      x.what.load += flights.at(s).who.what.load;
  index(x);
}

void matcher::impl::stop_waiting_for(const agent_id& id, seat& x) {
  if (!x.aside)
    return;
  calendar.erase({x.aside_until, due::refusal, {}, id});
  x.aside = false;
  index(x);
}

// -- the face -----------------------------------------------------------------

matcher::matcher(policy p)
  : impl_(std::make_unique<impl>(policy_choice{.acting = std::move(p)})) {}
matcher::matcher(policy_choice c)
  : impl_(std::make_unique<impl>(std::move(c))) {}
matcher::~matcher() = default;
matcher::matcher(matcher&&) noexcept = default;
matcher& matcher::operator=(matcher&&) noexcept = default;

void matcher::set_shadow(policy p) {
  impl_->arms[2] = std::move(p);
  impl_->shadowed = true;
  impl_->agents.forget_policies();
  for (const auto& [id, x] : impl_->seats)
    impl_->index(x);
}

effects matcher::apply(const event& what, time_point now) {
  return impl_->run(what, now);
}

std::optional<decision> matcher::consider(session_id session,
                                          time_point now) const {
  const auto found = impl_->line.find(session);
  if (found == impl_->line.end())
    return std::nullopt;
  const auto& s = found->second.what;
  return impl_->deliberate(s, impl_->rank(s, now), nullptr, "considered", now);
}

std::vector<place> matcher::places(time_point now) const {
  struct waiting {
    scoring::score urgency;
    const session_waiting* what;
  };
  std::map<queue_id, std::vector<waiting>> queues;
  for (const auto& [id, w] : impl_->line)
    if (!w.what.not_from) // Who is in transfer has somebody to talk with.
      queues[w.what.want.queue].push_back(
        {scoring::urgency(impl_->policy_of(w.what), w.what, now), &w.what});
  std::vector<place> out;
  for (auto& [queue, all] : queues) {
    std::sort(all.begin(), all.end(), [](const auto& x, const auto& y) {
      return x.urgency != y.urgency ? x.urgency > y.urgency
                                    : place_of(*x.what) < place_of(*y.what);
    });
    auto first = now;
    for (const auto& x : all)
      first = std::min(first, x.what->since);
    for (std::size_t i = 0; i < all.size(); ++i)
      out.push_back({all[i].what->session, static_cast<std::int32_t>(i + 1),
                     static_cast<std::int32_t>(all.size()), now - first});
  }
  return out;
}

std::vector<line> matcher::lines() const {
  std::map<queue_id, line> out;
  for (const auto& [id, s] : impl_->line) {
    auto& x = out[s.what.want.queue];
    x.oldest = x.waiting == 0 ? s.what.since : std::min(x.oldest, s.what.since);
    ++x.waiting;
    x.queue = s.what.want.queue;
  }
  std::vector<line> all;
  for (auto& [queue, x] : out)
    all.push_back(std::move(x));
  return all;
}

std::size_t matcher::waiting() const {
  return impl_->line.size();
}

} // namespace switchboard::router
