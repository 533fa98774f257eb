// What waiting changes: pressure, hold, relaxation; and other policies.
#include "actors/domain/canary.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace switchboard;
using namespace std::chrono_literals;
using step = policy::relaxation::step;

namespace {

const agent_id li{"li"};
const agent_id wang{"wang"};
const agent_id zhao{"zhao"};

struct fixture {
  policy rules{};
  std::unique_ptr<router::matcher> made{};
  time_point now{duration{1'700'000'000'000}};
  router::effects last{};

  router::matcher& m() {
    if (!made)
      made = std::make_unique<router::matcher>(rules);
    return *made;
  }

  void happens(const router::event& e) { last = m().apply(e, now); }

  void passes(duration time) {
    now += time;
    happens(router::swept{});
  }

  agent::availability who(const agent_id& id, std::int32_t load,
                          std::int32_t capacity = 4000) const {
    agent::availability a;
    a.id = id;
    a.routable = true;
    a.now = agent::presence::online;
    a.who.capacity = capacity;
    a.load = load;
    return a;
  }

  router::session_waiting waits(std::int64_t id) const {
    router::session_waiting s;
    s.session = {id};
    s.channel = "web";
    s.since = now;
    return s;
  }

  /// "7->li 8->wang"; "lost" for what an event should have found.
  std::string proposals() const {
    std::string out;
    for (const auto& x : last) {
      const auto* y = std::get_if<router::propose>(&x);
      const auto* lost = std::get_if<router::lost_wakeup>(&x);
      if (y)
        out += (out.empty() ? "" : " ") + to_string(y->session) + "->"
               + y->agent.text;
      if (lost)
        out += "lost ";
    }
    return out;
  }

  const decision& why() const {
    return *std::get<router::propose>(last.at(0)).why;
  }
};

} // namespace

// -- reply windows ------------------------------------------------------------

TEST_CASE("a session presses more the less of its reply window is left",
          "[router]") {
  policy p;
  p.reply_windows = {{"wechat", 48h}};
  CHECK(scoring::window_pressure(p, "web", 47h) == 0);
  CHECK(scoring::window_pressure(p, "wechat", 1h) == 0);
  CHECK(scoring::window_pressure(p, "wechat", 47h) == 0);
  CHECK(scoring::window_pressure(p, "wechat", 47h + 30min) == 2'000'000);
  CHECK(scoring::window_pressure(p, "wechat", 48h) == 4'000'000);
  CHECK(scoring::window_pressure(p, "wechat", 50h) == 4'000'000);
}

TEST_CASE_METHOD(fixture, "who must be answered soon overtakes", "[router]") {
  rules.reply_windows = {{"wechat", 2min}};
  rules.window_lead = 2min;
  rules.window_pressure = 400'000'000;
  happens(router::agent_changed{who(li, 4000)});
  happens(waits(7));
  now += 10s;
  auto s = waits(8);
  s.channel = "wechat";
  happens(s);
  now += 90s;
  happens(router::agent_changed{who(li, 3000)});
  CHECK(proposals() == "8->li");
}

// -- the hold -----------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a queue's own target presses instead of the class's",
                 "[router]") {
  happens(router::agent_changed{who(li, 4000)});
  auto early = waits(1);
  auto strict = waits(2);
  strict.since += 20s;
  strict.target = 15s;
  auto lenient = waits(3);
  lenient.since -= 60s;
  lenient.target = 30min;
  for (const auto& s : {early, strict, lenient})
    happens(s);
  now += 40s; // 40 / 60, 20 / 15 and 100 / 1800 of their targets.
  happens(router::agent_changed{who(li, 1000)});
  CHECK(proposals() == "2->li 1->li 3->li");
}

