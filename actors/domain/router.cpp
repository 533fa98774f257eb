#include "actors/domain/router.hpp"

#include "actors/domain/deliberation.hpp"
#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace switchboard::router {

namespace {

/// A session in the line.
struct waiter {
  session_waiting what;
  time_point forgotten_at{}; ///< When the last of its exclusions has lapsed.
};

/// A session proposed to an agent who has not answered yet. Its load counts
/// until the agent's own report shows it.
struct flight {
  waiter who;
  agent_id agent;
  time_point until{};
};

/// An agent as the router sees them.
struct seat {
  agent::availability what;      ///< `load` includes the flights.
  std::int32_t reported = 0;     ///< The load that the agent last reported.
  time_point aside_until{};      ///< Set aside after a refusal.
  bool aside = false;
  std::vector<session_id> flights{}; ///< In the order of proposing.
};

/// The order of sessions that nothing else tells apart: who waits longer, then
/// the older number.
using place_in_line = std::pair<time_point, session_id>;

place_in_line place_of(const session_waiting& s) {
  return {s.since, s.session};
}

enum class due : std::uint8_t { exclusion, refusal, proposal };

} // namespace

struct matcher::impl {
  explicit impl(policy the_policy) : p(std::move(the_policy)) {}

  policy p;
  std::map<agent_id, seat> seats;
  std::map<session_id, waiter> line;
  std::map<session_id, flight> flights;
  std::set<place_in_line> hindered; ///< Waiting sessions with exclusions.
  std::set<std::tuple<time_point, due, session_id, agent_id>> calendar;

  // What an event has touched and what has to be tried again for that.
  std::set<place_in_line> sessions_to_try;
  std::set<agent_id> agents_to_try;

  time_point now{};
  std::string_view trigger;
  effects todo;

  // -- events -----------------------------------------------------------------

  effects run(const event& what, time_point at) {
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
    return std::exchange(todo, {});
  }

  void happen(const session_waiting& e) {
    end_flight(e.session);
    leave_line(e.session);
    join_line({e, {}});
  }

  void happen(const session_left& e) {
    end_flight(e.session);
    leave_line(e.session);
  }

  void happen(const agent_changed& e) {
    auto& x = seats[e.what.id];
    const auto before = std::exchange(x.what, e.what);
    stop_waiting_for(e.what.id, x);
    confirm_flights(x);
    count_load(x);
    agents_to_try.insert(e.what.id);
    if (before.who != e.what.who || before.routable != e.what.routable)
      try_hindered();
  }

  void happen(const agent_left& e) {
    const auto found = seats.find(e.agent);
    if (found == seats.end())
      return;
    stop_waiting_for(e.agent, found->second);
    const auto lost = found->second.flights;
    for (const auto s : lost)
      return_to_line(s);
    seats.erase(e.agent);
    try_hindered();
  }

  void happen(const refused& e) {
    const auto found = flights.find(e.session);
    if (found == flights.end() || found->second.agent != e.agent)
      return; // Crossed another event that has settled it already.
    return_to_line(e.session);
    auto& x = seats.at(e.agent);
    stop_waiting_for(e.agent, x);
    x.aside = true;
    x.aside_until = now + p.refusal_pause;
    calendar.insert({x.aside_until, due::refusal, {}, e.agent});
  }

  void happen(const picked& e) {
    const auto s = line.find(e.session);
    const auto a = seats.find(e.agent);
    if (s == line.end() || a == seats.end())
      return;
    // Whoever could be asked has been asked already. So a pick is for those who
    // are not asked (busy, or excluded as they had declined): who asks, wants.
    auto willing = a->second.what;
    willing.routable = true;
    if (scoring::eligible(p, s->second.what, willing))
      propose_to(s->second.what, a->second, true);
  }

  void happen(const swept&) {
    std::set<place_in_line> all;
    for (const auto& [id, s] : line)
      all.insert(place_of(s.what));
    for (const auto& x : all) {
      if (place(x.second))
        todo.insert(std::prev(todo.end()), lost_wakeup{x.second});
    }
  }

  // -- time -------------------------------------------------------------------

