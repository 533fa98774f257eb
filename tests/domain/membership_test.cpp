#include "actors/domain/membership.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <random>
#include <vector>

using namespace switchboard;
using namespace switchboard::membership;
using namespace std::chrono_literals;

namespace {

template <class T>
std::vector<T> all_of(const effects& from) {
  std::vector<T> found;
  for (const auto& x : from)
    if (const auto* one = std::get_if<T>(&x))
      found.push_back(*one);
  return found;
}

/// A view of a cluster in which every slot belongs to `owner`.
view owned_by(const std::string& owner, std::int64_t epoch,
              std::vector<lease> leases) {
  view v{std::move(leases), {}};
  for (std::size_t k = 0; k < slots_all; ++k)
    v.places.push_back({static_cast<slot_number>(k), {owner}, epoch});
  return v;
}

lease of(const std::string& node, std::int64_t renewals,
         condition says = condition::serving) {
  return {{node}, node + "-1", renewals, says};
}

/// One node `a`, and time.
struct alone {
  rules r{};
  state s = start({"a"}, "a-1", 0ms);
  instant now = 0ms;

  effects at(instant when, const event& what) {
    now = when;
    return apply(s, what, r, now);
  }

  effects see(instant when, view what) {
    return at(when, seen{when, std::move(what)});
  }

  /// Looks every 100 ms until `end` while `b` stands still; renews meanwhile.
  effects watch(instant from, instant end, const view& what) {
    effects all;
    for (auto t = from; t <= end; t += 100ms) {
      at(t, renewed{t});
      for (auto& x : see(t, what))
        all.push_back(x);
    }
    return all;
  }

  void own_all() {
    see(0ms, owned_by("", 0, {of("a", 1)}));
    claimed got;
    for (std::size_t k = 0; k < slots_all; ++k) {
      got.asked.push_back(static_cast<slot_number>(k));
      got.got.push_back({static_cast<slot_number>(k), {"a"}, 1});
    }
    at(0ms, got);
  }
};

} // namespace

TEST_CASE_METHOD(alone, "a node that is alone claims every slot at once",
                 "[membership]") {
  const auto todo = see(0ms, owned_by("", 0, {of("a", 1)}));
  const auto claims = all_of<claim>(todo);
  REQUIRE(claims.size() == 1);
  CHECK(claims[0].what.size() == slots_all);
  CHECK(claims[0].from.empty());
}

TEST_CASE_METHOD(alone, "nobody claims while it is not known who lives",
                 "[membership]") {
  CHECK(
    all_of<claim>(see(0ms, owned_by("", 0, {of("a", 1), of("b", 7)}))).empty());
}

TEST_CASE_METHOD(alone, "what was ours in a former life is claimed again",
                 "[membership]") {
  const auto claims =
    all_of<claim>(see(0ms, owned_by("a", 5, {of("a", 1), of("b", 7)})));
  REQUIRE(claims.size() == 1);
  CHECK(claims[0].what.size() == slots_all);
}

TEST_CASE_METHOD(alone, "a lease that stands still for a second is dead",
                 "[membership]") {
  const auto v = owned_by("b", 3, {of("a", 1), of("b", 7)});
  see(0ms, owned_by("b", 3, {of("a", 1), of("b", 6)}));
  CHECK(all_of<claim>(watch(100ms, 1100ms, v)).empty());
  const auto todo = watch(1200ms, 1200ms, v);
  const auto claims = all_of<claim>(todo);
  REQUIRE(claims.size() == 1);
  CHECK(claims[0].from.text == "b");
  REQUIRE(claims[0].last);
  CHECK(claims[0].last->renewals == 7);
  CHECK(all_of<bury>(todo).size() == 1);
}

TEST_CASE_METHOD(alone, "an outage of the database starts no takeover",
                 "[membership]") {
  const auto v = owned_by("b", 3, {of("a", 1), of("b", 7)});
  see(0ms, owned_by("b", 3, {of("a", 1), of("b", 6)}));
  watch(100ms, 500ms, v);
  at(600ms, look_failed{});
  CHECK(all_of<claim>(watch(5000ms, 5900ms, v)).empty());
  CHECK(all_of<claim>(watch(6000ms, 6200ms, v)).size() == 1);
}

