#pragma once

#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace switchboard::test {

/// What a router did and must never do.
class violation : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The rest of the company as a router meets it: sessions and agents who grant,
/// refuse, decline, fall silent, transfer and vanish as a seed wants it, and
/// messages that get lost. It knows what the router should know, and throws
/// `violation` as soon as the router does what it must not.
class company {
public:
  struct shape {
    std::uint64_t seed = 1;
    std::size_t agents_max = 6;
    std::size_t waiting_max = 12;
    policy rules = fast_policy();
  };

  /// Times so short that everything that can lapse does within some steps.
  static policy fast_policy() {
    policy p;
    p.exclusion_time = duration{2000};
    p.refusal_pause = duration{300};
    return p;
  }

  explicit company(const shape& s)
    : shape_(s), random_(s.seed), router_(s.rules) {}

  /// Hears of all that the router is told and does.
  std::function<void(const router::event&, time_point, const router::effects&)>
    on_told{};

  std::uint64_t hash = 14695981039346656037u; ///< Of all decisions made.
  std::int64_t proposals = 0;
  std::int64_t refusals = 0;
  std::int64_t declined = 0;
  std::int64_t lost = 0;
  std::int64_t transferred = 0;
  std::int64_t vanished = 0;

  void step() {
    now_ += duration{below(40)};
    // What only time brings about happens before anything else, so that no two
    // messages cross each other.
    tell(router::swept{});
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3: session_arrives(); break;
      case 4: session_gives_up(); break;
      case 5:
      case 6:
      case 7: session_ends(); break;
      case 8: presence_changes(); break;
      case 9: agent_vanishes(); break;
      case 10: transfer(); break;
      case 11: tell(router::swept{}); break;
      case 12: picks(); break;
      default: answer(); break;
    }
    answer_old();
  }

  /// Work conservation (no session waits while somebody eligible is free) and
  /// the router's bookkeeping, judged from outside by the rules themselves.
  void check() {
    tell(router::swept{}); // Time has passed, and nothing may be found.
    for (const auto& [id, w] : waiting_)
      for (const auto& [name, a] : agents_)
        if (could_take(w.what, a))
          throw violation("session " + to_string(id) + " waits although "
                          + name.text + " is free");
    if (router_.waiting() != waiting_.size())
      throw violation("the router knows " + std::to_string(router_.waiting())
                      + " waiting sessions, there are "
                      + std::to_string(waiting_.size()));
  }