  void pass_time() {
    while (!calendar.empty() && std::get<0>(*calendar.begin()) <= now) {
      const auto [at, what, session, agent] = *calendar.begin();
      calendar.erase(calendar.begin());
      if (what == due::refusal) {
        seats.at(agent).aside = false;
        agents_to_try.insert(agent);
      } else if (what == due::proposal) {
        return_to_line(session);
      } else {
        lapse_exclusions(session);
      }
    }
  }

  /// The oldest exclusion lapses at `excluded_until`, the others (of which the
  /// router is not told) when the last of them must have.
  void lapse_exclusions(session_id id) {
    auto s = std::move(line.at(id));
    leave_line(id);
    auto& excluded = s.what.excluded;
    if (now >= s.forgotten_at)
      excluded.clear();
    else
      excluded.erase(excluded.begin());
    s.what.excluded_until = s.forgotten_at;
    join_line(std::move(s));
  }

  // -- the line ---------------------------------------------------------------

  void join_line(waiter s) {
    const auto id = s.what.session;
    if (!s.what.excluded.empty()) {
      // Lapsed ones leave through the calendar, before the next matching.
      if (s.forgotten_at == time_point{})
        s.forgotten_at
          = std::max(s.what.excluded_until, now + p.exclusion_time);
      if (s.what.excluded_until == time_point{})
        s.what.excluded_until = s.forgotten_at;
      calendar.insert({s.what.excluded_until, due::exclusion, id, {}});
      hindered.insert(place_of(s.what));
    }
    sessions_to_try.insert(place_of(s.what));
    line.insert_or_assign(id, std::move(s));
  }

  void leave_line(session_id id) {
    const auto found = line.find(id);
    if (found == line.end())
      return;
    const auto& what = found->second.what;
    calendar.erase({what.excluded_until, due::exclusion, id, {}});
    hindered.erase(place_of(what));
    sessions_to_try.erase(place_of(what));
    line.erase(found);
  }

  void try_hindered() {
    sessions_to_try.insert(hindered.begin(), hindered.end());
  }

  // -- proposals on their way -------------------------------------------------

  /// Forgets the proposal of this session, if any, and its load.
  void end_flight(session_id id) {
    const auto found = flights.find(id);
    if (found == flights.end())
      return;
    const auto& x = found->second;
    calendar.erase({x.until, due::proposal, id, {}});
    auto& a = seats.at(x.agent);
    std::erase(a.flights, id);
    agents_to_try.insert(x.agent);
    flights.erase(found);
    count_load(a);
  }

  void return_to_line(session_id id) {
    auto s = std::move(flights.at(id).who);
    end_flight(id);
    join_line(std::move(s));
  }

  /// The agent's report shows the grants made so far: sessions by name once
  /// they are assigned, and before that by a load that has grown.
  void confirm_flights(seat& x) {
    auto grown = x.what.load - x.reported;
    x.reported = x.what.load;
    for (const auto s : x.what.sessions)
      if (std::find(x.flights.begin(), x.flights.end(), s) != x.flights.end()) {
        grown -= flights.at(s).who.what.load;
        end_flight(s);
      }
    while (!x.flights.empty()) {
      const auto id = x.flights.front();
      const auto load = flights.at(id).who.what.load;
      if (load > grown)
        break;
      grown -= load;
      end_flight(id);
    }
  }

  void count_load(seat& x) {
    x.what.load = x.reported;
    for (const auto s : x.flights)
      x.what.load += flights.at(s).who.what.load;
  }

  void stop_waiting_for(const agent_id& id, seat& x) {
    if (!x.aside)
      return;
    calendar.erase({x.aside_until, due::refusal, {}, id});
    x.aside = false;
  }

  // -- matching ---------------------------------------------------------------

  void settle() {
    while (!sessions_to_try.empty()) {
      const auto id = sessions_to_try.begin()->second;
      sessions_to_try.erase(sessions_to_try.begin());
      place(id);
    }
    while (!agents_to_try.empty()) {
      const auto id = *agents_to_try.begin();
      agents_to_try.erase(agents_to_try.begin());
      if (const auto found = seats.find(id); found != seats.end())
        fill(found->second);
    }
  }

  /// One session, many agents: the best match.
  bool place(session_id id) {
    const auto found = line.find(id);
    if (found == line.end())
      return false;
    const auto& s = found->second.what;
    auto* best = everyone_excluded(s) ? oldest_excluded(s) : best_agent(s);
    if (best == nullptr)
      return false;
    propose_to(s, *best, false);
    return true;
  }