TEST_CASE_METHOD(alone, "two looks far apart prove nothing about b",
                 "[membership]") {
  const auto v = owned_by("b", 3, {of("a", 1), of("b", 7)});
  see(0ms, owned_by("b", 3, {of("a", 1), of("b", 6)}));
  see(100ms, v);
  at(5000ms, renewed{5000ms});
  CHECK(all_of<claim>(see(5000ms, v)).empty());
}

TEST_CASE_METHOD(alone, "a node that cannot renew keeps still before its end",
                 "[membership]") {
  own_all();
  at(100ms, renewed{100ms});
  CHECK(all_of<suspend>(at(900ms, ticked{})).empty());
  CHECK(all_of<suspend>(at(901ms, ticked{})).size() == 1);
  CHECK(all_of<suspend>(at(950ms, ticked{})).empty());
  CHECK(r.restraint_time < r.lease_time);
}

TEST_CASE_METHOD(alone, "a node goes on only when it has looked what it owns",
                 "[membership]") {
  own_all();
  at(2000ms, ticked{});
  at(2000ms, renewed{2000ms});
  auto v = owned_by("a", 1, {of("a", 2)});
  CHECK(all_of<go_on>(at(2010ms, seen{1990ms, v})).empty());
  v.places[3] = {3, {"b"}, 2};
  const auto todo = at(2100ms, seen{2050ms, v});
  REQUIRE(all_of<stop>(todo).size() == 1);
  CHECK(all_of<stop>(todo)[0].slot == 3);
  CHECK(all_of<go_on>(todo).size() == 1);
}

TEST_CASE_METHOD(alone, "a node whose name is taken stops everything",
                 "[membership]") {
  own_all();
  const auto todo = at(100ms, replaced{});
  CHECK(all_of<stop>(todo).size() == slots_all);
  CHECK(all_of<suspend>(todo).size() == 1);
  CHECK(all_of<claim>(see(200ms, owned_by("a", 1, {of("a", 9)}))).empty());
}

TEST_CASE_METHOD(alone, "a fenced write ends the slot, an old one does not",
                 "[membership]") {
  own_all();
  CHECK(all_of<stop>(at(100ms, fenced{5, 0})).empty());
  CHECK(all_of<stop>(at(100ms, fenced{5, 1})).size() == 1);
}

TEST_CASE_METHOD(alone, "a newcomer gets its share, a few slots at a time",
                 "[membership]") {
  own_all();
  auto v = owned_by("a", 1, {of("a", 1), of("b", 1)});
  const auto look = [&](instant t) {
    at(t, renewed{t});
    ++v.leases[1].renewals;
    return see(t, v);
  };
  for (auto t = 100ms; t < 1200ms; t += 100ms)
    CHECK(all_of<settle>(look(t)).empty());
  const auto first = all_of<settle>(look(1200ms));
  REQUIRE(first.size() == r.moves_max);
  CHECK(first[0].to.text == "b");
  const auto given = all_of<hand_over>(at(1210ms, quiet{first[0].slot, 1}));
  REQUIRE(given.size() == 1);
  const auto after = at(1220ms, handed_over{first[0].slot, 2, {"b"}});
  CHECK(all_of<stop>(after).size() == 1);
  CHECK(all_of<settle>(after).size() == 1); // The next one's turn.
}

