#include "actors/domain/router.hpp"

#include "actors/domain/agent_index.hpp"
#include "actors/domain/deliberation.hpp"
#include "actors/domain/scoring.hpp"
#include "actors/domain/waiting_index.hpp"

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
  agent_index::place place = 0;
  agent::availability what;  ///< `load` includes the flights.
  std::int32_t reported = 0; ///< The load that the agent last reported.
  time_point aside_until{};  ///< Set aside after a refusal.
  bool aside = false;
  std::vector<session_id> flights{}; ///< In the order of proposing.
};

/// The agents who can take a session now.
struct ranking {
  struct entry {
    seat* who;
    scoring::contender as;
  };

  std::vector<entry> best{}; ///< In order, as many as a record holds.
  std::size_t eligible = 0;
  bool lapsed = false; ///< Exclusions do not count, or nobody would come.
};

enum class due : std::uint8_t { exclusion, refusal, proposal };

} // namespace

struct matcher::impl {
  explicit impl(policy the_policy) : p(std::move(the_policy)) {}

  policy p;
  std::map<agent_id, seat> seats;
  std::vector<seat*> by_place{}; ///< Of `seats`; null where nobody is.
  agent_index agents{p};
  std::map<session_id, waiter> line;
  waiting_index wishes{};
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
    auto& x = seat_of(e.what.id);
    const auto before = std::exchange(x.what, e.what);
    if (before.who != e.what.who)
      agents.set_profile(x.place, e.what.who);
    stop_waiting_for(e.what.id, x);
    confirm_flights(x);
    count_load(x);
    agents_to_try.insert(e.what.id);
    if (before.who != e.what.who || before.routable != e.what.routable)
      try_hindered();
  }

  seat& seat_of(const agent_id& id) {
    const auto [found, fresh] = seats.try_emplace(id);
    auto& x = found->second;
    if (fresh) {
      x.place = agents.add();
      by_place.resize(std::max(by_place.size(), x.place + 1));
      by_place[x.place] = &x;
    }
    return x;
  }

  void happen(const agent_left& e) {
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
  }

  void happen(const refused& e) {
    const auto found = flights.find(e.session);
    if (found == flights.end() || found->second.agent != e.agent)
      return; // Crossed another event that has settled it already.
    return_to_line(e.session);
    auto& x = seats.at(e.agent);
    stop_waiting_for(e.agent, x);
    x.aside = true;
    index(x);
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
      propose_to(s->second.what, a->second, rank(s->second.what), true);
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
        index(seats.at(agent));
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
        s.forgotten_at =
          std::max(s.what.excluded_until, now + p.exclusion_time);
      if (s.what.excluded_until == time_point{})
        s.what.excluded_until = s.forgotten_at;
      calendar.insert({s.what.excluded_until, due::exclusion, id, {}});
      hindered.insert(place_of(s.what));
    }
    sessions_to_try.insert(place_of(s.what));
    wishes.add(s.what);
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
    wishes.remove(what);
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
    index(x);
  }

  void stop_waiting_for(const agent_id& id, seat& x) {
    if (!x.aside)
      return;
    calendar.erase({x.aside_until, due::refusal, {}, id});
    x.aside = false;
    index(x);
  }

  void index(const seat& x) { agents.set_state(x.place, x.what, x.aside); }

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
    const auto r = rank(s);
    if (r.best.empty())
      return false;
    auto* best = r.lapsed ? oldest_excluded(s) : r.best.front().who;
    propose_to(s, *best, r, false);
    return true;
  }

  /// One agent, many sessions: the most pressing, until the agent is full.
  void fill(seat& a) {
    while (const auto* s = best_session(a))
      propose_to(*s, a, rank(*s), false);
  }

  ranking rank(const session_waiting& s) const { return rank(s, now); }

  ranking rank(const session_waiting& s, time_point at) const {
    const auto r = agents.look_up(s);
    auto who = suited(s, r);
    ranking out;
    out.lapsed = drop_excluded(s, who);
    who.each([&](agent_index::place i) {
      if (agents.aside(i) || agents.room(i) < s.load)
        return;
      auto* x = by_place[i];
      const auto affinity = scoring::affinity(p, s, x->what, at);
      out.best.push_back({x, {&x->what, agents.match(r, s, i, affinity)}});
    });
    out.eligible = out.best.size();
    const auto better = [&](const auto& x, const auto& y) {
      return scoring::compare(x.as, y.as, s.session, p.version).first_is_better;
    };
    const auto kept = std::min(out.best.size(), decision::candidates_max);
    const auto end = out.best.begin() + static_cast<std::ptrdiff_t>(kept);
    if (end != out.best.end())
      std::nth_element(out.best.begin(), end, out.best.end(), better);
    out.best.erase(end, out.best.end());
    std::sort(out.best.begin(), out.best.end(), better);
    return out;
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

  /// A session in the comparison for one agent.
  struct rival {
    const session_waiting* what = nullptr;
    scoring::score priority = 0;
    place_in_line place{};

    bool beats(const rival& x) const {
      return x.what == nullptr || priority > x.priority
             || (priority == x.priority && place < x.place);
    }
  };

  const session_waiting* best_session(const seat& a) {
    rival best;
    const auto consider = [&](const rival& x) {
      if (x.beats(best))
        best = x;
    };
    if (a.aside || !a.what.routable)
      return nullptr;
    wishes.each_group([&](group& g) { consider_first(g, a, consider); });
    if (const auto* known = wishes.known_to(a.what.id))
      for (const auto& x : *known)
        consider_known(line.at(x.second).what, a, consider);
    return best.what ? &line.at(best.place.second).what : nullptr;
  }

  /// The first of a group stands for all who do not know this agent.
  template <class Consider>
  void consider_first(group& g, const seat& a, Consider consider) {
    const auto& s = g.sample;
    if (agents.room(a.place) < s.load)
      return;
    if (g.requirement.generation != agents.generation())
      g.requirement = agents.look_up(s);
    if (!agents.suits(g.requirement, s, a.place) || !admits(s, a))
      return;
    const auto first = *g.members.begin();
    consider(rival{
      &s,
      scoring::priority(scoring::urgency(p, s.want.urgency, now - first.first),
                        agents.match(g.requirement, s, a.place)),
      first});
  }

  template <class Consider>
  void consider_known(const session_waiting& s, const seat& a,
                      Consider consider) {
    if (!scoring::eligible(p, s, a.what) || !admits(s, a))
      return;
    consider(rival{
      &s,
      scoring::priority(scoring::urgency(p, s.want.urgency, now - s.since),
                        scoring::rate(p, s, a.what, now).match),
      place_of(s)});
  }

  /// Is nothing but room and ability between the two?
  bool admits(const session_waiting& s, const seat& a) const {
    const auto& id = a.what.id;
    return (!s.only || *s.only == id) && (!s.not_from || *s.not_from != id)
           && (!is_excluded(s, id) || everyone_excluded(s));
  }

  // -- exclusions -------------------------------------------------------------

  static bool is_excluded(const session_waiting& s, const agent_id& a) {
    return std::find(s.excluded.begin(), s.excluded.end(), a)
           != s.excluded.end();
  }

  bitset suited(const session_waiting& s,
                const agent_index::requirement& r) const {
    bitset out;
    if (s.only) {
      const auto found = seats.find(*s.only);
      if (found != seats.end() && found->second.what.routable
          && agents.suits(r, s, found->second.place))
        out.set(found->second.place, true);
    } else {
      out = agents.suited(r, s);
    }
    if (s.not_from)
      if (const auto found = seats.find(*s.not_from); found != seats.end())
        out.set(found->second.place, false);
    return out;
  }

  /// Takes the excluded out of `who` unless nobody were left, whatever room
  /// they have: then exclusions do not count, or nobody would ever come.
  /// @returns whether they lapse.
  bool drop_excluded(const session_waiting& s, bitset& who) const {
    if (s.excluded.empty())
      return false;
    auto others = who;
    for (const auto& id : s.excluded)
      if (const auto found = seats.find(id); found != seats.end())
        others.set(found->second.place, false);
    if (others.none())
      return true;
    who = std::move(others);
    return false;
  }

  bool everyone_excluded(const session_waiting& s) const {
    if (s.excluded.empty())
      return false;
    auto who = suited(s, agents.look_up(s));
    return drop_excluded(s, who);
  }

  // -- deciding ---------------------------------------------------------------

  void propose_to(const session_waiting& s, seat& a, const ranking& r,
                  bool pick) {
    auto why =
      std::make_shared<const decision>(deliberate(s, r, &a, trigger, now));
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

  /// Writes down who could serve the session, best first, and as many of the
  /// others, by name, as there is room for.
  decision deliberate(const session_waiting& s, const ranking& r,
                      const seat* chosen, std::string_view why,
                      time_point at) const {
    deliberation x(p, s, at);
    auto missing = chosen != nullptr;
    for (const auto& [who, as] : r.best) {
      x.add(who->what, {false, who->aside});
      missing = missing && who != chosen;
    }
    auto written = r.best.size();
    if (missing && r.eligible > written) {
      x.add(chosen->what, {});
      ++written;
    }
    auto others = r.eligible >= decision::candidates_max
                    ? 0
                    : decision::candidates_max - r.eligible;
    for (auto i = seats.begin(); others > 0 && i != seats.end(); ++i) {
      const auto* a = &i->second;
      if (is_ranked(r, a))
        continue;
      x.add(a->what, {is_excluded(s, i->first) && !r.lapsed, a->aside});
      ++written;
      --others;
    }
    x.leave_out(seats.size() - written);
    return std::move(x).conclude(
      {why, line.size(), chosen ? &chosen->what : nullptr, r.lapsed});
  }

  static bool is_ranked(const ranking& r, const seat* a) {
    return std::any_of(r.best.begin(), r.best.end(),
                       [a](const auto& x) { return x.who == a; });
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
  const auto& s = found->second.what;
  return impl_->deliberate(s, impl_->rank(s, now), nullptr, "considered", now);
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
