// Hours on the clock of a place, through the changes of that clock.
#include "actors/domain/opening_hours.hpp"

#include "config/zone_file.hpp"
#include "tests/support/table.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

/// "2026-03-29T01:00:00Z"
time_point at(const std::string& text) {
  std::tm x{};
  REQUIRE(strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &x) != nullptr);
  return time_point{std::chrono::seconds{timegm(&x)}};
}

/// "Europe/Berlin; Mon-Fri 09:00-18:00; 2026-12-25"
opening_hours hours(const std::string& text) {
  opening_hours x;
  std::size_t from = 0;
  for (auto i = 0; from <= text.size(); ++i) {
    const auto end = std::min(text.find("; ", from), text.size());
    const auto part = text.substr(from, end - from);
    from = end + 2;
    if (i == 0) {
      x.zone = part;
      const auto zone = load_zone(part);
      REQUIRE(zone.has_value());
      x.clock = std::make_shared<const time_zone>(*zone);
    } else if (part[0] >= '0' && part[0] <= '9') {
      x.days.push_back(parse_special(part).value());
    } else {
      x.week.push_back(parse_weekly(part).value());
    }
  }
  return x;
}

/// hours | moment | open or closed | until
constexpr std::string_view table = R"(
# An ordinary week, over its end.
UTC; Mon-Fri 09:00-18:00           | 2026-11-20T08:59:59Z | closed | 2026-11-20T09:00:00.000Z
UTC; Mon-Fri 09:00-18:00           | 2026-11-20T09:00:00Z | open   | 2026-11-20T18:00:00.000Z
UTC; Mon-Fri 09:00-18:00           | 2026-11-20T18:00:00Z | closed | 2026-11-23T09:00:00.000Z
UTC; Sat-Mon 10:00-12:00           | 2026-11-22T13:00:00Z | closed | 2026-11-23T10:00:00.000Z
# A break at noon, and hours that go on after midnight.
UTC; Mon 09:00-12:00; Mon 13:00-17:00 | 2026-11-23T12:30:00Z | closed | 2026-11-23T13:00:00.000Z
UTC; Fri 20:00-24:00; Sat 00:00-02:00 | 2026-11-20T23:00:00Z | open   | 2026-11-21T02:00:00.000Z
# Holidays, and days with other hours.
UTC; Mon-Fri 09:00-18:00; 2026-12-25  | 2026-12-25T10:00:00Z | closed | 2026-12-28T09:00:00.000Z
UTC; Mon-Fri 09:00-18:00; 2026-12-24 09:00-13:00 | 2026-12-24T12:00:00Z | open | 2026-12-24T13:00:00.000Z
UTC; Mon-Fri 09:00-18:00; 2026-11-22 10:00-11:00 | 2026-11-21T12:00:00Z | closed | 2026-11-22T10:00:00.000Z
# A holiday alone: open on every other day.
UTC; 2026-12-25                     | 2026-12-24T10:00:00Z | open   | 2026-12-25T00:00:00.000Z
# Nine in Berlin is eight in UTC, and seven in summer.
Europe/Berlin; Mon-Fri 09:00-18:00  | 2026-11-20T07:00:00Z | closed | 2026-11-20T08:00:00.000Z
Europe/Berlin; Mon-Fri 09:00-18:00  | 2026-07-10T06:59:59Z | closed | 2026-07-10T07:00:00.000Z
# A weekend with a change of the clock in it: Friday in winter, Monday in summer.
Europe/Berlin; Mon-Fri 09:00-18:00  | 2026-03-27T17:00:00Z | closed | 2026-03-30T07:00:00.000Z
Europe/Berlin; Mon-Fri 09:00-18:00  | 2026-10-23T16:00:00Z | closed | 2026-10-26T08:00:00.000Z
# 02:30 does not exist on that night: it opens as the clock jumps to 03:00.
Europe/Berlin; Sun 02:30-05:00      | 2026-03-29T00:00:00Z | closed | 2026-03-29T01:00:00.000Z
# The whole span is jumped over: the next Sunday.
Europe/Berlin; Sun 02:10-02:50      | 2026-03-29T00:00:00Z | closed | 2026-04-05T00:10:00.000Z
# 02:00 to 03:00 comes twice: it is open both times.
Europe/Berlin; Sun 02:00-03:00      | 2026-10-25T00:30:00Z | open   | 2026-10-25T02:00:00.000Z
# 02:30 to 03:00 comes twice, with half an hour between.
Europe/Berlin; Sun 02:30-03:00      | 2026-10-25T00:45:00Z | open   | 2026-10-25T01:00:00.000Z
Europe/Berlin; Sun 02:30-03:00      | 2026-10-25T01:00:00Z | closed | 2026-10-25T01:30:00.000Z
# A day of 23 hours.
Europe/Berlin; Sun 00:00-24:00      | 2026-03-28T23:00:00Z | open   | 2026-03-29T22:00:00.000Z
# Summer at the other end of the world, and half an hour of it.
Australia/Sydney; Mon-Fri 09:00-17:00    | 2026-10-02T08:00:00Z | closed | 2026-10-04T22:00:00.000Z
Australia/Lord_Howe; Sun 01:00-02:00     | 2026-04-04T14:45:00Z | open   | 2026-04-04T15:30:00.000Z
Asia/Shanghai; Mon-Fri 09:00-18:00       | 2026-11-20T01:00:00Z | open   | 2026-11-20T10:00:00.000Z
# Far in the future the rule at the file's end counts.
America/New_York; Mon-Fri 09:00-17:00    | 2045-07-10T12:59:59Z | closed | 2045-07-10T13:00:00.000Z
America/New_York; Mon-Fri 09:00-17:00    | 2045-12-11T13:59:59Z | closed | 2045-12-11T14:00:00.000Z
)";

} // namespace

