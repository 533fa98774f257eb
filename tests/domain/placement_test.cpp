#include "actors/domain/placement.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <limits>
#include <set>

using namespace switchboard;

namespace {

time_point at_ms(std::int64_t since_2024) {
  return time_point{duration{1'704'067'200'000 + since_2024}};
}

} // namespace

TEST_CASE("the hash is FNV-1a of 32 bits", "[placement]") {
  // Vectors of draft-eastlake-fnv.
  CHECK(fnv1a("") == 0x811c9dc5u);
  CHECK(fnv1a("a") == 0xe40c292cu);
  CHECK(fnv1a("b") == 0xe70c2de5u);
  CHECK(fnv1a("foobar") == 0xbf9cf968u);
  CHECK(fnv1a("\xff") == fnv1a(std::string_view{"\xff", 1}));
  CHECK(fnv1a("bar", fnv1a("foo")) == fnv1a("foobar"));
}

TEST_CASE("a contact's slot is the hash of both tokens, without the dot",
          "[placement]") {
  CHECK(slot_of("web", "u1") == fnv1a("webu1") % slots);
  CHECK(slot_of("we", "bu1") == slot_of("web", "u1"));
  CHECK(slot_of("", "") == 0x811c9dc5u % slots);
}

TEST_CASE("contacts are spread evenly over the slots", "[placement]") {
  std::array<int, slots> count{};
  for (int i = 0; i < 6400; ++i)
    ++count.at(slot_of("web", "user-" + std::to_string(i)));
  for (const auto n : count) {
    CHECK(n > 50);
    CHECK(n < 150);
  }
}

TEST_CASE("agents live in the slots of contacts, apart from the router's",
          "[placement]") {
  std::set<slot_number> used;
  for (int i = 0; i < 2000; ++i) {
    const auto slot = slot_of(agent_id{"agent-" + std::to_string(i)});
    REQUIRE(slot < slots);
    used.insert(slot);
  }
  CHECK(used.size() == slots);
  CHECK(router_slot == slots);
}

TEST_CASE("a session's number carries its slot", "[placement]") {
  for (const auto at : {at_ms(0), at_ms(1), at_ms(91'500'000'123)})
    for (int slot = 0; slot <= router_slot; ++slot)
      for (const unsigned count : {0u, 1u, 0x7fffu, 0x8000u, 0xffffu})
        REQUIRE(slot_of(make_session_id(at, static_cast<slot_number>(slot),
                                        static_cast<std::uint16_t>(count)))
                == slot);
}

TEST_CASE("numbers of one slot and millisecond differ by their count",
          "[placement]") {
  std::set<session_id> made;
  for (std::uint16_t count = 0; count < 0x8000; ++count)
    made.insert(make_session_id(at_ms(5), 3, count));
  CHECK(made.size() == 0x8000);
  CHECK(make_session_id(at_ms(5), 3, 0x8001)
        == make_session_id(at_ms(5), 3, 1)); // Then they begin again.
}

TEST_CASE("later sessions have greater numbers, whatever slot and count",
          "[placement]") {
  CHECK(make_session_id(at_ms(7), 64, 0xffff)
        < make_session_id(at_ms(8), 0, 0));
}

TEST_CASE("numbers are positive until 2093", "[placement]") {
  CHECK(make_session_id(at_ms(0), 0, 1).value == 1);
  const auto last = (std::int64_t{1} << 41) - 1; // Milliseconds: 69.7 years.
  CHECK(make_session_id(at_ms(last), 64, 0x7fff).value > 0);
  CHECK(last / 86'400'000 > 69 * 365);
}

TEST_CASE("a session's number is read back as it is written", "[placement]") {
  const auto id = make_session_id(at_ms(91'500'000'123), 17, 42);
  CHECK(parse_session_id(to_string(id)) == id);
  CHECK(parse_session_id("9223372036854775807")->value
        == std::numeric_limits<std::int64_t>::max());
  for (const auto* bad : {"", "0", "-1", "+1", " 1", "1 ", "1x", "0x1",
                          "9223372036854775808", "99999999999999999999"}) {
    INFO("'" << bad << "'");
    CHECK_FALSE(parse_session_id(bad).has_value());
  }
}
