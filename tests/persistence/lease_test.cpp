// Who owns what is decided by these statements, on a real PostgreSQL.
#include "persistence/lease.hpp"

#include "persistence/postgres/postgres_leases.hpp"
#include "tests/support/servers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace switchboard;
using membership::condition;

namespace {

struct leases {
  leases()
    : book(make_postgres_leases(database.conninfo(), "switchboard/a/a-1/x")) {
    REQUIRE(book->announce({"a"}, "a-1", "host-a:8080").has_value());
    REQUIRE(book->announce({"b"}, "b-1", "host-b:8080").has_value());
  }

  membership::view look() {
    const auto got = book->look();
    REQUIRE(got.has_value());
    return *got;
  }

  std::optional<membership::lease> lease_of(const std::string& node) {
    for (const auto& x : look().leases)
      if (x.node.text == node)
        return x;
    return std::nullopt;
  }

  membership::place place_of(slot_number slot) {
    for (const auto& x : look().places)
      if (x.slot == slot)
        return x;
    FAIL("no such slot");
    return {};
  }

  /// Claims one slot as it stands now. @returns whether it was given
  bool claim(const std::string& node, const std::string& life, slot_number slot,
             const std::optional<membership::lease>& last = {}) {
    const auto at = place_of(slot);
    const auto got =
      book->claim({node}, life, {.from = at.owner, .last = last, .what = {at}});
    REQUIRE(got.has_value());
    return got->size() == 1;
  }

  test::fresh_database database;
  std::unique_ptr<lease_book> book;
};

} // namespace

TEST_CASE_METHOD(leases, "a new database has 65 slots that nobody owns",
                 "[lease]") {
  const auto seen = look();
  CHECK(seen.places.size() == membership::slots_all);
  CHECK(std::all_of(seen.places.begin(), seen.places.end(), [](const auto& x) {
    return x.owner.empty() && x.epoch == 0;
  }));
}

TEST_CASE_METHOD(leases, "a renewal moves the lease and says how the node is",
                 "[lease]") {
  const auto before = lease_of("a");
  const auto asked = book->renew({"a"}, "a-1", condition::deaf);
  REQUIRE(asked.has_value());
  CHECK_FALSE(*asked);
  const auto after = lease_of("a");
  REQUIRE(after);
  CHECK(after->renewals == before->renewals + 1);
  CHECK(after->says == condition::deaf);
}

TEST_CASE_METHOD(leases, "a node whose name was taken cannot renew or claim",
                 "[lease]") {
  REQUIRE(book->announce({"a"}, "a-2", "").has_value());
  const auto kept = book->renew({"a"}, "a-1", condition::serving);
  REQUIRE(kept.has_error());
  CHECK(kept.error().code == errc::moved);
  CHECK_FALSE(claim("a", "a-1", 3));
  CHECK(claim("a", "a-2", 3));
}

TEST_CASE_METHOD(leases, "of two who claim the same slot one gets it",
                 "[lease]") {
  const auto seen = place_of(7);
  const membership::claim both{.what = {seen}};
  const auto first = book->claim({"a"}, "a-1", both);
  const auto second = book->claim({"b"}, "b-1", both);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK(first->size() == 1);
  CHECK(first->at(0).what == membership::place{7, {"a"}, 1});
  CHECK(second->empty());
}

TEST_CASE_METHOD(leases, "a slot is taken only from a lease that stands still",
                 "[lease]") {
  REQUIRE(claim("b", "b-1", 9));
  const auto seen = lease_of("b");
  REQUIRE(book->renew({"b"}, "b-1", condition::serving).has_value());
  CHECK_FALSE(claim("a", "a-1", 9, seen)); // It has moved since.
  CHECK_FALSE(claim("a", "a-1", 9));       // Thought to be gone, and is there.
  const auto now = lease_of("b");
  CHECK(claim("a", "a-1", 9, now));
  CHECK(place_of(9) == membership::place{9, {"a"}, 2});
}

TEST_CASE_METHOD(leases, "a slot is handed over once, and only by its owner",
                 "[lease]") {
  REQUIRE(claim("a", "a-1", 11));
  CHECK(book->hand_over({"b"}, 11, 1, {"a"}).has_error());
  const auto given = book->hand_over({"a"}, 11, 1, {"b"});
  REQUIRE(given.has_value());
  CHECK(*given == 2);
  CHECK(place_of(11) == membership::place{11, {"b"}, 2});
  const auto again = book->hand_over({"a"}, 11, 1, {"b"});
  REQUIRE(again.has_error());
  CHECK(again.error().code == errc::moved);
}

TEST_CASE_METHOD(leases, "nothing is handed to a node that takes nothing",
                 "[lease]") {
  REQUIRE(claim("a", "a-1", 12));
  CHECK(book->hand_over({"a"}, 12, 1, {"nobody"}).has_error());
  REQUIRE(book->renew({"b"}, "b-1", condition::draining).has_value());
  CHECK(book->hand_over({"a"}, 12, 1, {"b"}).has_error());
  CHECK(place_of(12).owner.text == "a");
}

TEST_CASE_METHOD(leases, "a node that ends leaves its slots to everybody",
                 "[lease]") {
  REQUIRE(claim("a", "a-1", 13));
  REQUIRE(book->release({"a"}, "a-0").has_value()); // Not this life's.
  CHECK(place_of(13).owner.text == "a");
  REQUIRE(book->release({"a"}, "a-1").has_value());
  CHECK(place_of(13) == membership::place{13, {}, 2});
  CHECK_FALSE(lease_of("a"));
  CHECK(claim("b", "b-1", 13));
}

TEST_CASE_METHOD(leases, "an operator asks a node to drain, and it hears",
                 "[lease]") {
  REQUIRE(book->ask_to_drain({"b"}, true).has_value());
  const auto asked = book->renew({"b"}, "b-1", condition::serving);
  REQUIRE(asked.has_value());
  CHECK(*asked);
  REQUIRE(book->announce({"b"}, "b-2", "").has_value()); // A new life serves.
  const auto fresh = book->renew({"b"}, "b-2", condition::serving);
  REQUIRE(fresh.has_value());
  CHECK_FALSE(*fresh);
  const auto nobody = book->ask_to_drain({"nobody"}, true);
  REQUIRE(nobody.has_error());
  CHECK(nobody.error().code == errc::not_found);
}

TEST_CASE_METHOD(leases,
                 "the connections of a former life are ended, no others",
                 "[lease]") {
  const auto old =
    make_postgres_leases(database.conninfo(), "switchboard/b/b-1/lease");
  const auto other =
    make_postgres_leases(database.conninfo(), "switchboard/b/b-10/lease");
  REQUIRE(old->look().has_value());
  REQUIRE(other->look().has_value());
  REQUIRE(book->terminate({"b"}, "b-1").has_value());
  CHECK(old->look().has_error()); // Found out with the next statement.
  CHECK(old->look().has_value()); // And it comes back, if it still lives.
  CHECK(other->look().has_value());
}
