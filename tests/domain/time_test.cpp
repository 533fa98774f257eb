#include "actors/domain/time.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

TEST_CASE("a time is written as RFC 3339 in UTC with milliseconds", "[time]") {
  struct row {
    std::int64_t ms;
    const char* text;
  };
  const row table[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {999, "1970-01-01T00:00:00.999Z"},
    {1'000, "1970-01-01T00:00:01.000Z"},
    {86'399'999, "1970-01-01T23:59:59.999Z"},
    {86'400'000, "1970-01-02T00:00:00.000Z"},
    {951'782'400'000, "2000-02-29T00:00:00.000Z"}, // Leap: 400 divides it.
    {1'709'164'800'000, "2024-02-29T00:00:00.000Z"},
    {1'735'689'599'999, "2024-12-31T23:59:59.999Z"},
    {4'107'542'399'999, "2100-02-28T23:59:59.999Z"},
    {4'107'542'400'000, "2100-03-01T00:00:00.000Z"}, // No leap: 100 divides it.
    {2'147'483'648'000, "2038-01-19T03:14:08.000Z"}, // Beyond 32 bits.
    {1'795'243'327'125, "2026-11-21T06:42:07.125Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {-86'400'001, "1969-12-30T23:59:59.999Z"},
    {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
  };
  for (const auto& x : table)
    CHECK(rfc3339(time_point{duration{x.ms}}) == x.text);
}

TEST_CASE("times written as text sort as the times do", "[time]") {
  std::string last;
  for (std::int64_t ms = 0; ms < 4'000'000'000'000; ms += 7'777'777'777) {
    const auto text = rfc3339(time_point{duration{ms}});
    REQUIRE(text.size() == 24);
    REQUIRE(text > last);
    last = text;
  }
}
