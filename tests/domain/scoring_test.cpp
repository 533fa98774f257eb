#include "actors/domain/scoring.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

const policy p;
const time_point noon{duration{1'700'000'000'000}};
constexpr auto day = duration{24h};

router::session_waiting session() {
  router::session_waiting s;
  s.session = {7};
  s.channel = "web";
  s.since = noon;
  return s;
}

agent::availability agent_named(std::string name) {
  agent::availability a;
  a.id = {std::move(name)};
  a.routable = true;
  a.now = agent::presence::online;
  return a;
}

std::vector<std::string> verdicts(const router::session_waiting& s,
                                  const agent::availability& a,
                                  const scoring::obstacles& o = {}) {
  auto out = scoring::verdicts(p, s, a, o);
  CHECK(scoring::eligible(p, s, a, o) == out.empty());
  return out;
}

} // namespace

TEST_CASE("an agent without lists serves every queue and channel",
          "[scoring]") {
  CHECK(verdicts(session(), agent_named("li")).empty());
}

TEST_CASE("every reason against an agent is a sentence, and all are kept",
          "[scoring]") {
  auto s = session();
  s.want = {{"pre-sale"}, "zh", {"billing", "refunds"}, urgency_class::vip};
  s.not_from = agent_id{"li"};
  auto a = agent_named("li");
  a.now = agent::presence::busy;
  a.routable = false;
  a.load = 3000;
  a.who = {"Li", {{"en", 4}}, {{"refunds", 2}}, {{"tech"}}, {"wechat"}, 3000};
  CHECK(verdicts(s, a, {true, true})
        == std::vector<std::string>{
          "queue: serves tech, not pre-sale",
          "language: needs zh, has en 4",
          "skill: needs billing, has refunds 2",
          "channel: serves wechat, not web",
          "presence: busy",
          "transfer: came from this agent",
          "capacity: load 3000 + 1000 > 3000",
          "excluded: declined or did not answer lately",
          "set aside: refused a proposal a moment ago",
        });
}

TEST_CASE("a language below level 3 does not count", "[scoring]") {
  auto s = session();
  s.want.language = "zh";
  auto a = agent_named("li");
  a.who.languages = {{"zh", 2}};
  CHECK(verdicts(s, a)
        == std::vector<std::string>{"language: needs zh 3, has 2"});
  a.who.languages = {{"zh", 3}};
  CHECK(verdicts(s, a).empty());
}

TEST_CASE("an agent takes a session that fits exactly", "[scoring]") {
  auto s = session();
  auto a = agent_named("li");
  a.load = 2000;
  CHECK(verdicts(s, a).empty());
  a.load = 2001;
  CHECK(verdicts(s, a).size() == 1);
}

TEST_CASE("a transfer to one agent asks for room, not for skills",
          "[scoring]") {
  auto s = session();
  s.want.skills = {"billing"};
  s.only = agent_id{"li"};
  CHECK(verdicts(s, agent_named("li")).empty());
  CHECK(verdicts(s, agent_named("wang"))
        == std::vector<std::string>{"transfer: only to li"});
}

