#include "actors/domain/message.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

TEST_CASE("a prefix never ends inside a character") {
  CHECK(prefix("您好", 6) == "您好");
  CHECK(prefix("您好", 5) == "您");
  CHECK(prefix("您好", 4) == "您");
  CHECK(prefix("您好", 3) == "您");
  CHECK(prefix("您好", 2).empty());
  CHECK(prefix("a您", 1) == "a");
  CHECK(prefix("a🙂b", 4) == "a");
  CHECK(prefix("a🙂b", 5) == "a🙂");
  CHECK(prefix("", 5).empty());
  CHECK(prefix("plain", 3) == "pla");
}

TEST_CASE("the digest of a content is the published FNV-1a of 64 bits") {
  // Reference values of the FNV specification (draft-eastlake-fnv).
  CHECK(static_cast<std::uint64_t>(digest("")) == 0xcbf29ce484222325u);
  CHECK(static_cast<std::uint64_t>(digest("a")) == 0xaf63dc4c8601ec8cu);
  CHECK(static_cast<std::uint64_t>(digest("foobar")) == 0x85944171f73967e8u);
}
