#include "actors/domain/explain.hpp"

#include "actors/domain/router.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

/// li is the better match but full; wang is chosen.
decision example() {
  const time_point now{duration{1'700'000'000'000}};
  router::matcher m;
  agent::availability a;
  a.routable = true;
  a.now = agent::presence::online;
  a.who.capacity = 3000;
  a.id = {"li"};
  a.load = 3000;
  a.who.skills = {{"billing", 5}};
  CHECK(m.apply(router::agent_changed{a}, now).empty());
  a.id = {"wang"};
  a.load = 0;
  a.who.skills = {{"billing", 3}};
  CHECK(m.apply(router::agent_changed{a}, now).empty());
  a.id = {"zhao"};
  a.who.skills = {};
  CHECK(m.apply(router::agent_changed{a}, now).empty());
  router::session_waiting s;
  s.session = {7};
  s.channel = "web";
  s.since = now - 30s;
  s.want.skills = {"billing"};
  const auto out = m.apply(s, now);
  REQUIRE(out.size() == 1);
  return *std::get<router::propose>(out[0]).why;
}

} // namespace

TEST_CASE("a decision is told as a table", "[explain]") {
  CHECK("\n" + explain(example()) == R"(
session 7: wang, the only one who could
wants queue default, skill billing, normal
waited 30.000 s, urgency 2.250, 1 waiting; decided on session_waiting by policy
  1

rank  agent     match quality    lang  skill  affin    rho    load
   1  wang      0.600   0.600   0.000  0.600  0.000  1.000     0/3
   -  li        0.480   1.000   0.000  1.000  0.000  0.480     3/3
      capacity: load 3000 + 1000 > 3000
   -  zhao      0.000   0.000   0.000  0.000  0.000  1.000     0/3
      skill: needs billing, has none

would be li if load < 2.25
)");
}

TEST_CASE("no line is wider than the terminal", "[explain]") {
  const auto width = GENERATE(48u, 60u, 72u, 80u, 120u);
  std::istringstream lines(explain(example(), {}, width));
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= width);
  }
}

TEST_CASE("a decision for nobody says so", "[explain]") {
  decision d;
  d.session = {7};
  CHECK(explain(d).rfind("session 7: nobody\n", 0) == 0);
  CHECK(would_be(d).empty());
}

TEST_CASE("who lacks more than room would not be chosen", "[explain]") {
  auto d = example();
  d.candidates[1].verdicts.push_back("presence: busy");
  CHECK(would_be(d).empty());
}