private:
  struct person {
    agent::availability seen; ///< As last reported.
    std::vector<session_id> granted{};
    std::vector<session_id> with{};
  };

  struct waiting {
    router::session_waiting what;
    time_point forgotten_at{};
  };

  struct asked {
    agent_id agent;
    waiting who;
    time_point at{};
    std::int64_t order = 0;
    bool granted = false;
    bool lost = false; ///< The proposal never arrived.
  };

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  template <class Map>
  typename Map::iterator any_of(Map& all) {
    return std::next(all.begin(), below(std::ssize(all)));
  }

  agent_id any_name() {
    return {"a" + std::to_string(below(std::ssize(names_)))};
  }

  // -- what happens -----------------------------------------------------------

  void session_arrives() {
    if (waiting_.size() >= shape_.waiting_max)
      return;
    router::session_waiting s;
    s.session = {++sessions_};
    s.channel = below(2) ? "web" : "email";
    s.load = s.channel == "web" ? 1000 : 250;
    s.since = now_ - duration{below(1000)};
    s.want.language = std::vector<std::string>{"", "zh", "en"}[random_() % 3];
    if (below(2))
      s.want.skills = {below(2) ? "billing" : "tech"};
    s.want.urgency = static_cast<urgency_class>(below(4));
    if (below(3) == 0) {
      s.previous = any_name();
      s.previous_at = now_ - duration{below(1'000'000'000)};
    }
    if (below(8) == 0)
      s.besides = any_name();
    if (below(8) == 0)
      s.target = duration{1 + below(100'000)};
    wait(s);
  }

  void session_gives_up() {
    if (below(3) == 0 && !asked_.empty()) {
      give_up_while_asked(any_of(asked_));
      return;
    }
    if (waiting_.empty())
      return;
    const auto id = any_of(waiting_)->first;
    waiting_.erase(id);
    tell(router::session_left{id});
  }

  void give_up_while_asked(std::map<session_id, asked>::iterator i) {
    const auto [id, x] = *i;
    asked_.erase(i);
    tell(router::session_left{id});
    if (!x.granted)
      return;
    auto& a = agents_.at(x.agent);
    std::erase(a.granted, id);
    a.seen.load -= x.who.what.load;
    report(a);
  }

  void session_ends() {
    if (agents_.empty())
      return;
    auto& a = any_of(agents_)->second;
    if (a.with.empty())
      return;
    take_from(a);
    report(a);
  }

  /// @returns the session that was served last, which has no agent now
  router::session_waiting take_from(person& a) {
    const auto found = serving_.find(a.with.back());
    auto s = found->second;
    serving_.erase(found);
    a.with.pop_back();
    a.seen.load -= s.load;
    return s;
  }

  void presence_changes() {
    const auto id = any_name();
    auto& a = agents_[id];
    if (a.seen.id.empty()) {
      a.seen.id = id;
      a.seen.who.capacity = static_cast<std::int32_t>(1000 + below(3) * 1000);
      a.seen.who.languages = {{"zh", std::int32_t(1 + below(5))},
                              {"en", std::int32_t(1 + below(5))}};
      for (const auto* skill : {"billing", "tech"})
        if (below(2))
          a.seen.who.skills.push_back({skill, std::int32_t(1 + below(5))});
    }
    a.seen.routable = below(4) != 0;
    report(a);
  }

  void agent_vanishes() {
    if (agents_.empty() || below(4) != 0)
      return;
    ++vanished;
    const auto id = any_of(agents_)->first;
    auto a = agents_.at(id);
    agents_.erase(id);
    aside_.erase(id);
    std::vector<router::session_waiting> back;
    while (!a.with.empty())
      back.push_back(take_from(a));
    for (auto i = asked_.begin(); i != asked_.end();) {
      const auto mine = i->second.agent == id;
      if (mine && i->second.granted)
        back.push_back(i->second.who.what);
      else if (mine)
        waiting_[i->first] = i->second.who; // The router will notice.
      i = mine ? asked_.erase(i) : std::next(i);
    }
    tell(router::agent_left{id});
    for (auto& s : back) {
      s.previous = id;
      wait(s);
    }
  }

  void transfer() {
    if (agents_.empty() || waiting_.size() >= shape_.waiting_max)
      return;
    auto& a = any_of(agents_)->second;
    if (a.with.empty())
      return;
    ++transferred;
    auto s = take_from(a);
    s.not_from = a.seen.id;
    s.only.reset();
    if (below(2))
      s.only = any_of(agents_)->first;
    report(a);
    wait(s);
  }

  void picks() {
    if (waiting_.empty() || agents_.empty())
      return;
    tell(router::picked{any_of(waiting_)->first, any_of(agents_)->first});
  }

  // -- agents answer ----------------------------------------------------------

  void answer() {
    if (asked_.empty())
      return;
    const auto i = any_of(asked_);
    if (i->second.lost)
      return;
    if (!i->second.granted && below(30) == 0) {
      i->second.lost = true;
      ++lost;
      return;
    }
    answer(i);
  }

  /// No message that arrives takes longer than a second.
  void answer_old() {
    for (;;) {
      const auto i =
        std::find_if(asked_.begin(), asked_.end(), [this](const auto& x) {
          return !x.second.granted && !x.second.lost
                 && x.second.at + duration{1000} <= now_;
        });
      if (i == asked_.end())
        return;
      answer(i);
    }
  }

  /// An agent hears proposals in the order in which they were made.
  void answer(std::map<session_id, asked>::iterator i) {
    if (!i->second.granted)
      for (auto j = asked_.begin(); j != asked_.end(); ++j)
        if (j->second.agent == i->second.agent && !j->second.granted
            && !j->second.lost && j->second.order < i->second.order)
          i = j;
    if (!i->second.granted)
      below(8) == 0 ? refuse(i) : grant(i);
    else if (below(3) != 0)
      accept(i);
    else
      decline(i);
  }

  void refuse(std::map<session_id, asked>::iterator i) {
    ++refusals;
    const auto [id, x] = *i;
    asked_.erase(i);
    waiting_[id] = x.who;
    aside_[x.agent] = now_ + shape_.rules.refusal_pause;
    tell(router::refused{id, x.agent, "full"});
  }

  void grant(std::map<session_id, asked>::iterator i) {
    auto& a = agents_.at(i->second.agent);
    i->second.granted = true;
    a.seen.load += i->second.who.what.load;
    a.granted.push_back(i->first);
    if (a.seen.load > a.seen.who.capacity)
      throw violation(a.seen.id.text + " has more than they can take");
    report(a);
  }

  void accept(std::map<session_id, asked>::iterator i) {
    const auto [id, x] = *i;
    asked_.erase(i);
    auto& a = agents_.at(x.agent);
    std::erase(a.granted, id);
    a.with.push_back(id);
    a.seen.last_accepted_at = now_;
    serving_[id] = x.who.what;
    report(a);
  }

  void decline(std::map<session_id, asked>::iterator i) {
    ++declined;
    const auto [id, x] = *i;
    asked_.erase(i);
    auto& a = agents_.at(x.agent);
    std::erase(a.granted, id);
    a.seen.load -= x.who.what.load;
    report(a);
    auto s = x.who.what;
    std::erase(s.excluded, x.agent);
    s.excluded.push_back(x.agent);
    s.excluded_until = now_ + duration{1 + below(1500)};
    wait(s);
  }

  // -- talking with the router ------------------------------------------------

  void wait(const router::session_waiting& s) {
    waiting w{s, {}};
    if (!s.excluded.empty())
      w.forgotten_at =
        std::max(s.excluded_until, now_ + shape_.rules.exclusion_time);
    waiting_[s.session] = w;
    tell(s);
  }

  void report(person& a) {
    a.seen.sessions = a.with;
    a.seen.sessions.insert(a.seen.sessions.end(), a.granted.begin(),
                           a.granted.end());
    aside_.erase(a.seen.id);
    tell(router::agent_changed{a.seen});
  }

  void tell(const router::event& e) {
    pass_time();
    const auto todo = router_.apply(e, now_);
    if (on_told)
      on_told(e, now_, todo);
    for (const auto& x : todo) {
      if (std::holds_alternative<router::turn_down>(x))
        continue;
      if (!std::holds_alternative<router::propose>(x))
        throw violation("a session waited until the sweep found it");
      follow(std::get<router::propose>(x));
    }
  }

  /// What the router must know to have changed without being told.
  void pass_time() {
    for (auto i = asked_.begin(); i != asked_.end();)
      if (i->second.lost && now_ >= i->second.at + shape_.rules.proposal_time) {
        waiting_[i->first] = i->second.who;
        i = asked_.erase(i);
      } else {
        ++i;
      }
    for (auto& [id, w] : waiting_)
      while (!w.what.excluded.empty() && now_ >= w.what.excluded_until) {
        if (now_ >= w.forgotten_at)
          w.what.excluded.clear();
        else
          w.what.excluded.erase(w.what.excluded.begin());
        w.what.excluded_until = w.forgotten_at;
      }
  }

  void follow(const router::propose& x) {
    ++proposals;
    const auto found = waiting_.find(x.session);
    if (found == waiting_.end())
      throw violation("session " + to_string(x.session)
                      + " is proposed although it does not wait");
    const auto w = found->second;
    waiting_.erase(found);
    check_proposal(w.what, x);
    asked_[x.session] = {
      .agent = x.agent, .who = w, .at = now_, .order = proposals};
    const auto& a = agents_.at(x.agent);
    auto room = a.seen.who.capacity - a.seen.load;
    for (const auto& [id, y] : asked_)
      if (y.agent == x.agent && !y.granted)
        room -= y.who.what.load;
    if (room < 0)
      throw violation(x.agent.text + " is proposed more than they can take");
    remember(x);
  }

  void check_proposal(const router::session_waiting& s,
                      const router::propose& x) const {
    const auto found = agents_.find(x.agent);
    if (found == agents_.end() || x.why->chosen != x.agent)
      throw violation("an agent is proposed whom nobody knows");
    const auto& a = found->second.seen;
    auto willing = a;
    willing.routable = willing.routable || x.pick;
    if (!scoring::suited(shape_.rules, s, willing))
      throw violation(x.agent.text + " does not suit session "
                      + to_string(s.session));
    if (!x.pick && is_excluded(s, x.agent) && !all_excluded(s))
      throw violation(x.agent.text + " is asked again too soon");
    if (x.why->wait_ms != std::max<std::int64_t>(0, (now_ - s.since).count()))
      throw violation("session " + to_string(s.session)
                      + " has lost its place in the line");
  }

  void remember(const router::propose& x) {
    hash = (hash ^ x.why->inputs_hash) * 1099511628211u;
    hash = (hash ^ static_cast<std::uint64_t>(x.session.value)) * 31
           + std::hash<std::string>{}(x.agent.text);
  }

  // -- judging ----------------------------------------------------------------

  static bool is_excluded(const router::session_waiting& s, const agent_id& a) {
    return std::find(s.excluded.begin(), s.excluded.end(), a)
           != s.excluded.end();
  }

  /// Nobody but excluded agents could serve it, whatever room they have.
  bool all_excluded(const router::session_waiting& s) const {
    return std::none_of(agents_.begin(), agents_.end(), [&](const auto& x) {
      return !is_excluded(s, x.first)
             && scoring::suited(shape_.rules, s, x.second.seen);
    });
  }

  bool could_take(const router::session_waiting& s, const person& a) const {
    const auto& id = a.seen.id;
    if (const auto aside = aside_.find(id);
        aside != aside_.end() && now_ < aside->second)
      return false;
    auto seen = a.seen;
    for (const auto& [other, x] : asked_)
      if (x.agent == id && !x.granted)
        seen.load += x.who.what.load;
    return scoring::eligible(shape_.rules, s, seen)
           && (!is_excluded(s, id) || all_excluded(s));
  }

  shape shape_;
  std::mt19937_64 random_;
  router::matcher router_;
  time_point now_{duration{1'700'000'000'000}};
  std::int64_t sessions_ = 0;
  std::vector<int> names_ = std::vector<int>(shape_.agents_max);
  std::map<agent_id, person> agents_{};
  std::map<session_id, waiting> waiting_{};
  std::map<session_id, asked> asked_{};
  std::map<session_id, router::session_waiting> serving_{};
  std::map<agent_id, time_point> aside_{};
};

/// Plays `steps` steps with companies of many seeds and sizes.
/// @throws violation
inline std::int64_t play(std::int64_t steps, std::uint64_t first_seed,
                         std::int64_t steps_of_one = 1000) {
  std::int64_t proposals = 0;
  for (std::int64_t done = 0; done < steps; done += steps_of_one) {
    const auto seed =
      first_seed + static_cast<std::uint64_t>(done / steps_of_one);
    company c(
      {.seed = seed, .agents_max = 2 + seed % 6, .waiting_max = 4 + seed % 12});
    try {
      for (std::int64_t i = 0; i < steps_of_one; ++i) {
        c.step();
        c.check();
      }
    } catch (const violation& e) {
      throw violation("seed " + std::to_string(seed) + ": " + e.what());
    }
    proposals += c.proposals;
  }
  return proposals;
}

} // namespace switchboard::test