TEST_CASE("an affinity halves every fourteen days", "[scoring]") {
  struct row {
    duration age;
    scoring::score expected;
  };
  const auto [age, expected] = GENERATE(
    row{-1s, 1'000'000}, row{0s, 1'000'000}, row{7 * day, 707'106},
    row{14 * day, 500'000}, row{28 * day, 250'000}, row{3 * day, 861'971},
    row{140 * day, 976}, row{420 * day, 0}, row{14000 * day, 0});
  CHECK(scoring::fading(age, p.affinity_half_life)
        == Approx(expected).margin(20));
}

TEST_CASE("an affinity never grows with time", "[scoring]") {
  auto last = scoring::one;
  for (duration age{0}; age < 60 * day; age += 7min) {
    const auto x = scoring::fading(age, p.affinity_half_life);
    REQUIRE(x <= last);
    last = x;
  }
}

TEST_CASE("the load factor follows what one more chat adds", "[scoring]") {
  struct row {
    std::int32_t load;
    scoring::score expected;
  };
  const auto [load, expected] =
    GENERATE(row{0, 1'000'000}, row{1000, 805'000}, row{2000, 610'000},
             row{3000, 480'000}, row{4000, 350'000}, row{9000, 350'000},
             row{500, 902'500}, row{3500, 415'000}, row{-1, 1'000'000});
  CHECK(scoring::load_factor(p, load) == expected);
}

TEST_CASE("only what a session asks for has weight", "[scoring]") {
  auto s = session();
  auto a = agent_named("li");
  a.who.languages = {{"zh", 4}};
  a.who.skills = {{"billing", 5}, {"refunds", 2}};
  CHECK(scoring::rate(p, s, a, noon).quality == scoring::one);
  s.want.language = "zh";
  CHECK(scoring::rate(p, s, a, noon).quality == 800'000);
  s.want.skills = {"billing", "refunds"};
  CHECK(scoring::rate(p, s, a, noon).skill == 700'000);
  // (.15 * .8 + .45 * .7) / .60
  CHECK(scoring::rate(p, s, a, noon).quality == 725'000);
  s.previous = agent_id{"li"};
  s.previous_at = noon - 14 * day;
  CHECK(scoring::rate(p, s, a, noon).affinity == 300'000);
  // (.15 * .8 + .45 * .7 + .25 * .3) / .85
  CHECK(scoring::rate(p, s, a, noon).quality == 600'000);
  a.load = 1000;
  CHECK(scoring::rate(p, s, a, noon).match == 483'000);
}

TEST_CASE("of an ability listed twice the better level counts", "[scoring]") {
  CHECK(scoring::level_of({{"zh", 2}, {"zh", 4}}, "zh") == 4);
  CHECK(scoring::level_of({{"zh", 9}}, "zh") == 5);
  CHECK(scoring::level_of({{"zh", 3}}, "en") == 0);
}

TEST_CASE("urgency grows with the square of the relative wait", "[scoring]") {
  struct row {
    urgency_class what;
    duration wait;
    scoring::score expected;
  };
  const auto [what, wait, expected] =
    GENERATE(row{urgency_class::normal, 0s, 1'000'000},
             row{urgency_class::normal, 60s, 4'000'000},
             row{urgency_class::normal, 30s, 2'250'000},
             row{urgency_class::vip, 30s, 12'000'000},
             row{urgency_class::urgent, 15s, 20'000'000},
             row{urgency_class::relaxed, 30min, 4'000'000},
             row{urgency_class::normal, -5s, 1'000'000});
  CHECK(scoring::urgency(p, what, wait) == expected);
}

TEST_CASE("no wait, however long, overflows a priority", "[scoring]") {
  for (const auto c : {urgency_class::normal, urgency_class::vip,
                       urgency_class::urgent, urgency_class::relaxed}) {
    const auto week = scoring::urgency(p, c, duration{24h * 7 * 52});
    CHECK(week > scoring::urgency(p, c, duration{1min}));
    CHECK(scoring::priority(week, scoring::one) == week);
  }
}

TEST_CASE("equals are told apart by load ratio, idle time, hash", "[scoring]") {
  auto x = agent_named("x");
  auto y = agent_named("y");
  const auto compare = [&](scoring::score mx, scoring::score my) {
    const auto c = scoring::compare({&x, mx}, {&y, my}, {7}, 1);
    const auto back = scoring::compare({&y, my}, {&x, mx}, {7}, 1);
    CHECK(c.first_is_better != back.first_is_better);
    CHECK(c.by == back.by);
    return c;
  };
  CHECK(compare(5, 4).by == scoring::rule::match);
  CHECK(compare(5, 4).first_is_better);
  CHECK(compare(5, 5).by == scoring::rule::hash);
  x.last_accepted_at = noon;
  CHECK(compare(5, 5).by == scoring::rule::idle);
  CHECK_FALSE(compare(5, 5).first_is_better);
  y.load = 1000;
  CHECK(compare(5, 5).by == scoring::rule::load_ratio);
  CHECK(compare(5, 5).first_is_better);
}

TEST_CASE("the hash of a tie depends on session, agent and policy",
          "[scoring]") {
  const auto h = scoring::tie_hash({7}, "li", 1);
  CHECK(h == scoring::tie_hash({7}, "li", 1));
  CHECK(h != scoring::tie_hash({8}, "li", 1));
  CHECK(h != scoring::tie_hash({7}, "wang", 1));
  CHECK(h != scoring::tie_hash({7}, "li", 2));
}
