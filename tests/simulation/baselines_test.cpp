#include "bench/simulation/dispatcher.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace switchboard;
using namespace switchboard::simulation;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{duration{1'767'600'000'000}};

/// A rule with agents who take everything they are given.
class office {
public:
  explicit office(rule by) : rule_(make_dispatcher(by)) {}

  time_point now = start;

  void comes(const std::string& name, std::int32_t capacity,
             std::vector<agent::ability> skills = {}) {
    auto& a = agents_[{name}];
    a.id = {name};
    a.who.capacity = capacity;
    a.who.skills = std::move(skills);
    a.routable = true;
    follow(rule_->agent_changed(a, now));
  }

  /// @returns who got the customer, empty when they wait
  std::string asks(std::vector<std::string> skills = {},
                   urgency_class urgency = urgency_class::normal) {
    now += 1s;
    router::session_waiting s;
    s.session = {++last_};
    s.since = now;
    s.want.skills = std::move(skills);
    s.want.urgency = urgency;
    follow(rule_->waits(s, now));
    return with(last_);
  }

  void gives_up(std::int64_t session) { follow(rule_->leaves({session}, now)); }

  void ends(std::int64_t session) {
    now += 1s;
    auto& a = agents_.at({with(session)});
    std::erase(a.sessions, session_id{session});
    a.load -= 1000;
    follow(rule_->agent_changed(a, now));
  }

  void passes(duration time) {
    const auto to = now + time;
    for (auto t = rule_->next_wake(); t && *t <= to; t = rule_->next_wake()) {
      now = std::max(now, *t);
      follow(rule_->wake(now));
    }
    now = to;
  }

  std::string with(std::int64_t session) const {
    const auto at = with_.find(session);
    return at == with_.end() ? "" : at->second;
  }

private:
  void follow(const assignments& all) {
    for (const auto& x : all) {
      auto& a = agents_.at(x.agent);
      a.sessions.push_back(x.session);
      a.load += 1000;
      a.last_accepted_at = now;
      with_[x.session.value] = x.agent.text;
      follow(rule_->agent_changed(a, now));
    }
  }

  std::unique_ptr<dispatcher> rule_;
  std::map<agent_id, agent::availability> agents_{};
  std::map<std::int64_t, std::string> with_{};
  std::int64_t last_ = 0;
};

office with_three(rule by) {
  office o(by);
  o.comes("a", 2000);
  o.comes("b", 3000);
  o.comes("c", 4000);
  return o;
}

} // namespace

TEST_CASE("Round robin asks one after the other, whatever they have to do",
          "[simulation]") {
  auto o = with_three(rule::round_robin);
  CHECK(o.asks() == "a");
  o.ends(1);
  CHECK(o.asks() == "b");
  CHECK(o.asks() == "c");
  CHECK(o.asks() == "a");
  CHECK(o.asks() == "b");
}

TEST_CASE("Least chats counts chats and not room", "[simulation]") {
  auto o = with_three(rule::least_chats);
  o.asks();
  o.asks();
  o.asks();
  o.ends(2);
  CHECK(o.asks() == "b");
  CHECK(o.asks() == "a"); // All have one; a's began first.
}

TEST_CASE("Longest idle prefers who has nothing, then who began first",
          "[simulation]") {
  auto o = with_three(rule::longest_idle);
  CHECK(o.asks() == "a");
  CHECK(o.asks() == "b");
  CHECK(o.asks() == "c");
  o.ends(3);
  CHECK(o.asks() == "c"); // Idle, although the last who was given one.
  CHECK(o.asks() == "a");
  CHECK(o.asks() == "b"); // a is full, c began later.
}

TEST_CASE("Load ratio prefers the lowest share of room in use",
          "[simulation]") {
  auto o = with_three(rule::load_ratio);
  CHECK(o.asks() == "a");
  CHECK(o.asks() == "b");
  CHECK(o.asks() == "c");
  CHECK(o.asks() == "c"); // 1/4 against 1/3 and 1/2
  CHECK(o.asks() == "b"); // 1/3 against 2/4 and 1/2
}

TEST_CASE("Bullseye keeps a customer for experts at first", "[simulation]") {
  office o(rule::bullseye);
  o.comes("novice", 1000, {{"billing", 2}});
  o.comes("adept", 1000, {{"billing", 3}});
  CHECK(o.asks({"billing"}).empty());
  o.passes(14s);
  CHECK(o.with(1).empty());
  o.passes(1s);
  CHECK(o.with(1) == "adept");
  CHECK(o.asks({"billing"}).empty());
  o.passes(29s);
  CHECK(o.with(2).empty());
  o.passes(1s);
  CHECK(o.with(2) == "novice");
}

TEST_CASE("Bullseye gives a customer to an expert at once", "[simulation]") {
  office o(rule::bullseye);
  o.comes("novice", 1000, {{"billing", 2}});
  o.comes("expert", 1000, {{"billing", 4}});
  CHECK(o.asks({"billing"}) == "expert");
}

TEST_CASE("Every baseline serves the urgent first, then in order of arrival",
          "[simulation]") {
  for (const auto by : rules) {
    if (by == rule::switchboard)
      continue; // Weighs class and waiting against each other.
    INFO(to_string(by));
    office o(by);
    o.comes("a", 1000);
    CHECK(o.asks() == "a");
    CHECK(o.asks().empty());
    CHECK(o.asks().empty());
    CHECK(o.asks({}, urgency_class::urgent).empty());
    o.ends(1);
    CHECK(o.with(4) == "a");
    o.gives_up(2);
    o.ends(4);
    CHECK(o.with(3) == "a");
    CHECK(o.with(2).empty());
  }
}
