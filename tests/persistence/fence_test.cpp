// Which ways to check the owner inside a write hold, and which only look as if.
// Two schedules on a real PostgreSQL, each with every way:
//
//   under way: the writer has passed its check and is held up before its
//   commit;
//              now the slot gets another owner, who reads what is there.
//   waiting:   the slot is getting another owner, who has not committed yet;
//   now
//              the writer begins.
//
// A stale write got through when a line is there in the end that the new owner,
// reading after its own commit, did not find.
#include "persistence/postgres/postgres_store.hpp"
#include "tests/persistence/rows.hpp"
#include "tests/support/servers.hpp"
#include "tests/support/sql.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <thread>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 10s;

/// The statement of a writer that checks with `fence` and then writes a line.
std::string guarded_insert(const std::string& fence) {
  return "WITH " + fence
         + " INSERT INTO entry SELECT 7, 1, 1, 1, '', '', 'stale', '', now() "
           "FROM fence";
}

const std::string still_mine = " owner = 'n1' AND epoch = 1 AND slot = 3 ";

/// One slot, owned by n1 at epoch 1, and a gate before every new line.
struct contested_slot {
  contested_slot() {
    look.script("CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql "
                "AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(99); "
                "RETURN NEW; END $$;"
                "CREATE TRIGGER gate BEFORE INSERT ON entry FOR EACH ROW "
                "EXECUTE FUNCTION pass_gate();");
  }

  void reset() {
    look.script("TRUNCATE entry, seen, session;"
                "UPDATE slot SET owner = 'n1', epoch = 1 WHERE slot = 3;");
  }

  /// Replaces a piece of append_v1. The piece must be there exactly once.
  void change_append(const std::string& piece, const std::string& by) {
    const auto text =
      look.text("SELECT pg_get_functiondef('append_v1'::regproc)");
    const auto at = text.find(piece);
    REQUIRE(at != std::string::npos);
    REQUIRE(text.find(piece, at + 1) == std::string::npos);
    look.script(std::string(text).replace(at, piece.size(), by));
  }

  void begin_takeover() {
    taker.run("BEGIN");
    // Only the way with the advisory lock looks at this one.
    taker.run("SELECT pg_advisory_xact_lock(3)");
    taker.run("UPDATE slot SET owner = 'n2', epoch = epoch + 1 "
              "WHERE slot = 3 AND owner = 'n1' AND epoch = 1");
  }

  /// What the new owner finds. Counted before the commit: the commit lets go
  /// who waits for it, and that one's line would be counted, too.
  std::int64_t finish_takeover() {
    const auto found = lines(taker);
    taker.run("COMMIT");
    return found;
  }

  static std::int64_t lines(test::sql_session& from) {
    return from.number("SELECT count(*) FROM entry");
  }

  /// Waits until the other side cannot go on, or is through.
  void wait_until_settled(const std::string& name,
                          const std::function<bool()>& through) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!through() && !is_blocked(look, name)) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error(name + " neither waits nor ends");
      std::this_thread::sleep_for(1ms);
    }
  }

  template <class T>
  static std::function<bool()> ended(std::future<T>& x) {
    return [&x] { return x.wait_for(0s) == std::future_status::ready; };
  }

  /// @returns true if a stale write got through.
  bool change_owner_under_way(const std::function<void()>& write) {
    reset();
    gate.run("SELECT pg_advisory_lock(99)");
    auto writing = std::async(std::launch::async, write);
    wait_until_settled("writer", ended(writing));
    REQUIRE(is_blocked(look, "writer")); // At the gate.
    auto taking = std::async(std::launch::async, [this] {
      begin_takeover();
      return finish_takeover();
    });
    wait_until_settled("taker", ended(taking));
    gate.run("SELECT pg_advisory_unlock(99)");
    writing.get();
    const auto found = taking.get();
    return lines(look) > found;
  }

  /// @returns true if a stale write got through.
  bool change_owner_while_waiting(const std::function<void()>& write) {
    reset();
    begin_takeover();
    auto writing = std::async(std::launch::async, write);
    wait_until_settled("writer", ended(writing));
    const auto found = finish_takeover();
    writing.get();
    return lines(look) > found;
  }

  test::fresh_database database;
  test::sql_session look{database.conninfo(), "look"};
  test::sql_session gate{database.conninfo(), "gate"};
  test::sql_session taker{database.conninfo(), "taker"};
};

