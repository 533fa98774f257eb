#include "bench/simulation/dice.hpp"
#include "bench/simulation/engine.hpp"
#include "bench/simulation/experiment.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

using namespace switchboard;
using namespace switchboard::simulation;
using namespace std::chrono_literals;

namespace {

constexpr time_point opening{duration{1'767'600'000'000}};

time_point after(double seconds) {
  return opening + duration{std::llround(seconds * 1000)};
}

worker somebody(const std::string& name, std::int32_t capacity,
                const period& shift) {
  worker x;
  x.id = {name};
  x.who.capacity = capacity;
  x.shifts = {shift};
  return x;
}

customer someone(double at_s, double work_s, double patience_s = 1e6) {
  customer c;
  c.at = after(at_s);
  c.work_s = work_s;
  c.patience = duration{std::llround(patience_s * 1000)};
  return c;
}

/// A textbook queue: equal servers, one customer each, everything exponential.
struct queue {
  int servers = 1;
  double arrivals = 1;   ///< A second.
  double service = 1;    ///< A second.
  double impatience = 0; ///< A second; 0: nobody leaves.
};

world textbook(const queue& q, std::size_t customers, std::uint64_t seed) {
  world w;
  dice r(seed);
  double at = 0;
  for (std::size_t i = 0; i < customers; ++i) {
    at += r.exponential(1 / q.arrivals);
    const auto work = r.exponential(1 / q.service);
    w.customers.push_back(someone(
      at, work, q.impatience > 0 ? r.exponential(1 / q.impatience) : 1e9));
  }
  w.open = {opening, after(at + 1)};
  for (int i = 0; i < q.servers; ++i)
    w.workers.push_back(somebody("a" + std::to_string(i), 1000, w.open));
  return w;
}

struct steady {
  double waits = 0;     ///< Share of customers who find all servers busy.
  double wait_s = 0;    ///< Mean of all.
  double abandoned = 0; ///< Share.
};

/// The stationary state of the birth and death process (Erlang C without
/// impatience, Erlang A with it).
steady solve(const queue& q) {
  constexpr int states = 2000;
  std::vector<double> p{1};
  for (int n = 1; n < states; ++n)
    p.push_back(p.back() * q.arrivals
                / (std::min(n, q.servers) * q.service
                   + std::max(n - q.servers, 0) * q.impatience));
  double sum = 0;
  double busy = 0;
  double line = 0;
  for (int n = 0; n < states; ++n) {
    const auto x = p[static_cast<std::size_t>(n)];
    sum += x;
    busy += n >= q.servers ? x : 0;
    line += std::max(n - q.servers, 0) * x;
  }
  return {busy / sum, line / sum / q.arrivals,
          q.impatience * line / sum / q.arrivals};
}

steady observe(const world& w, rule by) {
  const auto d = simulate(w, *make_dispatcher(by));
  steady s;
  for (const auto& f : d.fates) {
    s.waits += f.wait > duration{0};
    s.wait_s += std::chrono::duration<double>(f.wait).count();
    s.abandoned += f.how == ending::abandoned;
  }
  const auto n = static_cast<double>(d.fates.size());
  return {s.waits / n, s.wait_s / n, s.abandoned / n};
}

plan small(std::uint64_t seed, double load = 1) {
  plan p;
  p.seed = seed;
  p.agents = 15;
  p.hours = 3;
  p.load = load;
  return p;
}

} // namespace