TEST_CASE_METHOD(alone, "a hand-over of unknown outcome is looked up",
                 "[membership]") {
  own_all();
  auto v = owned_by("a", 1, {of("a", 1), of("b", 1)});
  std::vector<settle> begun;
  for (auto t = 100ms; t <= 1300ms; t += 100ms) {
    at(t, renewed{t});
    ++v.leases[1].renewals;
    for (const auto& x : all_of<settle>(see(t, v)))
      begun.push_back(x);
  }
  REQUIRE(begun.size() == r.moves_max);
  at(1350ms, quiet{begun[0].slot, 1});
  at(1400ms, hand_over_failed{begun[0].slot});
  at(1400ms, quiet{begun[1].slot, 1});
  at(1400ms, hand_over_failed{begun[1].slot});
  v.places[begun[0].slot] = {begun[0].slot, {"b"}, 2};
  CHECK(all_of<resume>(at(1410ms, seen{1390ms, v})).empty());
  v.places[begun[1].slot] = {begun[1].slot, {"a"}, 1};
  const auto todo = at(1510ms, seen{1500ms, v});
  const auto resumed = all_of<resume>(todo);
  REQUIRE(resumed.size() == 1);
  CHECK(resumed[0].slot == begun[1].slot);
}

TEST_CASE_METHOD(alone, "without the bus a node gives its slots to who hears",
                 "[membership]") {
  own_all();
  auto v = owned_by("a", 1, {of("a", 1), of("b", 1)});
  for (auto t = 100ms; t <= 500ms; t += 100ms) {
    at(t, renewed{t});
    ++v.leases[1].renewals;
    see(t, v);
  }
  at(500ms, bus_lost{});
  at(1500ms, renewed{1500ms});
  CHECK(all_of<say>(at(1500ms, ticked{})).empty());
  const auto said = all_of<say>(at(1501ms, ticked{}));
  REQUIRE(said.size() == 1);
  CHECK(said[0].what == condition::deaf);
  ++v.leases[1].renewals;
  CHECK(all_of<settle>(see(1550ms, v)).size() == r.moves_max);
}

TEST_CASE_METHOD(alone, "a draining node gives everything away and says so",
                 "[membership]") {
  own_all();
  auto v = owned_by("a", 1, {of("a", 1), of("b", 1)});
  at(100ms, renewed{100ms});
  see(100ms, v);
  at(200ms, drain_asked{});
  std::size_t given = 0;
  bool done = false;
  for (auto t = 300ms; t < 60s && !done; t += 100ms) {
    at(t, renewed{t});
    ++v.leases[1].renewals;
    auto todo = see(t, v);
    for (std::size_t i = 0; i < todo.size(); ++i) {
      effects more;
      if (const auto* x = std::get_if<settle>(&todo[i]))
        more = at(t, quiet{x->slot, x->epoch});
      if (const auto* x = std::get_if<hand_over>(&todo[i])) {
        v.places[x->slot] = {x->slot, x->to, x->epoch + 1};
        more = at(t, handed_over{x->slot, x->epoch + 1, x->to});
        ++given;
      }
      if (std::holds_alternative<drained>(todo[i]))
        done = true;
      todo.insert(todo.end(), more.begin(), more.end());
    }
  }
  CHECK(given == slots_all);
  CHECK(done);
}

TEST_CASE("the loss of a node moves no slot of another", "[membership]") {
  const std::vector<node_id> three{{"n1"}, {"n2"}, {"n3"}};
  const auto best = [](const std::vector<node_id>& of, slot_number k) {
    return *std::max_element(of.begin(), of.end(),
                             [&](const auto& a, const auto& b) {
                               return weight(a, k) < weight(b, k);
                             });
  };
  std::map<node_id, int> share;
  for (slot_number k = 0; k < slots; ++k) {
    const auto now = best(three, k);
    ++share[now];
    if (now != three[2])
      CHECK(best({three[0], three[1]}, k) == now);
  }
  for (const auto& x : three)
    CHECK(share[x] >= 10); // Of 64, a fair share would be 21.
}

// -- many nodes, one store, one seed ------------------------------------------

namespace {

/// The database: serial, and honest about epochs.
struct simulated_store {
  std::map<node_id, lease> leases;
  std::array<place, slots_all> places{};
  std::map<std::pair<slot_number, std::int64_t>, node_id> owners_ever;
  bool away = false;

  simulated_store() {
    for (std::size_t k = 0; k < slots_all; ++k)
      places.at(k) = {static_cast<slot_number>(k), {}, 0};
  }

