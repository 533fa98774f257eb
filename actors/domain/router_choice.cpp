#include "actors/domain/assignment.hpp"
#include "actors/domain/deliberation.hpp"
#include "actors/domain/mutant.hpp"
#include "actors/domain/router_impl.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <utility>

namespace switchboard::router {

namespace {

/// So many sessions and agents are brought together at once; that takes some
/// milliseconds.
constexpr std::size_t burst_max = 128;

/// Greater priorities count as equal there, so that no sum overflows.
constexpr scoring::score priority_max = 10'000'000'000;

/// A session in the comparison for one agent.
struct rival {
  const session_waiting* what = nullptr;
  place_in_line place{};
  scoring::score match = 0;
  scoring::score priority = 0;

  bool beats(const rival& x) const {
    if (x.what == nullptr || priority != x.priority)
      return x.what == nullptr || priority > x.priority;
    return has_bug(mutant::youngest_first) ? x.place < place : place < x.place;
  }
};

/// The most pressing session for one agent. Of sessions of one class the match
/// and the wait alone decide: who has less of both than one already seen need
/// not be rated.
class auction {
public:
  /// @param own some of the sessions have a target of their own
  auction(const policies& p, time_point now, bool own)
    : p_(p),
      now_(now),
      pressed_(own || std::any_of(p.begin(), p.end(), [](const auto& x) {
                 return !x.reply_windows.empty();
               })) {}

  /// Whoever has this match, and waits since then or later, is behind somebody
  /// of the same class.
  bool is_led(std::uint8_t arm, urgency_class c, scoring::score match,
              place_in_line place) const {
    const auto& leader = leaders_[arm][static_cast<std::size_t>(c)];
    return leader.what && match <= leader.match && leader.place < place
           && !pressed_ && !has_bug(mutant::youngest_first);
  }

  void offer(rival x, std::uint8_t arm, urgency_class c) {
    if (is_led(arm, c, x.match, x.place))
      return;
    auto& leader = leaders_[arm][static_cast<std::size_t>(c)];
    x.priority = scoring::priority(urgency_of(x, arm, c), x.match);
    if (leader.what == nullptr || x.priority > leader.priority)
      leader = x;
    if (x.beats(best_))
      best_ = x;
  }

  const session_waiting* winner() const { return best_.what; }

private:
  scoring::score urgency_of(const rival& x, std::uint8_t arm,
                            urgency_class c) const {
    return pressed_ ? scoring::urgency(p_[arm], *x.what, now_)
                    : scoring::urgency(p_[arm], c, now_ - x.place.first);
  }

