// What waiting changes: the hold for the agent who knows the customer, and the
// relaxation of what a session asks for.
#include "actors/domain/router_impl.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::router {

// -- the hold -----------------------------------------------------------------

/// @returns until when the session waits for the agent who served it last;
///          not later than now: it does not
time_point matcher::impl::hold_until(const session_waiting& s) const {
  const auto& p = policy_of(s);
  if (p.hold_time == duration{0} || !s.previous || s.only)
    return {};
  const auto found = seats.find(*s.previous);
  if (found == seats.end() || !admits(s, found->second))
    return {};
  const auto& a = found->second;
  if (!scoring::suited(p, s, a.what) || s.load > a.what.who.capacity)
    return {};
  if (agents.room(a.place) >= s.load)
    return {}; // There is no need to wait.
  // As they will be when one place is free.
  auto later = a.what;
  later.load = later.who.capacity - s.load;
  const auto others = rank(s, now);
  const auto won = scoring::rate(p, s, later, now).match
                   - (others.best.empty() ? 0 : others.best.front().as.match);
  if (won <= 0)
    return {};
  const auto& service = p.service_of(s.want.urgency);
  const auto worth = p.hold_patience * won / scoring::one;
  const auto cost_reached = duration{
    worth * service.target.count() / std::max<std::int64_t>(service.weight, 1)};
  return s.since + std::min(p.hold_time, cost_reached);
}

// -- relaxation ---------------------------------------------------------------

/// @returns what would do by now besides what is asked for, once for each queue
/// @param next is when more will do; not after `since`: never
std::vector<session_waiting> matcher::impl::relax(const session_waiting& s,
                                                  time_point& next) const {
  using step = policy::relaxation::step;
  next = {};
  if (s.only)
    return {};
  auto less = s;
  less.home = s.want.queue;
  std::vector<queue_id> queues{s.want.queue};
  for (const auto& x : policy_of(s).relaxations) {
    if (x.only && *x.only != s.want.queue)
      continue;
    if (const auto at = s.since + x.expires_after; at > now) {
      next = next == time_point{} ? at : std::min(next, at);
      continue;
    }
    ++less.relaxed;
    switch (x.what) {
      case step::lower_skills: ++less.lowered; break;
      case step::drop_skills: less.lowered = scoring::level_max; break;
      case step::drop_language: less.translated = true; break;
      case step::open_queue: queues.push_back(x.queue); break;
    }
  }
  std::vector<session_waiting> all;
  for (const auto& queue : queues) {
    less.want.queue = queue;
    const auto same = queue == s.want.queue && less.lowered == s.lowered
                      && less.translated == s.translated;
    if (!same)
      all.push_back(less);
  }
  return all;
}

/// After everything else: whoever has waited long enough may go to an agent who
/// suits them less, where nobody is harmed by it.
bool matcher::impl::place_relaxed() {
  for (auto& [home, those] : relaxed) {
    const auto& p = arms[0];
    if (agents.occupancy(home) < p.occupancy_max && place_relaxed_of(those))
      return true; // The indexes have changed: look again.
  }
  return false;
}

bool matcher::impl::place_relaxed_of(waiting_index& those) {
  std::vector<const session_waiting*> firsts;
  those.each_demand({}, agents, [&](const demand& d) {
    for (const auto& x : d.lanes)
      for (const auto* s : x.members) {
        firsts.push_back(s);
        // Those behind an unhindered one have no chance that it has not.
        if (s->excluded.empty() && s->asked.empty() && !s->not_from)
          break;
      }
  });
  std::sort(firsts.begin(), firsts.end(), [&](const auto* x, const auto* y) {
    const auto ux = scoring::urgency(policy_of(*x), *x, now);
    const auto uy = scoring::urgency(policy_of(*y), *y, now);
    return std::tuple{-ux, place_of(*x), x->want.queue}
           < std::tuple{-uy, place_of(*y), y->want.queue};
  });
  return std::any_of(firsts.begin(), firsts.end(),
                     [&](const auto* s) { return place_relaxed(*s); });
}

bool matcher::impl::place_relaxed(const session_waiting& s) {
  auto r = rank(s, now);
  const auto reserve = policy_of(s).reserve;
  std::erase_if(r.best, [&](const auto& x) {
    return agents.room(x.who->place) < s.load + reserve || is_wanted(*x.who);
  });
  r.eligible = r.best.size();
  if (r.best.empty())
    return false;
  auto& best = *r.best.front().who;
  const auto copy = s; // `propose_to` takes the session out of the indexes.
  propose_to(copy, best, r, false);
  return true;
}

} // namespace switchboard::router