TEST_CASE_METHOD(fixture, "an agent may be let in besides those who are able",
                 "[router]") {
  auto able = who(li, 4000);
  able.who.skills = {{"law", 5}};
  auto receiver = who(wang, 0);
  receiver.who.queues = {{"other"}};
  happens(router::agent_changed{able});
  happens(router::agent_changed{receiver});
  auto s = waits(1);
  s.want.skills = {"law"};
  s.want.language = "zh";
  happens(s);
  CHECK(proposals().empty());
  s.besides = wang;
  happens(s);
  CHECK(proposals() == "1->wang");
  // Whoever becomes free first has it.
  happens(router::agent_changed{who(wang, 4000)});
  s.want.language = "";
  s.session = {2};
  happens(s);
  CHECK(proposals().empty());
  SECTION("one of the able") {
    able.load = 0;
    happens(router::agent_changed{able});
    CHECK(proposals() == "2->li");
  }
  SECTION("the one besides") {
    receiver.load = 0;
    happens(router::agent_changed{receiver});
    CHECK(proposals() == "2->wang");
  }
}

TEST_CASE_METHOD(fixture, "places are counted in each queue, most urgent first",
                 "[router]") {
  auto a = waits(1);
  auto b = waits(2);
  b.want.urgency = urgency_class::vip;
  auto c = waits(3);
  c.want.queue = {"sales"};
  auto d = waits(4);
  d.not_from = li; // In transfer: nobody to be told.
  auto e = waits(5);
  e.since -= 10s;
  for (const auto& s : {a, b, c, d, e})
    happens(s);
  std::string out;
  for (const auto& x : m().places(now + 30s))
    out += to_string(x.session) + ":" + std::to_string(x.position) + "/"
           + std::to_string(x.length) + "," + std::to_string(x.longest / 1s)
           + " ";
  CHECK(out == "2:1/3,40 5:2/3,40 1:3/3,40 3:1/1,30 ");
}

TEST_CASE_METHOD(fixture, "nobody is held unless the policy says so",
                 "[router]") {
  happens(router::agent_changed{who(li, 4000)});
  happens(router::agent_changed{who(wang, 0)});
  auto s = waits(7);
  s.previous = li;
  s.previous_at = now;
  happens(s);
  CHECK(proposals() == "7->wang");
}

TEST_CASE_METHOD(fixture,
                 "a session is held for the agent who knows the "
                 "customer",
                 "[router]") {
  rules.hold_time = 15s;
  rules.hold_patience = 9'000'000;
  happens(router::agent_changed{who(li, 1000, 1000)});
  auto stranger = who(wang, 3000);
  happens(router::agent_changed{stranger});
  auto s = waits(7);
  s.previous = li;
  s.previous_at = now;
  happens(s);
  REQUIRE(proposals().empty());
  SECTION("who gets it when they are free") {
    now += 5s;
    happens(router::agent_changed{who(li, 0, 1000)});
    CHECK(proposals() == "7->li");
  }
  SECTION("and to nobody else, even if they free themselves") {
    now += 5s;
    happens(router::agent_changed{who(wang, 2000)});
    CHECK(proposals().empty());
  }
  SECTION("until the time is over, which is no lost wake-up") {
    passes(15s - 1ms);
    CHECK(proposals().empty());
    passes(1ms);
    CHECK(proposals() == "7->wang");
  }
  SECTION("until that agent goes away") {
    auto gone = who(li, 1000, 1000);
    gone.routable = false;
    happens(router::agent_changed{gone});
    CHECK(proposals() == "7->wang");
  }
  SECTION("until that agent is not even known any more") {
    happens(router::agent_left{li});
    CHECK(proposals() == "7->wang");
  }
  SECTION("and may leave") {
    happens(router::session_left{{7}});
    CHECK(m().waiting() == 0);
    happens(router::agent_changed{who(li, 0, 1000)});
    CHECK(proposals().empty());
  }
}

TEST_CASE_METHOD(fixture, "a session is held no longer than it is worth",
                 "[router]") {
  rules.hold_time = 15s;
  rules.hold_patience = 1; // Next to nothing.
  happens(router::agent_changed{who(li, 1000, 1000)});
  happens(router::agent_changed{who(wang, 3000)});
  auto s = waits(7);
  s.previous = li;
  s.previous_at = now;
  happens(s);
  CHECK(proposals() == "7->wang");
}

