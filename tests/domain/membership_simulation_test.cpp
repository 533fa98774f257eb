// Many nodes, one store, one seed: whatever happens to them, nobody writes at
// another's epoch, and every slot is served again.
#include "actors/domain/membership.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace switchboard;
using namespace switchboard::membership;
using namespace std::chrono_literals;

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
  void perform(node& n, const serve& e) {
    n.serving[e.slot] = e.epoch;
    // It says so to all others; one word in five is lost.
    for (auto& [name, x] : nodes_)
      if (x.up && name != n.name.text && random_() % 5 != 0)
        ask(
          x, [](node&) { return 0; },
          [this, e](node& y, int) { happen(y, served{e.slot}); });
  }
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
    all.run(20s); // One slot after the other, and one word in five is lost.
    CHECK(all.all_served());
    for (const auto* x : {"n1", "n2", "n3"})
      CHECK(all.owned_by(x) >= 10);
    all.drain("n1");
    all.run(40s);
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