  /// One agent, many sessions: the most pressing, until the agent is full.
  void fill(seat& a) {
    while (const auto* s = best_session(a))
      propose_to(*s, a, false);
  }

  seat* best_agent(const session_waiting& s) {
    seat* best = nullptr;
    scoring::contender of_best;
    for (auto& [id, a] : seats) {
      if (a.aside || is_excluded(s, id) || !scoring::eligible(p, s, a.what))
        continue;
      const scoring::contender x{&a.what,
                                 scoring::rate(p, s, a.what, now).match};
      if (best == nullptr
          || scoring::compare(x, of_best, s.session, p.version)
               .first_is_better) {
        best = &a;
        of_best = x;
      }
    }
    return best;
  }

  seat* oldest_excluded(const session_waiting& s) {
    for (const auto& id : s.excluded) {
      const auto found = seats.find(id);
      if (found != seats.end() && !found->second.aside
          && scoring::eligible(p, s, found->second.what))
        return &found->second;
    }
    return nullptr;
  }

  const session_waiting* best_session(const seat& a) {
    const session_waiting* best = nullptr;
    scoring::score of_best = 0;
    for (const auto& [id, w] : line) {
      const auto& s = w.what;
      if (!scoring::eligible(p, s, a.what, obstacles_of(s, a)))
        continue;
      const auto b
        = scoring::priority(scoring::urgency(p, s.want.urgency, now - s.since),
                            scoring::rate(p, s, a.what, now).match);
      if (best == nullptr || b > of_best
          || (b == of_best && place_of(s) < place_of(*best))) {
        best = &s;
        of_best = b;
      }
    }
    return best;
  }

  // -- exclusions -------------------------------------------------------------

  static bool is_excluded(const session_waiting& s, const agent_id& a) {
    return std::find(s.excluded.begin(), s.excluded.end(), a)
           != s.excluded.end();
  }

  /// True when no agent is left who could serve the session once they had
  /// room: then exclusions do not count, or nobody would ever come.
  bool everyone_excluded(const session_waiting& s) const {
    if (s.excluded.empty())
      return false;
    return std::none_of(seats.begin(), seats.end(), [&](const auto& x) {
      return !is_excluded(s, x.first) && scoring::suited(p, s, x.second.what);
    });
  }

  scoring::obstacles obstacles_of(const session_waiting& s,
                                  const seat& a) const {
    return {is_excluded(s, a.what.id) && !everyone_excluded(s), a.aside};
  }

  // -- deciding ---------------------------------------------------------------

  void propose_to(const session_waiting& s, seat& a, bool pick) {
    auto why = std::make_shared<const decision>(deliberate(s, &a));
    const auto id = s.session;
    todo.emplace_back(propose{a.what.id, id, s.load, pick, std::move(why)});
    auto w = line.at(id);
    leave_line(id);
    const auto until = now + p.proposal_time;
    calendar.insert({until, due::proposal, id, {}});
    flights.insert_or_assign(id, flight{std::move(w), a.what.id, until});
    a.flights.push_back(id);
    count_load(a);
  }

  decision deliberate(const session_waiting& s, const seat* chosen) const {
    return deliberate(s, chosen, trigger, now);
  }

  decision deliberate(const session_waiting& s, const seat* chosen,
                      std::string_view why, time_point at) const {
    deliberation x(p, s, at);
    const auto lapsed = everyone_excluded(s);
    for (const auto& [id, a] : seats)
      x.add(a.what, {is_excluded(s, id) && !lapsed, a.aside});
    return std::move(x).conclude(
      {why, line.size(), chosen ? &chosen->what : nullptr, lapsed});
  }
};

matcher::matcher(policy p) : impl_(std::make_unique<impl>(std::move(p))) {}
matcher::~matcher() = default;
matcher::matcher(matcher&&) noexcept = default;
matcher& matcher::operator=(matcher&&) noexcept = default;

effects matcher::apply(const event& what, time_point now) {
  return impl_->run(what, now);
}

std::optional<decision> matcher::consider(session_id session,
                                          time_point now) const {
  const auto found = impl_->line.find(session);
  if (found == impl_->line.end())
    return std::nullopt;
  return impl_->deliberate(found->second.what, nullptr, "considered", now);
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
