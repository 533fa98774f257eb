#include "actors/domain/router.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

const agent_id li{"li"};
const agent_id wang{"wang"};
const agent_id zhao{"zhao"};

/// A router, and what it has proposed since it was last asked.
struct fixture {
  router::matcher m;
  time_point now{duration{1'700'000'000'000}};
  router::effects last;

  void happens(const router::event& e) { last = m.apply(e, now); }

  agent::availability who(const agent_id& id, std::int32_t load = 0) const {
    agent::availability a;
    a.id = id;
    a.routable = true;
    a.now = agent::presence::online;
    a.who.capacity = 1000;
    a.load = load;
    return a;
  }

  void free(const agent_id& id) { happens(router::agent_changed{who(id)}); }
  void full(const agent_id& id, std::vector<session_id> with = {}) {
    auto a = who(id, 1000);
    a.sessions = std::move(with);
    happens(router::agent_changed{a});
  }

  router::session_waiting waits(std::int64_t id) const {
    router::session_waiting s;
    s.session = {id};
    s.channel = "web";
    s.since = now;
    return s;
  }

  /// "7->li 8->wang"
  std::string proposals() const {
    std::string out;
    for (const auto& x : last) {
      if (std::holds_alternative<router::turn_down>(x))
        continue; // To who picked, not to the session.
      if (!out.empty())
        out += ' ';
      if (const auto* y = std::get_if<router::propose>(&x))
        out += to_string(y->session) + "->" + y->agent.text;
      else
        out += "lost";
    }
    return out;
  }

