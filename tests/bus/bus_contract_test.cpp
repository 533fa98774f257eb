#include "bus/bus.hpp"

#include "bus/memory/memory_bus.hpp"
#include "bus/nats/local_nats.hpp"
#include "bus/nats/nats_bus.hpp"
#include "bus/subject.hpp"

#include "tests/support/show.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

struct folder {
  std::string path;

  folder() {
    auto name =
      (std::filesystem::temp_directory_path() / "switchboard-bus-XXXXXX")
        .string();
    path = mkdtemp(name.data());
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// One server for all tests of the contract; each uses subjects of its own.
local_nats& server() {
  static folder data;
  static local_nats one{data.path};
  return one;
}

/// A bus of the kind under test, and the kind's name.
std::unique_ptr<bus> make(const std::string& kind) {
  if (kind == "memory")
    return make_memory_bus();
  auto made = connect_nats(server().options("contract"));
  REQUIRE(made);
  return std::move(*made);
}

/// Subjects that no earlier test has used.
std::string fresh() {
  static std::atomic<int> count{0};
  return "test.t" + std::to_string(++count);
}

/// What a handler has seen; waits for it with a bound.
class notes {
public:
  void add(std::string text) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(text));
    changed_.notify_all();
  }

  std::vector<std::string> wait(std::size_t count,
                                std::chrono::seconds max = 20s) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, max, [&] { return lines_.size() >= count; });
    return lines_;
  }

  bus::handler taker() {
    return [this](const bus::packet& x) { add(std::string(x.bytes)); };
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i <= to; ++i)
    all.push_back(std::to_string(i));
  return all;
}

/// Publishes one packet into a stream and waits for the broker's word.
result<void> store(bus& to, const std::string& subject, const std::string& text,
                   const bus::header_list& with = {}) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<result<void>> answer;
  to.publish_stored(subject, text, with, [&](result<void> x) {
    const std::lock_guard lock{mutex};
    answer = std::move(x);
    changed.notify_all();
  });
  std::unique_lock lock{mutex};
  REQUIRE(changed.wait_for(lock, 20s, [&] { return answer.has_value(); }));
  return *answer;
}

std::string both() {
  return GENERATE(as<std::string>{}, "memory", "nats");
}

} // namespace

TEST_CASE("a subscriber gets packets in the order of publishing", "[bus]") {
  auto b = make(both());
  const auto s = fresh();
  notes seen;
  const auto sub = b->subscribe(s + ".*", "", seen.taker());
  REQUIRE(sub);
  for (int i = 1; i <= 1000; ++i)
    REQUIRE(b->publish(s + ".x", std::to_string(i)));
  CHECK(seen.wait(1000) == numbers(1, 1000));
  CHECK(b->stats().dropped == 0);
}

TEST_CASE("a packet reaches one member of each group", "[bus]") {
  auto b = make(both());
  const auto s = fresh();
  notes group;
  notes alone;
  const auto one = b->subscribe(s, "g", group.taker());
  const auto two = b->subscribe(s, "g", group.taker());
  const auto three = b->subscribe(s, "", alone.taker());
  for (int i = 1; i <= 100; ++i)
    REQUIRE(b->publish(s, "x"));
  CHECK(alone.wait(100).size() == 100);
  REQUIRE(b->publish(s, "end"));
  CHECK(alone.wait(101).size() == 101);
  CHECK(group.wait(101).size() == 101);
}

TEST_CASE("a request is answered, with headers of any case", "[bus]") {
  auto b = make(both());
  const auto s = fresh();
  const auto sub = b->subscribe(s, "q", [&](const bus::packet& x) {
    CHECK(x.header("nats-msg-id") == "web:1");
    CHECK(x.header("absent").empty());
    CHECK(b->publish(x.reply, "re: " + std::string(x.bytes), {{"A", "b"}}));
  });
  const auto answer = b->request(s, "hi", 5s, {{"Nats-Msg-Id", "web:1"}});
  REQUIRE(answer);
  CHECK(answer->bytes == "re: hi");
  CHECK(answer->with == bus::header_list{{"A", "b"}});
}

TEST_CASE("asking where nobody listens fails at once", "[bus]") {
  auto b = make(both());
  const auto before = std::chrono::steady_clock::now();
  const auto answer = b->request(fresh(), "hi", 10s);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::unavailable);
  CHECK(std::chrono::steady_clock::now() - before < 5s);
}

TEST_CASE("bad subjects, headers and sizes are refused", "[bus]") {
  auto b = make(both());
  for (const auto* bad :
       {"", "a b", "a..b", ".a", "a.", "a.*", "a.>", "a\r\nb"})
    CHECK(b->publish(bad, "x").error().code == errc::malformed);
  const std::string big(1024 * 1024 + 1, 'x');
  CHECK(b->publish(fresh(), big).error().code == errc::too_large);
}

TEST_CASE("ending a subscription handles what has arrived", "[bus]") {
  auto b = make(both());
  const auto s = fresh();
  notes seen;
  std::atomic<bool> ended{false};
  std::atomic<int> late{0};
  {
    const auto sub = b->subscribe(s, "", [&](const bus::packet& x) {
      if (ended)
        ++late;
      seen.add(std::string(x.bytes));
    });
    for (int i = 1; i <= 500; ++i)
      REQUIRE(b->publish(s, std::to_string(i)));
    seen.wait(1);
  }
  ended = true;
  CHECK(seen.wait(500, 0s) == numbers(1, 500));
  REQUIRE(b->publish(s, "after"));
  REQUIRE_FALSE(b->request(s, "flush", 100ms));
  CHECK(late == 0);
}