TEST_CASE("a queue is open when the clock of its place says so", "[hours]") {
  for (const auto& row : test::rows_of(table)) {
    REQUIRE(row.size() == 4);
    INFO(row[0] << " at " << row[1]);
    const auto x = hours(row[0]);
    CHECK(x.is_open(at(row[1])) == (row[2] == "open"));
    const auto next = x.next_change(at(row[1]));
    CHECK((next ? rfc3339(*next) : "never") == row[3]);
  }
}

TEST_CASE("a change is a change, and nothing changes before it", "[hours]") {
  for (const auto* text :
       {"Europe/Berlin; Mon-Sun 01:30-02:30",
        "America/New_York; Sun 01:15-24:00",
        "Australia/Lord_Howe; Mon-Fri 00:00-24:00; 2026-10-04 01:45-02:15"}) {
    const auto x = hours(text);
    auto from = at("2026-03-01T00:00:00Z");
    auto open = x.is_open(from);
    while (from < at("2026-11-15T00:00:00Z")) {
      const auto next = x.next_change(from);
      REQUIRE(next.has_value());
      INFO(text << " from " << rfc3339(from) << " to " << rfc3339(*next));
      for (auto t = from; t < *next; t += 5min)
        if (x.is_open(t) != open)
          FAIL("it changed already at " << rfc3339(t));
      open = !open;
      REQUIRE(x.is_open(*next) == open);
      from = *next;
    }
  }
}

TEST_CASE("a queue that never opens says so", "[hours]") {
  auto x = hours("UTC; 2026-01-01 09:00-10:00; Mon 09:00-10:00");
  x.week.clear();
  x.week.push_back({0, 0, {0min, 0min}});
  CHECK_FALSE(x.is_open(at("2026-06-01T09:30:00Z")));
  CHECK_FALSE(x.next_change(at("2026-06-01T09:30:00Z")).has_value());
}

TEST_CASE("without hours a queue is always open", "[hours]") {
  const opening_hours x;
  CHECK(x.always());
  CHECK(x.is_open(at("2026-06-01T03:00:00Z")));
  CHECK_FALSE(x.next_change(at("2026-06-01T03:00:00Z")).has_value());
}

TEST_CASE("a zone shows the same clock as the C library", "[hours]") {
  for (const auto* name :
       {"Europe/Berlin", "America/New_York", "America/Nuuk", "Asia/Shanghai",
        "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}) {
    const auto zone = load_zone(name);
    REQUIRE(zone.has_value());
    const std::string before = std::getenv("TZ") ? std::getenv("TZ") : "";
    setenv("TZ", name, 1);
    tzset();
    for (std::int64_t t = -1'000'000'000; t < 4'000'000'000; t += 99'991) {
      const auto when = static_cast<std::time_t>(t);
      std::tm wall{};
      localtime_r(&when, &wall);
      if (wall.tm_gmtoff
          != zone->offset_at(time_zone::instant{std::chrono::seconds{t}})
               .count())
        FAIL(name << " differs at " << t);
    }
    before.empty() ? unsetenv("TZ") : setenv("TZ", before.c_str(), 1);
    tzset();
  }
}

TEST_CASE("hours are read and written as people write them", "[hours]") {
  for (const auto* text :
       {"Mon-Fri 09:00-18:00", "Sat 10:00-14:00", "Sun-Mon 00:00-24:00"})
    CHECK(to_string(parse_weekly(text).value()) == text);
  for (const auto* text : {"2026-12-25", "2026-12-24 09:00-13:00"})
    CHECK(to_string(parse_special(text).value()) == text);
  for (const auto* text :
       {"", "Mon", "Mon 9:00-18:00", "Mon 18:00-09:00", "Mon 09:00-24:01",
        "Mon 09:00-12:60", "Moo 09:00-10:00", "Mon-Moo 09:00-10:00",
        "Mon-Fri  09:00-18:00", "Mon 09:00-18:00 "}) {
    const auto got = parse_weekly(text);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().detail.find("Mon-Fri 09:00-18:00") != std::string::npos);
  }
  for (const auto* text : {"", "2026-02-30", "2026-2-3", "2026-12-25 09:00",
                           "25.12.2026", "2026-12-25 13:00-09:00"})
    CHECK_FALSE(parse_special(text).has_value());
}

TEST_CASE("a zone that is not there is refused with a reason", "[hours]") {
  for (const auto* name : {"", "Mars/Olympus", "../../etc/passwd",
                           "/etc/passwd", "Europe", "zone.tab"}) {
    INFO(name);
    CHECK_FALSE(load_zone(name).has_value());
  }
  CHECK(load_zone("Mars/Olympus").error().detail.find("Europe/Berlin")
        != std::string::npos);
  CHECK(load_zone("UTC").has_value());
}

TEST_CASE("no bytes of a zone file bring the reader down", "[hours]") {
  CHECK_FALSE(time_zone::parse("").has_value());
  CHECK_FALSE(time_zone::parse("TZif2").has_value());
  std::string header = "TZif2" + std::string(39, '\0');
  CHECK_FALSE(time_zone::parse(header).has_value());
  CHECK_FALSE(time_zone::parse(header + header).has_value()); // No type.
  auto huge = header;
  for (std::size_t i = 20; i < 44; ++i)
    huge[i] = '\xff';
  CHECK_FALSE(time_zone::parse(huge).has_value());
  CHECK_FALSE(time_zone::parse(header + huge).has_value());
}
