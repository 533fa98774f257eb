// What voids a benchmark must be found: planted in values, and in a database.
#include "bench/audit.hpp"
#include "bench/load.hpp"
#include "bench/rig.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace switchboard::bench;

namespace {

/// Two users with three lines each, all where they should be.
struct ledger {
  std::vector<sent_message> sent;
  std::vector<stored_line> stored;

  explicit ledger(bool with_receipts) {
    for (std::int64_t user = 1; user <= 2; ++user)
      for (std::int32_t n = 1; n <= 3; ++n) {
        const auto name = "u" + std::to_string(user);
        const auto id = name + '-' + std::to_string(n);
        const place at{user, n + 1};
        sent.push_back({name, n, id, std::nullopt});
        if (with_receipts)
          sent.back().told = at;
        stored.push_back({id, at});
      }
  }

  [[nodiscard]] tally found() const { return audit(sent, stored); }
};

} // namespace

TEST_CASE("the audit finds nothing where nothing is wrong", "[bench]") {
  const ledger x{GENERATE(true, false)};
  const auto t = x.found();
  CHECK(t.lost == 0);
  CHECK(t.duplicated == 0);
  CHECK(t.reordered == 0);
  CHECK(t.examples.empty());
}

TEST_CASE("the audit finds a line that is nowhere", "[bench]") {
  ledger x{GENERATE(true, false)};
  x.stored.erase(x.stored.begin() + 1);
  const auto t = x.found();
  CHECK(t.lost == 1);
  CHECK(t.duplicated == 0);
  CHECK(t.reordered == 0);
  REQUIRE(t.examples.size() == 1);
  CHECK(t.examples.front().first == "lost: u1-2");
}

TEST_CASE("the audit finds a receipt that names another place", "[bench]") {
  ledger x{true};
  x.sent[2].told = place{1, 9};
  CHECK(x.found().lost == 1);
}

TEST_CASE("the audit finds a line that is stored twice", "[bench]") {
  ledger x{GENERATE(true, false)};
  x.stored.push_back({"u2-3", {2, 7}});
  const auto t = x.found();
  CHECK(t.duplicated == 1);
  CHECK(t.lost == 0);
}

TEST_CASE("the audit finds two receipts for one place", "[bench]") {
  ledger x{true};
  x.sent[1].told = x.sent[0].told;
  CHECK(x.found().duplicated == 1);
}

TEST_CASE("the audit finds two lines that changed places", "[bench]") {
  ledger x{GENERATE(true, false)};
  std::swap(x.stored[3].at, x.stored[4].at);
  if (x.sent[3].told)
    std::swap(x.sent[3].told, x.sent[4].told);
  const auto t = x.found();
  CHECK(t.reordered == 1);
  CHECK(t.lost == 0);
  CHECK(t.duplicated == 0);
}

TEST_CASE("a benchmark's check finds what is planted in the database",
          "[bench][live]") {
  rig on{SWITCHBOARD_PROGRAM};
  on.start_node();
  REQUIRE(on.wait_ready(std::chrono::seconds{30}));
  const auto wire = on.connect("load");
  load x{*wire, {.run = "plant", .users = 5, .window = 5, .messages = 50}};
  x.start();
  REQUIRE(x.wait(std::chrono::seconds{30}));
  on.stop_node(); // Nothing changes any more but by us.
  const auto checked = [&] {
    report r;
    check(r, on, x, "plant");
    return r;
  };
  const auto change = [&](const std::string& sql) {
    static_cast<void>(on.query(sql));
  };
  const auto good = checked();
  REQUIRE(good.lost == 0);
  REQUIRE(good.duplicated == 0);
  REQUIRE(good.reordered == 0);
  REQUIRE(good.valid());

  SECTION("a loss") {
    change("DELETE FROM entry WHERE source_id = 'plant-3-5'");
    CHECK(checked().lost > 0);
    CHECK_FALSE(checked().valid());
  }
  SECTION("a double") {
    change("INSERT INTO entry SELECT session_id, seq + 100, epoch, kind, "
           "event, author, body, source_id, at FROM entry WHERE "
           "source_id = 'plant-3-5'");
    CHECK(checked().duplicated > 0);
    CHECK_FALSE(checked().valid());
  }
  SECTION("two that changed places") {
    change("UPDATE entry SET source_id = CASE source_id WHEN 'plant-3-5' THEN "
           "'plant-3-6' ELSE 'plant-3-5' END WHERE source_id IN ('plant-3-5', "
           "'plant-3-6')");
    // The receipts name the true places: for them two lines are lost.
    CHECK(checked().lost >= 2);
    // Without receipts, as on the buffered lane, it is their order.
    std::vector<sent_message> sent;
    for (const auto& a : x.answers())
      sent.push_back({load::user_name("plant", a.user), a.number,
                      load::message_name("plant", a.user, a.number),
                      std::nullopt});
    CHECK(audit(std::move(sent), stored_lines(on, "plant")).reordered == 1);
  }
}