TEST_CASE("the subjects of contacts are mapped to their slots", "[bus]") {
  auto b = make(both());
  notes seen;
  const auto sub = b->subscribe("sb.v1.slot.>", "", [&](const bus::packet& x) {
    const auto got = subject::parse_ingress(x.subject);
    REQUIRE(got);
    CHECK(got->slot == subject::slot_of(got->from));
    seen.add(std::to_string(got->slot) + " " + got->from.channel + " "
             + got->from.user);
  });
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    const contact who{i % 2 ? "web" : "wechat",
                      i % 3 ? "u" + std::to_string(i)
                            : "用户 " + std::to_string(i)};
    expected.push_back(std::to_string(subject::slot_of(who)) + " " + who.channel
                       + " " + who.user);
    REQUIRE(b->publish(i % 5 ? subject::post(who) : subject::in(who), "x"));
  }
  CHECK(seen.wait(2000) == expected);
}

TEST_CASE("a stream keeps packets, once for each id, in order", "[bus]") {
  const auto kind = both();
  auto b = make(kind);
  const auto s = fresh();
  bus::stream_config want{
    "S_" + s.substr(5) + kind, {s + ".a.>"}, 1 << 20, 1h, 1};
  const auto made = b->ensure_stream(want);
  REQUIRE(made);
  CHECK(made->last == 0);
  CHECK_FALSE(made->identity.empty());
  REQUIRE(store(*b, s + ".a.x", "1", {{"Nats-Msg-Id", "1"}}));
  REQUIRE(store(*b, s + ".a.y", "2", {{"Nats-Msg-Id", "2"}}));
  REQUIRE(store(*b, s + ".a.x", "1", {{"Nats-Msg-Id", "1"}}));
  CHECK(store(*b, s + ".b", "x").error().code == errc::unavailable);

  SECTION("ensure widens it and says the same identity") {
    want.subjects = {s + ".b"};
    const auto again = b->ensure_stream(want);
    REQUIRE(again);
    CHECK(again->identity == made->identity);
    CHECK(again->last == 2);
    REQUIRE(store(*b, s + ".b", "3"));
    REQUIRE(store(*b, s + ".a.x", "4"));
  }
  SECTION("a reader starts where it says, and gets what comes later") {
    notes seen;
    const auto sub = b->consume(want.name, ">", 2, [&](const bus::packet& x) {
      seen.add(std::to_string(x.offset) + ":" + std::string(x.bytes));
    });
    REQUIRE(sub);
    REQUIRE(store(*b, s + ".a.z", "3"));
    CHECK(seen.wait(2) == std::vector<std::string>{"2:2", "3:3"});
  }
  SECTION("a reader with a pattern gets only what fits") {
    notes seen;
    const auto sub = b->consume(want.name, s + ".a.x", 1, seen.taker());
    REQUIRE(sub);
    REQUIRE(store(*b, s + ".a.y", "3"));
    REQUIRE(store(*b, s + ".a.x", "4"));
    CHECK(seen.wait(2) == std::vector<std::string>{"1", "4"});
  }
  SECTION("nobody reads a stream that is not there") {
    const auto sub = b->consume("ABSENT", ">", 1, [](const auto&) {});
    REQUIRE_FALSE(sub);
    CHECK(sub.error().code == errc::not_found);
  }
}

TEST_CASE("a bad password is told from an absent server", "[bus]") {
  auto with = server().options();
  with.password = "wrong";
  const auto refused = connect_nats(with);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::unauthorized);
  with.urls = "nats://127.0.0.1:" + std::to_string(free_port());
  const auto absent = connect_nats(with);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == errc::unavailable);
}

TEST_CASE("a reader goes on after the server was killed, without a gap or a "
          "repeat",
          "[bus][faults]") {
  const folder data;
  local_nats own{data.path};
  notes states;
  auto with = own.options();
  with.on_state = [&](bool up) { states.add(up ? "up" : "down"); };
  auto connected = connect_nats(with);
  REQUIRE(connected);
  auto& b = **connected;
  REQUIRE(b.ensure_stream({"S", {"s.>"}, 1 << 24, 1h, 1}));
  notes seen;
  const auto sub = b.consume("S", ">", 1, seen.taker());
  REQUIRE(sub);
  int next = 1;
  for (std::size_t round = 1; round <= 3; ++round) {
    for (int i = 0; i < 200; ++i) {
      REQUIRE(store(b, "s.x", std::to_string(next)));
      ++next;
    }
    own.kill();
    states.wait(2 * round - 1);
    CHECK(b.publish("s.x", "lost").error().code == errc::unavailable);
    CHECK(store(b, "s.x", "lost").error().code == errc::unavailable);
    own.start();
    CHECK(states.wait(2 * round).back() == "up");
  }
  REQUIRE(store(b, "s.x", std::to_string(next)));
  CHECK(seen.wait(static_cast<std::size_t>(next)) == numbers(1, next));
  CHECK(b.stats().reconnects == 3);
}

TEST_CASE("a frozen server is noticed within 3 s", "[bus][faults]") {
  const folder data;
  local_nats own{data.path};
  notes states;
  auto with = own.options();
  with.on_state = [&](bool up) { states.add(up ? "up" : "down"); };
  auto connected = connect_nats(with);
  REQUIRE(connected);
  own.signal(SIGSTOP);
  const auto before = std::chrono::steady_clock::now();
  CHECK(states.wait(1) == std::vector<std::string>{"down"});
  CHECK(std::chrono::steady_clock::now() - before < 3s);
  own.signal(SIGCONT);
  CHECK(states.wait(2).back() == "up");
}
