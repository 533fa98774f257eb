#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <set>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

/// The rest of the company as the router meets it: sessions and agents who
/// grant, refuse, decline, fall silent and vanish as a seed wants it.
class company {
public:
  company(std::uint64_t seed, std::size_t agents_max, std::size_t waiting_max)
    : random_(seed), agents_max_(agents_max), waiting_max_(waiting_max) {}

  router::matcher router{};
  time_point now{duration{1'700'000'000'000}};
  std::uint64_t hash = 14695981039346656037u; ///< Of all decisions made.
  std::size_t steps = 0;
  std::size_t proposals = 0;
  std::size_t refusals = 0;

  void step() {
    ++steps;
    now += duration{below(40)};
    answer_old();
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
  }

  /// INV-10 and the router's own bookkeeping, from outside.
  void check_conservation() {
    tell(router::swept{}); // Time has passed, and nothing may be found.
    for (const auto& [id, s] : waiting_)
      for (const auto& [name, a] : agents_) {
        const auto excluded =
          std::find(s.excluded.begin(), s.excluded.end(), name)
          != s.excluded.end();
        if (!excluded && !set_aside(name) && flights_of(name) == 0
            && scoring::eligible(p_, s, a.seen))
          FAIL("session " << id << " waits although " << name << " is free");
      }
    REQUIRE(router.waiting() == waiting_.size());
  }

private:
  struct person {
    agent::availability seen;
    std::int32_t offered = 0;
    std::vector<session_id> with{};
  };

  struct asked {
    agent_id agent;
    router::session_waiting what;
    time_point at{};
    std::size_t order = 0;
    bool granted = false;
  };

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  template <class Map>
  typename Map::iterator any_of(Map& all) {
    return std::next(all.begin(), below(std::ssize(all)));
  }

  // -- what happens -----------------------------------------------------------