TEST_CASE("The waiting times are those of Erlang's formula", "[simulation]") {
  const queue q{8, .085, .0125, 0}; // 85 % busy
  const auto expected = solve(q);
  const auto seen = observe(textbook(q, 200'000, 7), rule::longest_idle);
  CHECK(seen.waits == Approx(expected.waits).epsilon(.03));
  CHECK(seen.wait_s == Approx(expected.wait_s).epsilon(.06));
}

TEST_CASE("With impatience waiting and abandonment are those of Erlang A",
          "[simulation]") {
  const queue q{6, .12, .02, .01}; // More comes than can be done.
  const auto expected = solve(q);
  const auto seen = observe(textbook(q, 150'000, 11), rule::least_chats);
  CHECK(expected.abandoned > .08);
  CHECK(seen.abandoned == Approx(expected.abandoned).epsilon(.04));
  CHECK(seen.wait_s == Approx(expected.wait_s).epsilon(.04));
  CHECK(seen.waits == Approx(expected.waits).epsilon(.03));
}

TEST_CASE("Among equals every policy makes everyone wait the same",
          "[simulation]") {
  const queue q{4, .075, .02, .01};
  const auto w = textbook(q, 4'000, 3);
  const auto first = simulate(w, *make_dispatcher(rule::longest_idle));
  for (const auto by : rules) {
    INFO(to_string(by));
    const auto d = simulate(w, *make_dispatcher(by));
    for (std::size_t i = 0; i < d.fates.size(); ++i) {
      REQUIRE(d.fates[i].how == first.fates[i].how);
      REQUIRE(d.fates[i].wait == first.fates[i].wait);
    }
  }
}

TEST_CASE("The same seed gives the same day, another seed another day",
          "[simulation]") {
  for (const auto by : rules) {
    INFO(to_string(by));
    const auto one = simulate(make_world(small(1)), *make_dispatcher(by));
    const auto same = simulate(make_world(small(1)), *make_dispatcher(by));
    const auto other = simulate(make_world(small(2)), *make_dispatcher(by));
    CHECK(one.hash() == same.hash());
    CHECK(one.hash() != other.hash());
  }
}

TEST_CASE("Whoever came was served, has left, or still waits at closing",
          "[simulation]") {
  for (const auto seed : {1, 2, 3})
    for (const auto by : rules) {
      INFO(to_string(by) << ", seed " << seed);
      const auto w = make_world(small(static_cast<std::uint64_t>(seed), 1.6));
      const auto d = simulate(w, *make_dispatcher(by));
      const auto n = count(d);
      CHECK(n.arrived == w.customers.size());
      CHECK(n.arrived == n.served + n.abandoned + n.waiting);
      CHECK(n.abandoned > 0);
      std::size_t efforts = 0;
      for (const auto& e : d.efforts)
        efforts += static_cast<std::size_t>(e.served);
      CHECK(efforts == n.served);
      for (std::size_t i = 0; i < d.fates.size(); ++i)
        if (d.fates[i].how == ending::abandoned)
          REQUIRE(d.fates[i].wait == w.customers[i].patience);
    }
}

TEST_CASE("Some still wait when the service closes", "[simulation]") {
  world w;
  w.open = {opening, after(100)};
  w.workers = {somebody("a", 1000, w.open)};
  w.customers = {someone(0, 500), someone(60, 10)};
  for (const auto by : rules) {
    const auto d = simulate(w, *make_dispatcher(by));
    CHECK(count(d) == head_count{2, 1, 0, 1});
    CHECK(d.fates[1].wait == 40s);
    CHECK(d.fates[0].care == 500s); // Chats are finished after closing.
  }
}

TEST_CASE("Two chats at once share what an agent can do", "[simulation]") {
  world w;
  w.open = {opening, after(10'000)};
  w.workers = {somebody("a", 2000, w.open)};
  w.laws.throughput = {0, 1, 1.6};
  w.customers = {someone(0, 100), someone(50, 100)};
  const auto d = simulate(w, *make_dispatcher(rule::load_ratio));
  // 50 s alone, then both at 0.8: the first needs 62.5 s more. The second has
  // 50 left then and does them alone.
  CHECK(d.fates[0].care == 112'500ms);
  CHECK(d.fates[1].care == 112'500ms);
}

TEST_CASE("Ability and acquaintance make a chat shorter and more successful",
          "[simulation]") {
  nature n;
  customer c;
  c.work_s = 100;
  c.want.language = "zh";
  c.want.skills = {"billing"};
  worker expert{{"a"}, {"", {{"zh", 5}}, {{"billing", 5}}}, {}};
  worker novice{{"b"}, {"", {{"zh", 3}}, {{"billing", 1}}}, {}};
  const auto best = foresee(n, c, expert, opening);
  const auto worst = foresee(n, c, novice, opening);
  CHECK(best.work_s == Approx(100));
  CHECK(worst.work_s == Approx(100 * 1.52 * 1.14));
  CHECK(best.resolution == Approx(.93));
  CHECK(worst.resolution == Approx(.93 - .28 - .04));
  c.previous = expert.id;
  c.previous_at = opening - n.affinity_half_life;
  CHECK(foresee(n, c, expert, opening).work_s == Approx(90));
  CHECK(foresee(n, c, expert, opening).acquainted);
  CHECK_FALSE(foresee(n, c, novice, opening).acquainted);
}

TEST_CASE("Nobody is assigned to who is on a break", "[simulation]") {
  world w;
  w.open = {opening, after(1000)};
  w.workers = {somebody("a", 1000, {opening, after(100)})};
  w.workers[0].shifts.push_back({after(300), after(1000)});
  w.customers = {someone(150, 10)};
  for (const auto by : rules) {
    const auto d = simulate(w, *make_dispatcher(by));
    CHECK(d.fates[0].wait == 150s);
    CHECK(d.efforts[0].shift_s == Approx(800));
  }
}

namespace {

/// Gives everybody to the same agent, room or not.
class bully final : public dispatcher {
public:
  assignments waits(const router::session_waiting& s, time_point) override {
    return {{s.session, {"a"}}};
  }
  assignments leaves(session_id, time_point) override { return {}; }
  assignments agent_changed(const agent::availability&, time_point) override {
    return {};
  }
  assignments wake(time_point) override { return {}; }
};

} // namespace

TEST_CASE("A policy cannot overload an agent unnoticed", "[simulation]") {
  world w;
  w.open = {opening, after(1000)};
  w.workers = {somebody("a", 1000, w.open)};
  w.customers = {someone(0, 100), someone(1, 100)};
  bully b;
  CHECK_THROWS_AS(simulate(w, b), std::logic_error);
}

TEST_CASE("The product's matcher never finds by sweeping what an event missed",
          "[simulation]") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto d = simulate(make_world(small(seed, 1.3)),
                            *make_dispatcher(rule::switchboard));
    CHECK(d.lost_wakeups == 0);
  }
}

TEST_CASE("A customer's own draws do not depend on the others",
          "[simulation]") {
  auto longer = small(5);
  longer.load = 2;
  const auto w = make_company(small(5));
  for (std::size_t i = 0; i < 50; ++i)
    CHECK(draw_customer(w, small(5), i) == draw_customer(w, longer, i));
}