  bool renew(const node_id& n, const std::string& life, condition says) {
    const auto at = leases.find(n);
    if (at == leases.end() || at->second.incarnation != life)
      return false;
    ++at->second.renewals;
    at->second.says = says;
    return true;
  }

  view look() const {
    view v;
    for (const auto& [id, x] : leases)
      v.leases.push_back(x);
    v.places.assign(places.begin(), places.end());
    return v;
  }

  void own(slot_number k, const node_id& n) {
    auto& x = places.at(k);
    x.owner = n;
    ++x.epoch;
    const auto fresh = owners_ever.emplace(std::pair{k, x.epoch}, n).second;
    if (!fresh)
      FAIL("two owners at epoch " << x.epoch);
  }

  std::vector<place> take(const node_id& n, const std::string& life,
                          const claim& c) {
    std::vector<place> got;
    if (!leases.contains(n) || leases.at(n).incarnation != life)
      return got;
    if (!c.from.empty() && c.from != n) {
      const auto at = leases.find(c.from);
      const auto there =
        at == leases.end() ? std::nullopt : std::optional{at->second};
      if (there.has_value() != c.last.has_value()
          || (there
              && (there->renewals != c.last->renewals
                  || there->incarnation != c.last->incarnation)))
        return got;
    }
    for (const auto& x : c.what)
      if (places.at(x.slot) == x) {
        own(x.slot, n);
        got.push_back(places.at(x.slot));
      }
    return got;
  }

  bool writes(const node_id& n, slot_number k, std::int64_t epoch) const {
    return !away && places.at(k).owner == n && places.at(k).epoch == epoch;
  }
};

/// A cluster that lives from one seed: every statement takes a random time
/// before it runs and another before its answer is heard.
class simulation {
public:
  explicit simulation(std::uint32_t seed) : random_(seed) {}

  struct node {
    node_id name;
    std::string life;
    state s;
    std::map<slot_number, std::int64_t> serving; ///< What its actors think.
    condition says = condition::serving;
    bool up = false;
    bool frozen = false;
    bool suspended = false;
    bool looking = false;
    bool renewing = false;
    std::vector<std::pair<instant, std::function<void()>>> inbox;
  };

  void boot(const std::string& name) {
    auto& n = nodes_[name];
    n = node{};
    n.name = {name};
    n.life = name + '-' + std::to_string(++lives_);
    n.up = true;
    auto& l = store_.leases[n.name];
    l = {n.name, n.life, l.renewals + 1, condition::serving};
    n.s = start(n.name, n.life, now_);
  }

  void kill(const std::string& name) {
    nodes_[name] = node{};
    nodes_[name].name = {name};
  }

  void freeze(const std::string& name, bool frozen) {
    nodes_[name].frozen = frozen;
  }

  void drain(const std::string& name) {
    auto& n = nodes_[name];
    if (n.up)
      happen(n, drain_asked{});
  }

  void outage(bool away) { store_.away = away; }

  void run(instant how_long) {
    const auto end = now_ + how_long;
    for (; now_ < end; now_ += 10ms) {
      for (auto& [name, n] : nodes_)
        if (n.up && !n.frozen)
          turn(n);
      check();
    }
  }

  /// Every slot is served by a node that is up, and by no other.
  bool all_served() const {
    for (const auto& x : store_.places) {
      const auto at = nodes_.find(x.owner.text);
      if (at == nodes_.end() || !at->second.up || at->second.frozen
          || at->second.suspended)
        return false;
      const auto mine = at->second.serving.find(x.slot);
      if (mine == at->second.serving.end() || mine->second != x.epoch)
        return false;
    }
    return true;
  }

  std::size_t owned_by(const std::string& name) const {
    return static_cast<std::size_t>(
      std::count_if(store_.places.begin(), store_.places.end(),
                    [&](const auto& x) { return x.owner.text == name; }));
  }

  instant now() const { return now_; }
  std::mt19937& random() { return random_; }
  const node& at(const std::string& name) const { return nodes_.at(name); }

