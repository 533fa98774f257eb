// The group commit: on a real PostgreSQL, where a lock held by the test stops a
// commit for as long as the test wants.
#include "persistence/writer.hpp"
#include "tests/persistence/stores.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace switchboard;
using namespace switchboard::test;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

/// What was answered, in order, by a name of the test's choice.
class answers {
public:
  writer::on_outcome to(const std::string& name) {
    return [this, name](const outcome& x) {
      const std::lock_guard lock{mutex_};
      got_.emplace_back(name, x.what);
      changed_.notify_all();
    };
  }

  writer::on_done done(const std::string& name) {
    return [=, this] { to(name)({verdict::committed}); };
  }

  /// Waits until so many came.
  std::vector<std::pair<std::string, verdict>> wait(std::size_t count) {
    std::unique_lock lock{mutex_};
    REQUIRE(
      changed_.wait_for(lock, patience, [&] { return got_.size() >= count; }));
    return got_;
  }

  std::size_t count() {
    const std::lock_guard lock{mutex_};
    return got_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, verdict>> got_;
};

using answered = std::vector<std::pair<std::string, verdict>>;

dead_letter letter_about(const std::string& subject) {
  return {.slot = 3,
          .epoch = 1,
          .subject = subject,
          .reason = "malformed",
          .payload = "{"};
}

conversation talk_of(int i) {
  return {.id = {1000 + i}, .who = {"web", "u" + std::to_string(i)}};
}

struct live_writer : store_contract<in_postgres> {
  explicit live_writer(std::size_t rows_max = 1000)
    : log(make_postgres_store(in_postgres::database().conninfo(), "writer"),
          {"n1"}, rows_max) {
    // nop
  }

  void submit(conversation& talk, const std::string& id,
              const std::string& body = "line") {
    log.submit(talk.says({{id, body}}), told.to(id));
  }

  /// From now on every commit waits.
  void hold() {
    gate.run("BEGIN");
    gate.run("SELECT FROM slot WHERE slot = 3 FOR UPDATE");
  }

  void let_go() { gate.run("COMMIT"); }

  void wait_until_stopped() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!is_blocked(look, "writer")) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(1ms);
    }
  }

  /// Ends the writer's connection, as a restart of the server would.
  /// @returns true if there was one
  bool cut() {
    return look.number("SELECT count(pg_terminate_backend(pid)) FROM "
                       "pg_stat_activity WHERE application_name = 'writer' "
                       "AND datname = current_database()")
           > 0;
  }

  std::int64_t transactions() {
    return look.number("SELECT count(DISTINCT xmin::text) FROM entry");
  }

  sql_session look{in_postgres::database().conninfo(), "look"};
  sql_session gate{in_postgres::database().conninfo(), "gate"};
  answers told;
  writer log;
};

struct small_batches : live_writer {
  small_batches() : live_writer(10) {}
};

} // namespace

TEST_CASE_METHOD(live_writer, "a single write is committed without another",
                 "[writer]") {
  auto talk = talk_of(1);
  submit(talk, "m-1");
  CHECK(told.wait(1) == answered{{"m-1", verdict::committed}});
  CHECK(log.stats().commits == 1);
  CHECK(log.depth() == 0);
  CHECK(bodies(talk.id) == lines{"line"});
}

TEST_CASE_METHOD(live_writer,
                 "what gathers while a commit runs goes into the next one",
                 "[writer]") {
  hold();
  auto first = talk_of(0);
  submit(first, "m-0");
  wait_until_stopped();
  answered expected{{"m-0", verdict::committed}};
  for (int i = 1; i <= 50; ++i) {
    auto talk = talk_of(i);
    submit(talk, "m-" + std::to_string(i));
    expected.emplace_back("m-" + std::to_string(i), verdict::committed);
  }
  CHECK(log.depth() == 51);
  CHECK(told.count() == 0);
  let_go();
  CHECK(told.wait(51) == expected);
  CHECK(log.stats().commits == 2);
  CHECK(log.stats().rows == 51);
  CHECK(transactions() == 2);
  CHECK(log.depth() == 0);
}

TEST_CASE_METHOD(small_batches, "a commit takes no more rows than it may",
                 "[writer]") {
  hold();
  auto first = talk_of(0);
  submit(first, "m-0");
  wait_until_stopped();
  for (int i = 1; i <= 35; ++i) {
    auto talk = talk_of(i);
    submit(talk, "m-" + std::to_string(i));
  }
  let_go();
  told.wait(36);
  CHECK(log.stats().commits == 5);
  CHECK(transactions() == 5);
}

TEST_CASE_METHOD(live_writer, "each of a batch is told its own outcome",
                 "[writer]") {
  hold();
  auto first = talk_of(0);
  submit(first, "first");
  wait_until_stopped();
  auto good = talk_of(1);
  submit(good, "good");
  auto stale = talk_of(2);
  stale.last_seq = 7;
  submit(stale, "stale");
  auto fenced = talk_of(3);
  fenced.epoch = 0;
  submit(fenced, "fenced");
  let_go();
  CHECK(told.wait(4)
        == answered{{"first", verdict::committed},
                    {"good", verdict::committed},
                    {"stale", verdict::stale},
                    {"fenced", verdict::fenced}});
  CHECK(log.stats().fenced == 1);
}