  const policies& p_;
  time_point now_;
  bool pressed_; ///< Some channels or queues let nobody wait too long.
  rival best_{};
  std::array<std::array<rival, 4>, 3> leaders_{}; ///< By arm and class.
};

bool is_excluded(const session_waiting& s, const agent_id& a) {
  return !has_bug(mutant::forget_cool_down)
         && std::find(s.excluded.begin(), s.excluded.end(), a)
              != s.excluded.end();
}

const lane& lane_at(const demand& d, const lane_head& x) {
  return d.lanes[static_cast<std::size_t>(&x - d.heads.data())];
}

bool is_ranked(const ranking& r, const seat* a) {
  return std::any_of(r.best.begin(), r.best.end(),
                     [a](const auto& x) { return x.who == a; });
}

} // namespace

void matcher::impl::settle() {
  do {
    while (sessions_to_try.size() > 1 && place_many()) {
      // An agent with room for more takes part in the next round.
    }
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
  } while (place_relaxed());
}

bool matcher::impl::place_many() {
  struct row {
    session_id session;
    scoring::score urgency;
    ranking who;
  };
  std::vector<row> rows;
  std::map<const seat*, std::size_t> columns;
  for (const auto& [since, id] : sessions_to_try) {
    const auto& w = line.at(id);
    if (rows.size() == burst_max)
      break;
    auto r = w.held ? ranking{} : rank(w.what, now);
    if (r.best.empty() || r.lapsed)
      continue;
    for (const auto& x : r.best)
      if (columns.size() < burst_max)
        columns.try_emplace(x.who, columns.size());
    rows.push_back(
      {id, scoring::urgency(policy_of(w.what), w.what, now), std::move(r)});
  }
  if (rows.size() < 2)
    return false;
  wish_table table(rows.size(), columns.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const auto& x : rows[i].who.best)
      if (const auto found = columns.find(x.who); found != columns.end())
        // Of equals the first in the line is served.
        table.allow(
          i, found->second,
          std::clamp<scoring::score>(
            scoring::priority(rows[i].urgency, x.as.match), 1, priority_max)
              * static_cast<scoring::score>(burst_max)
            + static_cast<scoring::score>(burst_max - i));
  std::vector<seat*> by_column(columns.size());
  for (const auto& [who, at] : columns)
    by_column[at] = by_place[who->place];
  const auto found = assign(table);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (found[i]) {
      const auto& s = line.at(rows[i].session).what;
      auto& chosen = *by_column[*found[i]];
      const auto r = rank(s, now);
      // A shadow looks at one session at a time: whoever got another agent for
      // the sake of the others is not compared.
      if (shadowed && !r.best.empty() && r.best.front().who == &chosen)
        ask_shadow_for_agent(s, chosen);
      propose_to(s, chosen, r, false);
    }
  return true;
}

bool matcher::impl::place(session_id id) {
  const auto found = line.find(id);
  if (found == line.end())
    return false;
  if (found->second.held)
    return place_held(found->second);
  const auto& s = found->second.what;
  const auto r = rank(s, now);
  if (r.best.empty())
    return false;
  auto* best = r.lapsed ? oldest_excluded(s) : r.best.front().who;
  if (shadowed)
    ask_shadow_for_agent(s, *best);
  propose_to(s, *best, r, false);
  return true;
}

bool matcher::impl::place_held(const waiter& w) {
  const auto a = seats.find(*w.what.previous);
  if (a == seats.end() || a->second.aside || !admits(w.what, a->second)
      || !scoring::eligible(policy_of(w.what), w.what, a->second.what))
    return false;
  propose_to(w.what, a->second, rank(w.what, now), false);
  return true;
}

void matcher::impl::fill(seat& a) {
  while (const auto* s = best_session(a)) {
    if (shadowed)
      ask_shadow_for_session(a, *s);
    propose_to(*s, a, rank(*s, now), false);
    if (has_bug(mutant::stop_after_one))
      return;
  }
}

void matcher::impl::ask_shadow_for_agent(const session_waiting& s,
                                         const seat& chosen) {
  auto same = s;
  same.arm = 2;
  const auto r = rank(same, now);
  const auto* other = r.best.empty() ? nullptr
                      : r.lapsed     ? oldest_excluded(same)
                                     : r.best.front().who;
  if (other != &chosen)
    todo.emplace_back(disagreement{s.session, chosen.what.id, s.session,
                                   other ? other->what.id : agent_id{},
                                   arms[2].version});
}

void matcher::impl::ask_shadow_for_session(const seat& a,
                                           const session_waiting& chosen) {
  const auto* other = best_session(a, 2);
  if (other != &chosen)
    todo.emplace_back(disagreement{
      chosen.session, a.what.id, other ? other->session : session_id{},
      other ? a.what.id : agent_id{}, arms[2].version});
}

// -- one session, many agents -------------------------------------------------

ranking matcher::impl::rank(const session_waiting& s, time_point at) const {
  ranking out;
  out.asked = agents.look_up(s);
  out.suited = suited(s, out.asked);
  auto who = out.suited;
  out.lapsed = drop_excluded(s, who);
  agents.keep_free(who, s.load);
  const auto& p = policy_of(s);
  const auto known = s.previous.has_value();
  who.each([&](agent_index::place i) {
    auto* x = by_place[i];
    const auto affinity = scoring::affinity(p, s, x->what, at);
    out.best.push_back(
      {x, {&x->what, agents.match(out.asked, known, i, affinity)}});
  });
  out.eligible = out.best.size();
  sort(out, s);
  return out;
}

void matcher::impl::sort(ranking& r, const session_waiting& s) const {
  const auto version = policy_of(s).version;
  const auto better = [&](const auto& x, const auto& y) {
    return scoring::compare(x.as, y.as, s.session, version).first_is_better;
  };
  const auto kept = std::min(r.best.size(), decision::candidates_max);
  const auto end = r.best.begin() + static_cast<std::ptrdiff_t>(kept);
  if (end != r.best.end())
    std::nth_element(r.best.begin(), end, r.best.end(), better);
  r.best.erase(end, r.best.end());
  std::sort(r.best.begin(), r.best.end(), better);
}

seat* matcher::impl::oldest_excluded(const session_waiting& s) {
  for (const auto& id : s.excluded) {
    const auto found = seats.find(id);
    if (found != seats.end() && !found->second.aside
        && scoring::eligible(policy_of(s), s, found->second.what))
      return &found->second;
  }
  return nullptr;
}

// -- one agent, many sessions -------------------------------------------------

const session_waiting*
matcher::impl::best_session(const seat& a, std::optional<std::uint8_t> arm) {
  const auto i = a.place;
  if (a.aside || !(a.what.routable || has_bug(mutant::ignore_presence))
      || agents.room(i) < wishes.load_min())
    return nullptr;
  auction best{arms, now, wishes.has_targets()};
  const auto room = agents.room(i);
  wishes.each_demand(a.what.who.queues, agents, [&](const demand& d) {
    const auto other =
      arm ? agents.look_up(d.sample, *arm) : agent_index::requirement{};
    const auto& r = arm ? other : d.requirement;
    if (!agents.able(r, i))
      return;
    const std::array match{agents.match(r, false, i), agents.match(r, true, i)};
    std::array<bool, lane_kinds> open{};
    for (std::size_t kind = 0; kind < lane_kinds; ++kind)
      open[kind] = d.earliest[kind] != nobody
                   && !best.is_led(r.arm, class_of(kind), match[knows(kind)],
                                   d.earliest[kind]);
    if (std::none_of(open.begin(), open.end(), std::identity{}))
      return;
    for (const auto& x : d.heads) {
      if (!open[kind_of(x.urgency, x.known)] || room < x.load
          || !agents.serves(x.served_by, i))
        continue;
      const auto m = match[x.known ? 1 : 0];
      if (!x.hindered)
        best.offer({x.first, x.place, m}, r.arm, x.urgency);
      else if (const auto* s = first_admitted(lane_at(d, x), a))
        best.offer({s, place_of(*s), m}, r.arm, x.urgency);
    }
  });
  // Affinity is known to the two of them only: each is looked at.
  const auto consider = [&](const session_waiting* s) {
    const auto by = arm.value_or(s->arm);
    const auto& p = arms[by];
    if (scoring::eligible(p, *s, a.what) && admits(*s, a))
      best.offer({s, place_of(*s), scoring::rate(p, *s, a.what, now).match}, by,
                 s->want.urgency);
  };
  if (const auto* all = wishes.known_to(a.what.id);
      all && !has_bug(mutant::skip_known))
    std::for_each(all->begin(), all->end(), consider);
  if (const auto* all = wishes.meant_for(a.what.id))
    std::for_each(all->begin(), all->end(), consider);
  return best.winner();
}

const session_waiting* matcher::impl::first_admitted(const lane& x,
                                                     const seat& a) const {
  const auto found = std::find_if(x.members.begin(), x.members.end(),
                                  [&](const auto* s) { return admits(*s, a); });
  return found == x.members.end() ? nullptr : *found;
}

bool matcher::impl::is_wanted(const seat& a) {
  auto wanted = false;
  wishes.each_demand(a.what.who.queues, agents, [&](const demand& d) {
    if (wanted || !agents.able(d.requirement, a.place))
      return;
    wanted = std::any_of(d.heads.begin(), d.heads.end(), [&](const auto& x) {
      return agents.serves(x.served_by, a.place)
             && first_admitted(lane_at(d, x), a);
    });
  });
  return wanted || wishes.meant_for(a.what.id) != nullptr;
}

// -- what stands between the two ----------------------------------------------

bool matcher::impl::admits(const session_waiting& s, const seat& a) const {
  const auto& id = a.what.id;
  return (!s.only || *s.only == id)
         && (!s.not_from || *s.not_from != id
             || has_bug(mutant::forget_transfer_rule))
         && std::find(s.asked.begin(), s.asked.end(), id) == s.asked.end()
         && (s.excluded.empty() || !is_excluded(s, id) || everyone_excluded(s));
}

selection matcher::impl::suited(const session_waiting& s,
                                const agent_index::requirement& r) const {
  selection out;
  if (s.only) {
    const auto found = seats.find(*s.only);
    if (found != seats.end() && found->second.what.routable
        && agents.suits(r, found->second.place))
      out.add(found->second.place);
  } else {
    out = agents.suited(r);
    if (s.besides)
      if (const auto found = seats.find(*s.besides);
          found != seats.end()
          && scoring::suited(policy_of(s), s, found->second.what))
        out.add(found->second.place);
  }
  for (const auto& id : s.asked)
    if (const auto found = seats.find(id); found != seats.end())
      out.drop(found->second.place);
  if (s.not_from && !has_bug(mutant::forget_transfer_rule))
    if (const auto found = seats.find(*s.not_from); found != seats.end())
      out.drop(found->second.place);
  return out;
}

/// Takes the excluded out of `who` unless nobody were left, whatever room they
/// have: then exclusions do not count, or nobody would ever come.
/// @returns whether they lapse.
bool matcher::impl::drop_excluded(const session_waiting& s,
                                  selection& who) const {
  if (s.excluded.empty() || has_bug(mutant::forget_cool_down))
    return false;
  auto others = who;
  for (const auto& id : s.excluded)
    if (const auto found = seats.find(id); found != seats.end())
      others.drop(found->second.place);
  // While somebody is asked, nobody who refused needs to be.
  if (others.none() && s.asked.empty())
    return true;
  who = std::move(others);
  return false;
}

bool matcher::impl::everyone_excluded(const session_waiting& s) const {
  auto who = suited(s, agents.look_up(s));
  return drop_excluded(s, who);
}

// -- deciding -----------------------------------------------------------------

void matcher::impl::propose_to(const session_waiting& s, seat& a,
                               const ranking& r, bool pick) {
  watch.decided(s.arm, now - s.since);
  auto why =
    std::make_shared<const decision>(deliberate(s, r, &a, trigger, now));
  const auto id = s.session;
  todo.emplace_back(propose{a.what.id, id, s.load, pick, std::move(why)});
  const auto until = now + policy_of(s).proposal_time;
  auto w = std::move(*leave_line(id)); // `s` is gone from here on.
  calendar.insert({until, due::proposal, id, {}});
  flights.insert_or_assign(id, flight{std::move(w), a.what.id, until});
  a.flights.push_back(id);
  count_load(a);
}

/// Writes down who could serve the session, best first, then some who lack
/// nothing but room, then some of the others; the rest is counted.
decision matcher::impl::deliberate(const session_waiting& s, const ranking& r,
                                   const seat* chosen, std::string_view why,
                                   time_point at) const {
  deliberation x(policy_of(s), s, at);
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
  const auto room =
    decision::candidates_max - std::min(r.eligible, decision::candidates_max);
  auto others = std::min(decision::others_max, room);
  const auto add_other = [&](const seat& a) {
    x.add(a.what, {is_excluded(s, a.what.id) && !r.lapsed, a.aside});
    ++written;
    --others;
  };
  std::vector<const seat*> near;
  r.suited.each([&](agent_index::place i) {
    if (others > 0 && !is_ranked(r, by_place[i])) {
      near.push_back(by_place[i]);
      add_other(*by_place[i]);
    }
  });
  for (auto i = seats.begin(); others > 0 && i != seats.end(); ++i)
    if (!is_ranked(r, &i->second)
        && std::find(near.begin(), near.end(), &i->second) == near.end())
      add_other(i->second);
  x.leave_out(seats.size() - written);
  auto d = std::move(x).conclude(
    {why, line.size(), chosen ? &chosen->what : nullptr, r.lapsed});
  d.obstacles = agents.obstacles(r.asked, s);
  return d;
}

} // namespace switchboard::router