// -- relaxation ---------------------------------------------------------------

namespace {

struct relaxing : fixture {
  relaxing() { rules.relaxations = {{30s, step::drop_skills, {}, {}}}; }

  /// Has the skill, and room as told.
  agent::availability expert(const agent_id& id, std::int32_t load) const {
    auto a = who(id, load);
    a.who.skills = {{"tech", 4}};
    return a;
  }

  router::session_waiting asks(std::int64_t id) const {
    auto s = waits(id);
    s.want.skills = {"tech"};
    return s;
  }
};

} // namespace

TEST_CASE_METHOD(relaxing,
                 "a session that waits too long takes a less suited "
                 "agent",
                 "[router]") {
  happens(router::agent_changed{who(li, 0)});
  happens(asks(7));
  CHECK(proposals().empty());
  passes(30s - 1ms);
  CHECK(proposals().empty());
  passes(1ms);
  CHECK(proposals() == "7->li");
  CHECK(why().relaxed == 1);
  CHECK(why().wait_ms == 30'000);
}

TEST_CASE_METHOD(relaxing, "a less suited agent keeps a place in reserve",
                 "[router]") {
  happens(router::agent_changed{who(li, 3000)});
  happens(asks(7));
  passes(30s);
  CHECK(proposals().empty());
  happens(router::agent_changed{who(li, 2000)});
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(relaxing, "a suited agent is taken without any reserve",
                 "[router]") {
  happens(asks(7));
  passes(30s);
  happens(router::agent_changed{expert(li, 3000)});
  CHECK(proposals() == "7->li");
  CHECK(why().relaxed == 0);
}

TEST_CASE_METHOD(relaxing,
                 "nothing is relaxed while the queue's agents are "
                 "busy",
                 "[router]") {
  happens(router::agent_changed{expert(zhao, 40'000)});
  auto big = expert(wang, 36'000);
  big.who.capacity = 36'000;
  happens(router::agent_changed{big});
  happens(router::agent_changed{who(li, 0)});
  happens(asks(7));
  passes(30s);
  CHECK(proposals().empty()); // 36 of 40 places and more are taken.
  big.load = 20'000;
  big.who.skills = {};
  happens(router::agent_changed{big});
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(relaxing,
                 "nobody less suited is taken whom somebody waits "
                 "for",
                 "[router]") {
  // 8 waits for li, who has room, but not for so large a session.
  happens(router::agent_changed{who(li, 0)});
  auto large = waits(8);
  large.load = 5000;
  happens(large);
  happens(asks(7));
  passes(30s);
  CHECK(proposals().empty());
  happens(router::session_left{{8}});
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(relaxing, "skills fall level by level", "[router]") {
  rules.skill_level_min = 3;
  rules.relaxations = {{10s, step::lower_skills, {}, {}},
                       {20s, step::lower_skills, {}, {}}};
  auto novice = who(li, 0);
  novice.who.skills = {{"tech", 1}};
  happens(router::agent_changed{novice});
  happens(asks(7));
  passes(10s);
  CHECK(proposals().empty());
  passes(10s);
  CHECK(proposals() == "7->li");
  CHECK(why().relaxed == 2);
}

TEST_CASE_METHOD(relaxing, "a second queue opens, without closing the first",
                 "[router]") {
  rules.relaxations = {{10s, step::open_queue, {"tech"}, queue_id{"sales"}}};
  auto a = who(li, 0);
  a.who.queues = {{"tech"}};
  happens(router::agent_changed{a});
  auto s = waits(7);
  s.want.queue = {"sales"};
  auto other = waits(8);
  other.want.queue = {"bills"};
  happens(s);
  happens(other);
  SECTION("for the queue that it was opened for") {
    passes(10s);
    CHECK(proposals() == "7->li");
  }
  SECTION("the own agents come first") {
    passes(5s);
    auto own = who(wang, 0);
    own.who.queues = {{"sales"}};
    happens(router::agent_changed{own});
    CHECK(proposals() == "7->wang");
  }
}

TEST_CASE_METHOD(relaxing, "a translation does in the end", "[router]") {
  rules.relaxations = {{10s, step::drop_language, {}, {}}};
  happens(router::agent_changed{who(li, 0)});
  auto s = waits(7);
  s.want.language = "fi";
  happens(s);
  CHECK(proposals().empty());
  passes(10s);
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(relaxing, "a relaxed session keeps its place and may leave",
                 "[router]") {
  happens(asks(7));
  passes(1min);
  happens(router::session_left{{7}});
  happens(router::agent_changed{who(li, 0)});
  CHECK(proposals().empty());
  CHECK(m().waiting() == 0);
}

// -- other policies -----------------------------------------------------------

TEST_CASE_METHOD(fixture, "a new policy decides about those who wait already",
                 "[router]") {
  auto a = who(li, 0);
  a.who.languages = {{"zh", 2}};
  happens(router::agent_changed{a});
  for (int i = 1; i <= 3; ++i) {
    auto s = waits(i);
    s.want.language = "zh";
    happens(s);
  }
  CHECK(m().waiting() == 3);
  auto milder = rules;
  milder.version = 2;
  milder.language_level_min = 2;
  now += 1min;
  happens(router::policy_changed{{.acting = milder}});
  CHECK(proposals() == "1->li 2->li 3->li");
  CHECK(why().policy == 2);
  CHECK(why().wait_ms == 60'000);
}

TEST_CASE_METHOD(fixture, "no session is lost by a change of the policy",
                 "[router]") {
  for (int i = 1; i <= 200; ++i) {
    auto s = waits(i);
    s.want.skills = {"tech"};
    s.previous = i % 3 ? std::optional{li} : std::nullopt;
    happens(s);
  }
  auto next = rules;
  next.relaxations = {{1s, step::drop_skills, {}, {}}};
  next.hold_time = 5s;
  for (int i = 0; i < 4; ++i) {
    happens(router::policy_changed{{.acting = i % 2 ? rules : next}});
    CHECK(m().waiting() == 200);
    passes(1s);
  }
  for (int i = 1; i <= 200; ++i)
    happens(router::session_left{{i}});
  CHECK(m().waiting() == 0);
}

TEST_CASE_METHOD(fixture, "a canary decides about its part of the sessions",
                 "[router]") {
  auto tried = rules;
  tried.version = 2;
  happens(router::policy_changed{
    {.acting = rules, .canary = tried, .canary_percent = 20}});
  std::map<std::int32_t, int> by_version;
  for (int i = 1; i <= 1000; ++i) {
    happens(router::agent_changed{who(li, 0)});
    happens(waits(i));
    REQUIRE(proposals() == to_string(session_id{i}) + "->li");
    ++by_version[why().policy];
    happens(router::session_left{{i}});
  }
  CHECK(by_version[1] + by_version[2] == 1000);
  CHECK(by_version[2] > 150);
  CHECK(by_version[2] < 250);
}

TEST_CASE_METHOD(fixture, "a canary whose customers give up is withdrawn",
                 "[router]") {
  auto strict = rules;
  strict.version = 2;
  strict.skill_level_min = 5;
  happens(router::policy_changed{
    {.acting = rules, .canary = strict, .canary_percent = 50}});
  auto a = who(li, 0);
  a.who.skills = {{"tech", 3}};
  std::string reason;
  for (int i = 1; i <= 400 && reason.empty(); ++i) {
    happens(router::agent_changed{a});
    auto s = waits(i);
    s.want.skills = {"tech"};
    happens(s);
    happens(router::session_left{{i}});
    for (const auto& x : last)
      if (const auto* ended = std::get_if<router::canary_ended>(&x))
        reason = ended->reason;
  }
  CHECK(reason.find("gave up waiting") != std::string::npos);
  for (int i = 1001; i <= 1020; ++i) {
    happens(router::agent_changed{a});
    auto s = waits(i);
    s.want.skills = {"tech"};
    happens(s);
    REQUIRE(proposals() == to_string(session_id{i}) + "->li");
    CHECK(why().policy == 1);
    happens(router::session_left{{i}});
  }
}

TEST_CASE("a canary is judged by what customers feel, and not too soon",
          "[router]") {
  router::canary_watch w;
  const auto serve = [&](std::size_t arm, int n, duration wait) {
    for (int i = 0; i < n; ++i)
      w.decided(arm, wait);
  };
  SECTION("fifty of each are needed") {
    serve(0, 100, 1s);
    serve(1, 10, 1h);
    CHECK(w.broken().empty());
  }
  SECTION("longer waits") {
    serve(0, 100, 10s);
    serve(1, 100, 16s);
    CHECK(w.broken().empty());
    serve(1, 100, 20s);
    CHECK(w.broken() == "its customers waited 18000 ms, the others 10000 ms");
  }
  SECTION("offers in vain") {
    serve(0, 100, 1s);
    serve(1, 100, 1s);
    for (int i = 0; i < 11; ++i)
      w.repeated(1);
    CHECK(w.broken()
          == "11.0 % of its offers came to nothing, 0.0 % of the others");
  }
}

TEST_CASE_METHOD(fixture,
                 "a shadow says what it would have chosen, and does "
                 "nothing",
                 "[router]") {
  auto a = who(li, 3000);
  a.who.skills = {{"tech", 5}};
  auto b = who(wang, 0);
  b.who.skills = {{"tech", 3}};
  happens(router::agent_changed{a});
  happens(router::agent_changed{b});
  auto other = rules;
  other.version = 9;
  other.load_factor_floor = 1'000'000; // Load does not matter.
  m().set_shadow(other);
  auto s = waits(7);
  s.want.skills = {"tech"};
  happens(s);
  REQUIRE(last.size() == 2);
  const auto& d = std::get<router::disagreement>(last[0]);
  CHECK(std::get<router::propose>(last[1]).agent == wang);
  CHECK(d.agent == wang);
  CHECK(d.other_agent == li);
  CHECK(d.policy == 9);
}

TEST_CASE_METHOD(fixture, "a shadow of the same policy never disagrees",
                 "[router]") {
  m().set_shadow(rules);
  for (int i = 1; i <= 60; ++i) {
    auto s = waits(i);
    s.want.skills = {i % 2 ? "tech" : "sales"};
    s.want.urgency = static_cast<urgency_class>(i % 4);
    happens(s);
    now += 100ms;
  }
  for (const auto* name : {"a", "b", "c", "d"}) {
    auto a = who({name}, 0);
    a.who.skills = {{"tech", 3}, {"sales", 4}};
    happens(router::agent_changed{a});
    CHECK(last.size() == 4);
    for (const auto& x : last)
      CHECK(std::holds_alternative<router::propose>(x));
  }
}

TEST_CASE_METHOD(fixture,
                 "of many sessions and many agents as many are brought "
                 "together as can be",
                 "[router]") {
  // Both suit li better; only 8 can go to wang.
  auto a = who(li, 0, 1000);
  a.who.skills = {{"tech", 5}};
  auto b = who(wang, 0, 1000);
  happens(router::agent_changed{a});
  happens(router::agent_changed{b});
  auto needy = waits(7);
  needy.want.skills = {"tech"};
  auto easy = waits(8);
  easy.since = now - 10s;
  // Nobody masters anything enough for anybody, and then a policy changes that.
  auto strict = rules;
  strict.language_level_min = 5;
  happens(router::policy_changed{{.acting = strict}});
  needy.want.language = "zh";
  easy.want.language = "zh";
  a.who.languages = {{"zh", 4}};
  b.who.languages = {{"zh", 3}};
  happens(router::agent_changed{a});
  happens(router::agent_changed{b});
  happens(needy);
  happens(easy);
  REQUIRE(proposals().empty());
  happens(router::policy_changed{{.acting = rules}});
  CHECK(proposals() == "8->wang 7->li");
}