TEST_CASE_METHOD(live_writer, "of the marks of a slot the last one is written",
                 "[writer]") {
  hold();
  auto talk = talk_of(1);
  submit(talk, "m-1");
  wait_until_stopped();
  for (std::uint64_t offset = 1; offset <= 9; ++offset)
    log.submit(watermark{3, 1, offset, "s"});
  log.submit(letter_about("s"), told.done("letter"));
  let_go();
  told.wait(2);
  CHECK(look.number("SELECT last_offset FROM ingress WHERE slot = 3") == 9);
  CHECK(look.number("SELECT count(*) FROM dead_letter") == 1);
}

// -- the world failing --------------------------------------------------------

TEST_CASE_METHOD(live_writer,
                 "a connection cut in the middle of a commit loses nothing and "
                 "doubles nothing",
                 "[writer]") {
  hold();
  auto first = talk_of(0);
  submit(first, "m-0");
  wait_until_stopped();
  auto second = talk_of(1);
  submit(second, "m-1");
  REQUIRE(cut());
  wait_until_stopped(); // It came back by itself and tries again.
  CHECK(told.count() == 0);
  let_go();
  CHECK(told.wait(2)
        == answered{{"m-0", verdict::committed}, {"m-1", verdict::committed}});
  CHECK(log.stats().repeats == 1);
  CHECK(log.stats().connected);
  CHECK(bodies(first.id) == lines{"line"});
  CHECK(violations() == 0);
}

TEST_CASE_METHOD(live_writer,
                 "connections cut again and again lose nothing and double "
                 "nothing",
                 "[writer]") {
  constexpr int talks = 8;
  constexpr int each = 40;
  std::vector<conversation> all;
  for (int i = 0; i < talks; ++i)
    all.push_back(talk_of(i));
  std::mutex mutex;
  int refused = 0;
  std::function<void(int)> next = [&](int i) {
    auto& talk = all[static_cast<std::size_t>(i)];
    const auto id = std::to_string(i) + '-' + std::to_string(talk.last_seq);
    log.submit(talk.says({{id, id}}), [&, i, id](const outcome& x) {
      {
        const std::lock_guard lock{mutex};
        refused += x.what == verdict::committed ? 0 : 1;
      }
      if (all[static_cast<std::size_t>(i)].last_seq < each)
        next(i);
      else
        told.to(id)(x);
    });
  };
  for (int i = 0; i < talks; ++i)
    next(i);
  int cuts = 0;
  while (told.count() < talks && cuts < 12)
    cuts += cut() ? 1 : 0;
  told.wait(talks);
  const std::lock_guard lock{mutex};
  CHECK(refused == 0);
  CHECK(cuts > 0);
  CHECK(log.stats().repeats > 0);
  CHECK(look.number("SELECT count(*) FROM entry") == talks * each);
  CHECK(look.number("SELECT count(*) FROM seen") == talks * each);
  CHECK(violations() == 0);
}

TEST_CASE("a write whose answer was lost is repeated and answered once",
          "[writer]") {
  for (const auto fault : {memory_database::fault::lost_before,
                           memory_database::fault::lost_after}) {
    store_contract<in_memory> twin;
    twin.backend.database.fail_next(fault, 2);
    answers told;
    writer log{twin.backend.open(), {"n1"}, 1000};
    auto talk = talk_of(1);
    log.submit(talk.says({{"m-1", "one"}}), told.to("m-1"));
    CHECK(told.wait(1) == answered{{"m-1", verdict::committed}});
    CHECK(log.stats().repeats == 2);
    CHECK(twin.bodies(talk.id) == lines{"one"});
  }
}

TEST_CASE_METHOD(live_writer,
                 "content that the database cannot keep is refused alone",
                 "[writer]") {
  hold();
  auto first = talk_of(0);
  submit(first, "first");
  wait_until_stopped();
  auto before = talk_of(1);
  submit(before, "before");
  auto poison = talk_of(2);
  submit(poison, "poison", std::string("a\0b", 3));
  auto after = talk_of(3);
  submit(after, "after");
  log.submit(letter_about("\xff"), told.done("bad letter"));
  log.submit(letter_about("s"), told.done("letter"));
  log.submit(watermark{3, 1, 9, "s"});
  let_go();
  CHECK(told.wait(6)
        == answered{{"first", verdict::committed},
                    {"before", verdict::committed},
                    {"poison", verdict::refused},
                    {"after", verdict::committed},
                    {"bad letter", verdict::committed},
                    {"letter", verdict::committed}});
  CHECK(bodies(before.id) == lines{"line"});
  CHECK(bodies(poison.id).empty());
  CHECK(bodies(after.id) == lines{"line"});
  CHECK(look.number("SELECT count(*) FROM dead_letter") == 1);
  CHECK(look.number("SELECT last_offset FROM ingress WHERE slot = 3") == 9);
  CHECK(log.depth() == 0);
  CHECK(violations() == 0);
}

TEST_CASE("an ending writer commits what was submitted", "[writer]") {
  store_contract<in_memory> twin;
  answers told;
  {
    writer log{twin.backend.open(), {"n1"}, 1};
    for (int i = 0; i < 20; ++i)
      log.submit(talk_of(i).says({{"m", "x"}}), told.to("m"));
  }
  CHECK(told.count() == 20);
  CHECK(must(twin.to->sessions(100, true)).size() == 20);
}