  void session_arrives() {
    if (waiting_.size() >= waiting_max_)
      return;
    router::session_waiting s;
    s.session = {++sessions_};
    s.channel = below(2) ? "web" : "email";
    s.load = s.channel == "web" ? 1000 : 250;
    s.since = now - duration{below(1000)};
    s.want.language = std::vector<std::string>{"", "zh", "en"}[random_() % 3];
    if (below(2))
      s.want.skills = {below(2) ? "billing" : "tech"};
    s.want.urgency = static_cast<urgency_class>(below(4));
    if (below(3) == 0) {
      s.previous = name(below(std::int64_t(agents_max_)));
      s.previous_at = now - duration{below(1'000'000'000)};
    }
    wait(s);
  }

  void session_gives_up() {
    if (waiting_.empty())
      return;
    const auto id = any_of(waiting_)->first;
    waiting_.erase(id);
    tell(router::session_left{id});
  }

  void session_ends() {
    if (agents_.empty())
      return;
    auto& a = any_of(agents_)->second;
    if (a.with.empty())
      return;
    const auto s = serving_.at(a.with.back());
    serving_.erase(a.with.back());
    a.with.pop_back();
    a.seen.load -= s.load;
    report(a);
  }

  void presence_changes() {
    const auto id = name(below(std::int64_t(agents_max_)));
    auto& a = agents_[id];
    if (a.seen.id.empty()) {
      a.seen.id = id;
      a.seen.who.capacity = static_cast<std::int32_t>(1000 + below(3) * 1000);
      a.seen.who.languages = {{"zh", std::int32_t(1 + below(5))},
                              {"en", std::int32_t(1 + below(5))}};
      if (below(2))
        a.seen.who.skills.push_back({"billing", std::int32_t(1 + below(5))});
      if (below(2))
        a.seen.who.skills.push_back({"tech", std::int32_t(1 + below(5))});
    }
    a.seen.routable = below(4) != 0;
    report(a);
  }

  void agent_vanishes() {
    if (agents_.empty() || below(4) != 0)
      return;
    const auto id = any_of(agents_)->first;
    const auto a = agents_.at(id);
    agents_.erase(id);
    aside_.erase(id);
    std::vector<router::session_waiting> back;
    for (const auto s : a.with) {
      back.push_back(serving_.at(s));
      serving_.erase(s);
    }
    for (auto i = asked_.begin(); i != asked_.end();) {
      if (i->second.agent == id && i->second.granted)
        back.push_back(i->second.what);
      else if (i->second.agent == id)
        waiting_[i->first] = i->second.what; // The router will notice.
      i = i->second.agent == id ? asked_.erase(i) : std::next(i);
    }
    tell(router::agent_left{id});
    for (auto& s : back) {
      s.previous = id;
      wait(s);
    }
  }

  void transfer() {
    if (agents_.empty() || waiting_.size() >= waiting_max_)
      return;
    auto& a = any_of(agents_)->second;
    if (a.with.empty())
      return;
    auto s = serving_.at(a.with.back());
    serving_.erase(a.with.back());
    a.with.pop_back();
    a.seen.load -= s.load;
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

  /// Somebody answers a proposal or an offer.
  void answer() {
    if (!asked_.empty())
      answer(any_of(asked_));
  }

  /// No message between a router and an agent takes a second.
  void answer_old() {
    for (;;) {
      const auto i =
        std::find_if(asked_.begin(), asked_.end(), [this](const auto& x) {
          return !x.second.granted && x.second.at + 1s <= now;
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
            && j->second.order < i->second.order)
          i = j;
    auto& x = i->second;
    auto& a = agents_.at(x.agent);
    if (!x.granted) {
      if (below(8) == 0) {
        const auto agent = x.agent;
        waiting_[i->first] = x.what;
        aside_[agent] = now + p_.refusal_pause;
        const auto id = i->first;
        asked_.erase(i);
        ++refusals;
        tell(router::refused{id, agent, "full"});
        return;
      }
      x.granted = true;
      a.seen.load += x.what.load;
      REQUIRE(a.seen.load <= a.seen.who.capacity);
      report(a);
      return;
    }
    const auto done = x;
    asked_.erase(i);
    if (below(3) != 0) {
      a.with.push_back(done.what.session);
      a.seen.last_accepted_at = now;
      serving_[done.what.session] = done.what;
      report(a);
      return;
    }
    a.seen.load -= done.what.load;
    report(a);
    auto s = done.what;
    std::erase(s.excluded, done.agent);
    s.excluded.push_back(done.agent);
    s.excluded_until = now + 5min;
    wait(s);
  }

  // -- talking with the router ------------------------------------------------

  void wait(const router::session_waiting& s) {
    waiting_[s.session] = s;
    tell(s);
  }

  void report(person& a) {
    a.seen.sessions = a.with;
    aside_.erase(a.seen.id);
    tell(router::agent_changed{a.seen});
  }

  /// Proposals of which nobody hears for too long come back.
  void forget_old(const router::propose& x) { asked_.erase(x.session); }

  void tell(const router::event& e) {
    for (const auto& x : router.apply(e, now)) {
      REQUIRE(std::holds_alternative<router::propose>(x)); // No lost wake-up.
      follow(std::get<router::propose>(x));
    }
    for (const auto& [id, x] : asked_)
      waiting_.erase(id);
  }

  void follow(const router::propose& x) {
    ++proposals;
    forget_old(x);
    auto what = known(x.session);
    auto& a = agents_.at(x.agent);
    asked_[x.session] = {x.agent, what, now, proposals, false};
    waiting_.erase(x.session);
    hash = (hash ^ x.why->inputs_hash) * 1099511628211u;
    hash = (hash ^ static_cast<std::uint64_t>(x.session.value)) * 31
           + std::hash<std::string>{}(x.agent.text);
    auto room = a.seen.who.capacity - a.seen.load;
    for (const auto& [id, y] : asked_)
      if (y.agent == x.agent && !y.granted)
        room -= y.what.load;
    REQUIRE(room >= 0);
    REQUIRE(x.why->chosen == x.agent);
  }

  router::session_waiting known(session_id id) {
    if (const auto found = waiting_.find(id); found != waiting_.end())
      return all_[id] = found->second;
    return all_.at(id);
  }

  std::int32_t flights_of(const agent_id& id) const {
    return static_cast<std::int32_t>(
      std::count_if(asked_.begin(), asked_.end(), [&](const auto& x) {
        return x.second.agent == id && !x.second.granted;
      }));
  }

  bool set_aside(const agent_id& id) const {
    const auto found = aside_.find(id);
    return found != aside_.end() && now < found->second;
  }

  static agent_id name(std::int64_t i) { return {"a" + std::to_string(i)}; }

  policy p_{};
  std::mt19937_64 random_;
  std::size_t agents_max_;
  std::size_t waiting_max_;
  std::int64_t sessions_ = 0;
  std::map<agent_id, person> agents_{};
  std::map<session_id, router::session_waiting> waiting_{};
  std::map<session_id, asked> asked_{};
  std::map<session_id, router::session_waiting> serving_{};
  std::map<session_id, router::session_waiting> all_{};
  std::map<agent_id, time_point> aside_{};
};

} // namespace

TEST_CASE("no session waits while somebody free could serve it, and nobody "
          "gets more than they can take",
          "[router]") {
  std::size_t proposals = 0;
  std::size_t refusals = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    company c(seed, 6, 12);
    for (int i = 0; i < 2000; ++i) {
      c.step();
      c.check_conservation();
    }
    proposals += c.proposals;
    refusals += c.refusals;
  }
  CHECK(proposals > 1000);
  CHECK(refusals > 100);
}

TEST_CASE("the same events make the same decisions, bit for bit", "[router]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    company x(seed, 8, 20);
    company y(seed, 8, 20);
    company z(seed + 100, 8, 20);
    for (int i = 0; i < 2000; ++i) {
      x.step();
      y.step();
      z.step();
    }
    CHECK(x.hash == y.hash);
    CHECK(x.hash != z.hash);
  }
}