/// A writer of one plain statement.
std::function<void()> statement(contested_slot& at, const std::string& fence) {
  auto to =
    std::make_shared<test::sql_session>(at.database.conninfo(), "writer");
  return [=] { to->run(guarded_insert(fence)); };
}

/// The program's own writer.
struct program_writer {
  explicit program_writer(contested_slot& at)
    : to(make_postgres_store(at.database.conninfo(), "writer")) {
    // nop
  }

  void operator()() {
    test::conversation about{.id = {7}, .who = {"web", "u1"}};
    batch b;
    b.sessions.push_back(about.says({{"m-1", "stale"}}));
    const auto got = to->append({"n1"}, b);
    if (!got)
      throw std::runtime_error(got.error().detail);
    last = got->at(0).what;
  }

  std::unique_ptr<store> to;
  verdict last = verdict::stale;
};

} // namespace

TEST_CASE_METHOD(contested_slot,
                 "a plain SELECT as fence lets a stale write through",
                 "[fence]") {
  const auto write = statement(*this, "fence AS (SELECT slot FROM slot WHERE"
                                        + still_mine + ")");
  CHECK(change_owner_under_way(write));
  CHECK_FALSE(change_owner_while_waiting(write));
}

TEST_CASE_METHOD(contested_slot,
                 "FOR KEY SHARE as fence lets a stale write through",
                 "[fence]") {
  const auto write = statement(*this, "fence AS (SELECT slot FROM slot WHERE"
                                        + still_mine + "FOR KEY SHARE)");
  CHECK(change_owner_under_way(write));
  CHECK_FALSE(change_owner_while_waiting(write));
}

TEST_CASE_METHOD(
  contested_slot,
  "an advisory lock taken in the same statement lets a stale write through",
  "[fence]") {
  const auto write = statement(
    *this,
    "locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(3) AS done), "
    "fence AS MATERIALIZED (SELECT slot FROM locked, slot WHERE"
      + still_mine + "AND locked.done IS NOT NULL)");
  CHECK_FALSE(change_owner_under_way(write));
  CHECK(change_owner_while_waiting(write));
}

TEST_CASE_METHOD(contested_slot, "FOR SHARE as fence holds", "[fence]") {
  const auto write = statement(*this, "fence AS (SELECT slot FROM slot WHERE"
                                        + still_mine + "FOR SHARE)");
  CHECK_FALSE(change_owner_under_way(write));
  CHECK_FALSE(change_owner_while_waiting(write));
}

TEST_CASE_METHOD(contested_slot, "a conditional UPDATE as fence holds",
                 "[fence]") {
  const auto write =
    statement(*this, "fence AS (UPDATE slot SET epoch = epoch WHERE"
                       + still_mine + "RETURNING slot)");
  CHECK_FALSE(change_owner_under_way(write));
  CHECK_FALSE(change_owner_while_waiting(write));
}

TEST_CASE_METHOD(contested_slot, "the append of the program holds", "[fence]") {
  program_writer writer{*this};
  const auto write = [&] { writer(); };
  CHECK_FALSE(change_owner_under_way(write));
  CHECK(writer.last
        == verdict::committed); // Before the takeover, which waited.
  CHECK_FALSE(change_owner_while_waiting(write));
  CHECK(writer.last == verdict::fenced);
  CHECK(lines(look) == 0);
}

TEST_CASE_METHOD(contested_slot,
                 "the append of the program without its FOR SHARE lets a stale "
                 "write through",
                 "[fence]") {
  change_append("FOR SHARE OF s", "");
  program_writer writer{*this};
  CHECK(change_owner_under_way([&] { writer(); }));
  CHECK(writer.last == verdict::committed);
}

TEST_CASE_METHOD(contested_slot,
                 "the append of the program with FOR KEY SHARE lets a stale "
                 "write through",
                 "[fence]") {
  change_append("FOR SHARE OF s", "FOR KEY SHARE OF s");
  program_writer writer{*this};
  CHECK(change_owner_under_way([&] { writer(); }));
  CHECK(writer.last == verdict::committed);
}

TEST_CASE_METHOD(contested_slot, "a writer of a former epoch writes nothing",
                 "[fence]") {
  reset();
  look.run("UPDATE slot SET epoch = 2 WHERE slot = 3");
  program_writer writer{*this};
  writer();
  CHECK(writer.last == verdict::fenced);
  CHECK(lines(look) == 0);
  CHECK(look.number("SELECT count(*) FROM session") == 0);
  CHECK(look.number("SELECT count(*) FROM seen") == 0);
}