  /// Runs until all is served. @returns how long it took, or nothing
  std::optional<instant> recover(instant patience) {
    const auto begin = now_;
    while (now_ - begin < patience) {
      run(10ms);
      if (all_served())
        return now_ - begin;
    }
    return std::nullopt;
  }

private:
  instant wait() { return instant{random_() % 30}; }

  /// Sends a statement: runs after a while, is heard of after another.
  template <class Run, class Hear>
  void ask(node& n, Run run, Hear hear) {
    const auto life = n.life;
    const auto name = n.name.text;
    n.inbox.emplace_back(now_ + wait(), [this, name, life, run, hear] {
      auto& x = nodes_[name];
      auto got = run(x);
      x.inbox.emplace_back(now_ + wait(), [this, name, life, got, hear] {
        if (auto& y = nodes_[name]; y.up && y.life == life)
          hear(y, got);
      });
    });
  }

  void turn(node& n) {
    // Due answers first, in order of their time.
    std::vector<std::function<void()>> due;
    for (auto& [at, call] : n.inbox)
      if (at <= now_)
        due.push_back(std::move(call));
    std::erase_if(n.inbox, [&](const auto& x) { return x.first <= now_; });
    for (auto& call : due)
      call();
    happen(n, ticked{});
    if (now_ % 100ms == 0ms && !std::exchange(n.looking, true))
      ask(
        n,
        [this, at = now_](node&) {
          return store_.away ? std::optional<seen>{}
                             : std::optional{seen{at, store_.look()}};
        },
        [this](node& x, const std::optional<seen>& got) {
          x.looking = false;
          if (got)
            happen(x, *got);
          else
            happen(x, look_failed{});
        });
    if (now_ % 200ms == 0ms && !std::exchange(n.renewing, true))
      ask(
        n,
        [this, at = now_](node& x) -> std::optional<event> {
          if (store_.away)
            return std::nullopt;
          if (!store_.renew(x.name, x.life, x.says))
            return replaced{};
          return renewed{at};
        },
        [this](node& x, const std::optional<event>& got) {
          x.renewing = false;
          if (got)
            happen(x, *got);
        });
  }

  void happen(node& n, const event& what) {
    for (const auto& e : apply(n.s, what, rules_, now_))
      std::visit([&](const auto& x) { perform(n, x); }, e);
  }

  void perform(node& n, const claim& c) {
    ask(
      n,
      [this, c](node& x) {
        return store_.away ? std::vector<place>{}
                           : store_.take(x.name, x.life, c);
      },
      [this, c](node& x, const std::vector<place>& got) {
        claimed told{{}, got};
        for (const auto& p : c.what)
          told.asked.push_back(p.slot);
        happen(x, told);
      });
  }
  void perform(node& n, const serve& e) { n.serving[e.slot] = e.epoch; }
  void perform(node& n, const stop& e) {
    if (n.serving[e.slot] == e.epoch)
      n.serving.erase(e.slot);
  }
  void perform(node& n, const settle& e) {
    ask(
      n, [](node&) { return 0; },
      [this, e](node& x, int) {
        happen(x, quiet{e.slot, e.epoch});
      });
  }
  void perform(node&, const resume&) {}
  void perform(node& n, const hand_over& e) {
    ask(
      n,
      [this, e](node& x) {
        // One in five answers is lost, before or after the commit.
        const auto luck = random_() % 10;
        if (luck == 0 || !store_.writes(x.name, e.slot, e.epoch))
          return false;
        store_.own(e.slot, e.to);
        return luck != 1;
      },
      [this, e](node& x, bool done) {
        if (done)
          happen(x, handed_over{e.slot, e.epoch + 1, e.to});
        else
          happen(x, hand_over_failed{e.slot});
      });
  }
  void perform(node&, const reroute&) {}
  void perform(node&, const bury&) {}
  void perform(node& n, const say& e) { n.says = e.what; }
  void perform(node& n, const suspend&) { n.suspended = true; }
  void perform(node& n, const go_on&) { n.suspended = false; }
  void perform(node&, const drained&) {}

