#include "actors/replay.hpp"

#include "actors/router_tape.hpp"
#include "tests/support/company.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

struct record_file {
  std::string path = (std::filesystem::temp_directory_path()
                      / ("record-" + std::to_string(getpid()) + ".jsonl"))
                       .string();
  ~record_file() { std::filesystem::remove(path); }

  router_record read() const {
    auto got = read_router_record(path);
    REQUIRE(got.has_value());
    return *got;
  }
};

/// A company's day, written down.
void play(router_tape& onto, std::uint64_t seed, int steps) {
  test::company c({.seed = seed, .agents_max = 8, .waiting_max = 20});
  onto.add(router::policy_changed{{.acting = test::company::fast_policy()}},
           time_point{duration{1'699'999'999'000}}, {});
  c.on_told = [&](const auto& what, time_point at, const auto& then) {
    onto.add(what, at, then);
  };
  for (int i = 0; i < steps; ++i)
    c.step();
}

} // namespace

TEST_CASE("a record replayed makes the same choices, bit for bit",
          "[router][replay]") {
  const record_file file;
  {
    router_tape tape({.file = file.path});
    play(tape, 5, 3000);
    CHECK(tape.lost() == 0);
  }
  const auto record = file.read();
  const auto x = replay(record);
  CHECK(x.first_difference.empty());
  CHECK(x.identical());
  CHECK(x.proposals > 100);
  SECTION("on several threads at once, too") {
    std::vector<replayed> all(4);
    std::vector<std::thread> running;
    for (auto& y : all)
      running.emplace_back([&] { y = replay(record); });
    for (auto& y : running)
      y.join();
    for (const auto& y : all)
      CHECK(y.hash == x.hash);
  }
  SECTION("and with the same policy there is no difference") {
    const auto same = replay(record, test::company::fast_policy());
    CHECK(same.identical());
    CHECK(same.disagreements.empty());
  }
  SECTION("and with another policy the differences are listed") {
    auto other = test::company::fast_policy();
    other.version = 2;
    other.load_factor_floor = 1'000'000;
    other.skill_weight = 0;
    const auto y = replay(record, other);
    CHECK(y.identical()); // What was chosen does not change.
    CHECK(y.disagreements.size() > 5);
    CHECK(y.disagreements.size() < static_cast<std::size_t>(y.proposals));
  }
}

TEST_CASE("a record that was changed is not identical any more",
          "[router][replay]") {
  const record_file file;
  {
    router_tape tape({.file = file.path});
    play(tape, 6, 500);
  }
  auto record = file.read();
  SECTION("a choice") {
    for (auto& line : record.lines)
      if (line.proposal) {
        line.proposal->agent = {"somebody else"};
        break;
      }
  }
  SECTION("an event") {
    for (auto& line : record.lines)
      if (line.event)
        if (auto* s = std::get_if<router::session_waiting>(&*line.event))
          s->since -= 1s;
  }
  const auto x = replay(record);
  CHECK_FALSE(x.identical());
  CHECK_FALSE(x.first_difference.empty());
}

TEST_CASE("half a line at the end of a record is passed over",
          "[router][replay]") {
  const record_file file;
  {
    router_tape tape({.file = file.path});
    play(tape, 7, 200);
  }
  const auto whole = file.read().lines.size();
  std::ofstream{file.path, std::ios::app} << R"({"at":17,"is":"swe)";
  CHECK(file.read().lines.size() == whole);
  std::ofstream{file.path, std::ios::app} << "\n{}\n";
  const auto got = read_router_record(file.path);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().detail.find("not a line of a router's record")
        != std::string::npos);
}

TEST_CASE("a shadow's disagreements are written down and told",
          "[router][replay]") {
  const record_file file;
  auto other = test::company::fast_policy();
  other.version = 2;
  other.load_factor_floor = 1'000'000;
  other.skill_weight = 0;
  std::atomic<std::size_t> told{0};
  {
    router_tape tape({.file = file.path,
                      .shadows = {other},
                      .on_disagreement = [&](const auto&) { ++told; }});
    play(tape, 5, 3000);
  }
  CHECK(told > 5);
  const auto record = file.read();
  CHECK(replay(record).identical());
  CHECK(replay(record, other).disagreements.size() == told);
}

TEST_CASE("a tape that cannot keep up delays nobody and says what is missing",
          "[router][replay]") {
  const record_file file;
  std::mutex mutex;
  std::condition_variable changed;
  auto go_on = false;
  auto other = test::company::fast_policy();
  other.version = 2;
  other.skill_weight = 0;
  other.load_factor_floor = 1'000'000;
  std::uint64_t lost = 0;
  {
    router_tape tape({.file = file.path,
                      .shadows = {other},
                      .queue_max = 4,
                      .on_disagreement = [&](const auto&) {
                        std::unique_lock lock{mutex};
                        changed.wait(lock, [&] { return go_on; });
                      }});
    // With a shadow that hangs for ever in its first disagreement, the whole
    // day passes all the same.
    play(tape, 5, 3000);
    {
      std::unique_lock lock{mutex};
      go_on = true;
    }
    changed.notify_all();
    tape.drain();
    lost = tape.lost();
    tape.add(router::swept{}, time_point{duration{1'800'000'000'000}}, {});
  }
  CHECK(lost > 0);
  CHECK(file.read().lines_lost > 0);
}
