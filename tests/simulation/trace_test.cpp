#include "bench/simulation/engine.hpp"
#include "bench/simulation/figures.hpp"
#include "bench/simulation/trace.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace switchboard::simulation;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string complaint(const result<T>& x) {
  return x ? "none" : x.error().detail;
}

} // namespace

TEST_CASE("CSV and JSON lines say the same about customers", "[simulation]") {
  const auto csv = parse_customers(
    "at_s, language, skills, urgency, patience_s, work_s, previous\r\n"
    "7.5, zh, billing|sales, vip, 60, 120, li\r\n"
    "3, , , , , ,\r\n");
  const auto json = parse_customers(
    R"({"at_s": 3}
{"at_s": 7.5, "language": "zh", "skills": ["billing", "sales"],
)");
  CHECK(complaint(json).starts_with("line 2"));
  const auto whole = parse_customers(
    "{\"at_s\": 3}\n\n{\"at_s\": 7.5, \"language\": \"zh\", \"skills\": "
    "[\"billing\", \"sales\"], \"urgency\": \"vip\", \"patience_s\": 60, "
    "\"work_s\": 120, \"previous\": \"li\"}");
  REQUIRE(complaint(csv) == "none");
  REQUIRE(complaint(whole) == "none");
  CHECK(*csv == *whole);
  REQUIRE(csv->size() == 2);
  CHECK(csv->front().at_s == 3); // In order of arrival.
  CHECK_FALSE(csv->front().work_s);
  CHECK(csv->back().want.skills
        == std::vector<std::string>{"billing", "sales"});
  CHECK(csv->back().want.urgency == urgency_class::vip);
  CHECK(csv->back().previous == agent_id{"li"});
}

TEST_CASE("What is wrong in a file is named with its line", "[simulation]") {
  CHECK(complaint(parse_customers("")).find("no lines") != std::string::npos);
  CHECK(complaint(parse_customers("at_s\nsoon\n"))
        == "line 2: at_s is 'soon', not a number from 0 to 604800");
  CHECK(complaint(parse_customers("at_s\n-1\n")).starts_with("line 2"));
  CHECK(complaint(parse_customers("at_s,urgency\n1\n"))
        == "line 2: has 1 values for 2 names");
  CHECK(complaint(parse_customers("at_s,urgency\n1,soon\n"))
        == "line 2: urgency is 'soon', not normal, vip, urgent or relaxed");
  CHECK(complaint(parse_customers("at_s,color\n1,red\n"))
          .starts_with("line 2: unknown field 'color'"));
  CHECK(complaint(parse_customers("{\"language\": \"zh\"}"))
        == "line 1: at_s is missing: seconds since opening");
  CHECK(complaint(parse_customers("at_s,skills\n1,\"a,b\"\n"))
          .starts_with("line 2: has quotes"));
  CHECK(complaint(parse_agents("id,languages\nli,zh:6\n"))
          .starts_with("line 2: languages has 'zh:6'"));
  CHECK(complaint(parse_agents("id\nli\nli\n"))
        == "line 3: agent li is there already");
  CHECK(complaint(parse_agents("id,shifts\nli,4-0\n"))
          .starts_with("line 2: shifts has '4-0'"));
}

TEST_CASE("A recorded day is simulated with the people it names",
          "[simulation]") {
  const auto customers = parse_customers("at_s,language,work_s,patience_s\n"
                                         "0,zh,100,500\n"
                                         "10,zh,50,500\n"
                                         "20,en,50,30\n");
  const auto agents = parse_agents("id,languages,capacity,shifts\n"
                                   "li,zh:5,1,0-1\n");
  REQUIRE(complaint(customers) == "none");
  REQUIRE(complaint(agents) == "none");
  const auto w = make_recorded_world({}, *customers, *agents);
  REQUIRE(w.workers.size() == 1);
  CHECK(w.workers[0].who.capacity == 1000);
  const auto d = simulate(w, *make_dispatcher(rule::switchboard));
  CHECK(count(d) == head_count{3, 2, 1, 0});
  CHECK(d.fates[1].wait == 90s);
  CHECK(d.fates[2].how == ending::abandoned); // Nobody speaks English.
}

TEST_CASE("Agents who are made up can do what recorded customers ask for",
          "[simulation]") {
  const auto customers = parse_customers("at_s,language,skills\n"
                                         "0,fr,tax\n"
                                         "10,fr,\n");
  REQUIRE(complaint(customers) == "none");
  for (const auto& x : make_recorded_world({}, *customers, {}).workers) {
    CHECK(x.who.languages == std::vector<agent::ability>{{"fr", 5}});
    REQUIRE(x.who.skills.size() == 1);
    CHECK(x.who.skills[0].name == "tax");
  }
}