  /// At most one node can write for a slot, whatever the nodes believe.
  void check() {
    for (std::size_t k = 0; k < slots_all; ++k) {
      int writers = 0;
      const auto slot = static_cast<slot_number>(k);
      for (const auto& [name, n] : nodes_) {
        const auto mine = n.serving.find(slot);
        if (n.up && mine != n.serving.end()
            && store_.writes(n.name, slot, mine->second))
          ++writers;
      }
      if (writers > 1)
        FAIL("two nodes can write for slot " << k);
    }
  }

  std::mt19937 random_;
  rules rules_{};
  simulated_store store_;
  std::map<std::string, node> nodes_;
  instant now_ = 0ms;
  int lives_ = 0;
};

} // namespace

TEST_CASE("after a kill every slot is served again within two seconds",
          "[membership][simulation]") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    simulation all{seed};
    for (const auto* x : {"n1", "n2", "n3"})
      all.boot(x);
    REQUIRE(all.recover(5s));
    all.run(6s);
    all.run(instant{all.random()() % 300});
    all.kill("n" + std::to_string(1 + seed % 3));
    const auto took = all.recover(5s);
    REQUIRE(took);
    CHECK(*took <= 2s);
  }
}

TEST_CASE("a frozen node is taken over and cannot write when it wakes",
          "[membership][simulation]") {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    simulation all{seed};
    for (const auto* x : {"n1", "n2", "n3"})
      all.boot(x);
    all.run(6s);
    all.freeze("n2", true);
    const auto took = all.recover(5s);
    REQUIRE(took);
    CHECK(*took <= 2s);
    CHECK(all.owned_by("n2") == 0);
    all.freeze("n2", false);
    all.run(10s); // `check` runs after each step.
    CHECK(all.all_served());
    CHECK(all.owned_by("n2") >= 10); // It has come back to its share.
  }
}

TEST_CASE("a newcomer gets its share, a leaver leaves nothing behind",
          "[membership][simulation]") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    simulation all{seed};
    all.boot("n1");
    REQUIRE(all.recover(2s));
    CHECK(all.owned_by("n1") == slots_all);
    all.boot("n2");
    all.boot("n3");
    all.run(8s);
    CHECK(all.all_served());
    for (const auto* x : {"n1", "n2", "n3"})
      CHECK(all.owned_by(x) >= 10);
    all.drain("n1");
    all.run(8s);
    CHECK(all.owned_by("n1") == 0);
    CHECK(all.all_served());
  }
}

TEST_CASE("an outage of the database moves no slot",
          "[membership][simulation]") {
  simulation all{7};
  for (const auto* x : {"n1", "n2", "n3"})
    all.boot(x);
  all.run(8s);
  const std::vector before{all.owned_by("n1"), all.owned_by("n2"),
                           all.owned_by("n3")};
  all.outage(true);
  all.run(20s);
  CHECK(all.at("n1").suspended);
  all.outage(false);
  REQUIRE(all.recover(2s));
  CHECK(
    before
    == std::vector{all.owned_by("n1"), all.owned_by("n2"), all.owned_by("n3")});
}

TEST_CASE("whatever happens to the nodes, nobody writes at another's epoch",
          "[membership][simulation]") {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    simulation all{seed};
    const std::vector<std::string> names{"n1", "n2", "n3", "n4"};
    for (const auto& x : names)
      all.boot(x);
    for (int i = 0; i < 25; ++i) {
      const auto& who = names[all.random()() % names.size()];
      switch (all.random()() % 7) {
        case 0: all.kill(who); break;
        case 1:
        case 2: all.boot(who); break; // Also while its former life goes on.
        case 3: all.freeze(who, true); break;
        case 4: all.freeze(who, false); break;
        case 5: all.drain(who); break;
        default: all.outage(all.random()() % 3 == 0); break;
      }
      all.run(instant{(all.random()() % 150) * 10});
    }
    all.outage(false);
    for (const auto& x : names)
      all.boot(x);
    all.run(3s);
    CHECK(all.recover(5s));
  }
}
