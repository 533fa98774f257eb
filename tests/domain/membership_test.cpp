#include "actors/domain/membership.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <string>
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
  // The next one's turn comes when b serves this one ...
  CHECK(all_of<settle>(after).empty());
  const auto next = all_of<settle>(at(1240ms, served{first[0].slot}));
  REQUIRE(next.size() == 1);
  CHECK(all_of<settle>(at(1241ms, served{first[0].slot})).empty());
  // ... or when its word should long have come.
  at(1250ms, quiet{next[0].slot, 1});
  at(1260ms, handed_over{next[0].slot, 2, {"b"}});
  v.places[first[0].slot] = {first[0].slot, {"b"}, 2};
  v.places[next[0].slot] = {next[0].slot, {"b"}, 2};
  CHECK(all_of<settle>(look(1500ms)).empty());
  CHECK(all_of<settle>(look(1600ms)).size() == 1);
}

TEST_CASE_METHOD(alone, "a hand-over of unknown outcome is looked up",
                 "[membership]") {
  r.moves_max = 2;
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