  const decision& why(std::size_t i = 0) const {
    return *std::get<router::propose>(last.at(i)).why;
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "a session waits until an agent comes", "[router]") {
  happens(waits(7));
  CHECK(proposals().empty());
  CHECK(m.waiting() == 1);
  free(li);
  CHECK(proposals() == "7->li");
  CHECK(m.waiting() == 0);
}

TEST_CASE_METHOD(fixture, "a free agent is proposed at once", "[router]") {
  free(li);
  happens(waits(7));
  CHECK(proposals() == "7->li");
  CHECK(why().trigger == "session_waiting");
  CHECK(why().chosen == li);
  CHECK(why().waiting == 1);
}

TEST_CASE_METHOD(fixture, "a proposal takes room at once", "[router]") {
  free(li);
  happens(waits(7));
  happens(waits(8));
  CHECK(proposals().empty());
}

TEST_CASE_METHOD(fixture, "a report older than the proposal frees no room",
                 "[router]") {
  free(li);
  happens(waits(7));
  free(li); // Sent before li heard of 7.
  happens(waits(8));
  CHECK(proposals().empty());
  full(li, {{7}}); // Now li has granted 7,
  free(li);        // and is done with it.
  CHECK(proposals() == "8->li");
}

TEST_CASE_METHOD(fixture, "a refused session keeps its place in the line",
                 "[router]") {
  free(li);
  happens(waits(7));
  now += 1s;
  happens(waits(8));
  happens(router::refused{{7}, li, "full"});
  CHECK(proposals().empty()); // li is not asked again blindly.
  CHECK(m.waiting() == 2);
  free(li);
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(fixture, "a refused session goes to somebody else at once",
                 "[router]") {
  free(li);
  free(wang);
  happens(waits(7));
  const auto first = why().chosen;
  happens(router::refused{{7}, first, "full"});
  CHECK(proposals() == (first == li ? "7->wang" : "7->li"));
}

TEST_CASE_METHOD(fixture, "who refused is asked again after a pause",
                 "[router]") {
  free(li);
  happens(waits(7));
  happens(router::refused{{7}, li, "full"});
  now += 1s;
  happens(router::swept{});
  CHECK(proposals() == "7->li"); // Due, so no lost wake-up.
}

TEST_CASE_METHOD(fixture, "a lost proposal returns to the line", "[router]") {
  free(li);
  happens(waits(7));
  now += 2s;
  happens(router::swept{});
  CHECK(proposals() == "7->li");
}

TEST_CASE_METHOD(fixture, "a granted proposal is not made twice", "[router]") {
  free(li);
  happens(waits(7));
  full(li, {{7}});
  now += 10s;
  happens(router::swept{});
  CHECK(proposals().empty());
  CHECK(m.waiting() == 0);
}

TEST_CASE_METHOD(fixture,
                 "who asked again while the grant was on its way waits until "
                 "it says otherwise",
                 "[router]") {
  free(li);
  happens(waits(7));
  full(li, {{7}});
  happens(waits(7)); // Said before it heard of the grant.
  CHECK(m.waiting() == 1);
  happens(router::session_left{{7}}); // Said when it had.
  CHECK(m.waiting() == 0);
  happens(waits(8));
  free(li);
  CHECK(proposals() == "8->li");
}

TEST_CASE_METHOD(fixture, "proposals to an agent who leaves go to the next",
                 "[router]") {
  free(li);
  happens(waits(7));
  full(wang);
  happens(router::agent_left{li});
  CHECK(m.waiting() == 1);
  free(wang);
  CHECK(proposals() == "7->wang");
}

TEST_CASE_METHOD(fixture, "a session that left is not proposed", "[router]") {
  happens(waits(7));
  happens(router::session_left{{7}});
  free(li);
  CHECK(proposals().empty());
  CHECK(m.waiting() == 0);
}

TEST_CASE_METHOD(fixture, "a session that leaves on its way frees the room",
                 "[router]") {
  free(li);
  happens(waits(7));
  happens(waits(8));
  happens(router::session_left{{7}});
  CHECK(proposals() == "8->li");
}

TEST_CASE_METHOD(fixture, "the most pressing session goes first", "[router]") {
  happens(waits(7));
  auto vip = waits(8);
  vip.want.urgency = urgency_class::vip;
  happens(vip);
  SECTION("a VIP overtakes") {
    free(li);
    CHECK(proposals() == "8->li");
  }
  SECTION("but who has waited long enough is not overtaken") {
    now += 10min;
    auto late = waits(9);
    late.want.urgency = urgency_class::urgent;
    happens(router::session_left{{8}});
    happens(late);
    free(li);
    CHECK(proposals() == "7->li");
  }
}

TEST_CASE_METHOD(fixture, "equals are served in the order of waiting",
                 "[router]") {
  happens(waits(9));
  now += 1ms;
  happens(waits(8));
  happens(waits(7));
  auto a = who(li);
  a.who.capacity = 3000;
  happens(router::agent_changed{a});
  CHECK(proposals() == "9->li 7->li 8->li");
}

TEST_CASE_METHOD(fixture, "the agent who served last is preferred",
                 "[router]") {
  free(li);
  free(wang);
  free(zhao);
  for (const auto& previous : {li, wang, zhao}) {
    auto s = waits(7);
    s.previous = previous;
    s.previous_at = now - 24h;
    CHECK(m.apply(s, now).size() == 1);
    const auto d = m.apply(s, now); // Said again: decided again.
    CHECK(std::get<router::propose>(d.at(0)).agent == previous);
  }
}

TEST_CASE_METHOD(fixture, "a transfer goes to its agent and no other",
                 "[router]") {
  free(li);
  full(wang);
  auto s = waits(7);
  s.only = wang;
  s.not_from = zhao;
  happens(s);
  CHECK(proposals().empty());
  free(zhao);
  CHECK(proposals().empty());
  free(wang);
  CHECK(proposals() == "7->wang");
}

TEST_CASE_METHOD(fixture, "an excluded agent is passed over", "[router]") {
  free(li);
  full(wang);
  auto s = waits(7);
  s.excluded = {li};
  s.excluded_until = now + 5min;
  happens(s);
  CHECK(proposals().empty());
  SECTION("somebody else takes it") {
    free(wang);
    CHECK(proposals() == "7->wang");
  }
  SECTION("until the exclusion lapses, which is no lost wake-up") {
    now += 5min - 1ms;
    happens(router::swept{});
    CHECK(proposals().empty());
    now += 1ms;
    happens(router::swept{});
    CHECK(proposals() == "7->li");
  }
  SECTION("until nobody else is left") {
    auto gone = who(wang, 1000);
    gone.routable = false;
    happens(router::agent_changed{gone});
    CHECK(proposals() == "7->li");
    CHECK(why().tie_rule == "oldest exclusion lapses");
  }
  SECTION("or nobody else is even known") {
    happens(router::agent_left{wang});
    CHECK(proposals() == "7->li");
  }
}

TEST_CASE_METHOD(fixture, "when all are excluded the oldest lapses first",
                 "[router]") {
  free(li);
  free(wang);
  auto s = waits(7);
  s.excluded = {wang, li};
  s.excluded_until = now + 5min;
  happens(s);
  CHECK(proposals() == "7->wang");
}

TEST_CASE_METHOD(fixture, "an agent picks only what they have room for",
                 "[router]") {
  full(li);
  happens(waits(7));
  happens(router::picked{{7}, li});
  CHECK(proposals().empty());
  happens(router::picked{{9}, li});
  happens(router::picked{{7}, wang});
  CHECK(proposals().empty()); // Neither that session nor that agent is known.
}

TEST_CASE_METHOD(fixture, "who picks in vain is told why", "[router]") {
  full(li);
  happens(waits(7));
  happens(router::picked{{7}, li});
  REQUIRE(last.size() == 1);
  CHECK(std::get<router::turn_down>(last[0]).reason.find("capacity")
        != std::string::npos);
  happens(router::picked{{9}, li});
  REQUIRE(last.size() == 1);
  CHECK(std::get<router::turn_down>(last[0]).agent == li);
}

TEST_CASE_METHOD(fixture, "who is being asked is not asked again", "[router]") {
  free(li);
  auto s = waits(7);
  s.asked = {li};
  happens(s);
  CHECK(proposals().empty());
  free(wang);
  CHECK(proposals() == "7->wang");
}

TEST_CASE_METHOD(fixture, "while one is asked, refusals of others count",
                 "[router]") {
  free(wang);
  auto s = waits(7);
  s.asked = {li};
  s.excluded = {wang};
  s.excluded_until = now + 5min;
  happens(s);
  CHECK(proposals().empty());
}

TEST_CASE_METHOD(fixture, "an agent may pick what they had declined, or busy",
                 "[router]") {
  full(wang);
  auto s = waits(7);
  s.excluded = {li};
  s.excluded_until = now + 1min;
  happens(s);
  auto a = who(li);
  SECTION("after a change of mind") {
    happens(router::agent_changed{a});
  }
  SECTION("while busy") {
    a.routable = false;
    a.now = agent::presence::busy;
    happens(router::agent_changed{a});
  }
  CHECK(proposals().empty());
  happens(router::picked{{7}, li});
  REQUIRE(proposals() == "7->li");
  CHECK(std::get<router::propose>(last[0]).pick);
}

TEST_CASE_METHOD(fixture, "all verdicts of those not chosen are recorded",
                 "[router]") {
  full(wang);
  free(li);
  happens(waits(7));
  REQUIRE(why().candidates.size() == 2);
  CHECK(why().candidates[0].agent == li);
  CHECK(why().candidates[0].rank == 1);
  CHECK(why().candidates[1].rank == 0);
  CHECK(why().candidates[1].verdicts
        == std::vector<std::string>{"capacity: load 1000 + 1000 > 1000"});
  CHECK(why().margin == 1'000'000);
}

TEST_CASE_METHOD(fixture, "a record holds fifty agents and counts the rest",
                 "[router]") {
  for (int i = 0; i < 60; ++i)
    free({"a" + std::to_string(i)});
  happens(waits(7));
  CHECK(why().candidates.size() == 50);
  CHECK(why().candidates_left_out == 10);
  CHECK(why().candidates[0].agent == why().chosen);
  CHECK(why().candidates[49].rank == 50);
  CHECK(why().tie_rule == "hash of session, agent and policy");
}

TEST_CASE_METHOD(fixture, "the lines are counted by queue", "[router]") {
  const auto early = now;
  happens(waits(7));
  now += 1s;
  happens(waits(8));
  auto s = waits(9);
  s.want.queue = {"after-sale"};
  happens(s);
  const auto lines = m.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].queue == queue_id{"after-sale"});
  CHECK(lines[1].waiting == 2);
  CHECK(lines[1].oldest == early);
}

TEST_CASE_METHOD(fixture, "a waiting session can be thought through",
                 "[router]") {
  full(li);
  happens(waits(7));
  const auto d = m.consider({7}, now + 30s);
  REQUIRE(d);
  CHECK(d->wait_ms == 30'000);
  CHECK(d->urgency == 2'250'000);
  CHECK(d->chosen.empty());
  CHECK(m.waiting() == 1);
  CHECK_FALSE(m.consider({8}, now));
}
