#include "actors/domain/line_notice.hpp"

#include "tests/support/table.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace switchboard;
using namespace switchboard::router;
using namespace std::chrono_literals;

namespace {

/// position | length | the first has waited | told
constexpr std::string_view waits = R"(
1  | 1  | 0   | 0-0
1  | 1  | 10  | 0-25
1  | 4  | 60  | 0-35
4  | 4  | 60  | 15-120
10 | 10 | 120 | 60-180
1  | 10 | 120 | 0-25
30 | 30 | 600 | 420-780
)";

constexpr time_point start{500'000h};

place at(std::int64_t session, std::int32_t position, std::int32_t length) {
  return {{session}, position, length, 60s};
}

} // namespace

TEST_CASE("the rest of the wait follows from how long the first has waited",
          "[line]") {
  for (const auto& row : test::rows_of(waits)) {
    REQUIRE(row.size() == 4);
    INFO(row[0] << " of " << row[1] << ", " << row[2] << " s");
    const auto x = expected_wait(std::stoi(row[0]), std::stoi(row[1]),
                                 std::chrono::seconds{std::stoi(row[2])});
    CHECK(std::to_string(x.min / 1s) + "-" + std::to_string(x.max / 1s)
          == row[3]);
  }
}

// A line of 20 before five servers who take a minute each, exponentially: the
// range is one standard deviation wide, so most waits should lie in it.
TEST_CASE("most people wait as long as they are told", "[line]") {
  std::mt19937 random{7};
  std::exponential_distribution<double> gap{5.0 / 60};
  auto held = 0;
  constexpr auto rounds = 2000;
  for (auto round = 0; round < rounds; ++round) {
    const auto position = 1 + static_cast<std::int32_t>(random() % 20);
    double first = 0; // While twenty came, as many were served.
    for (auto i = 0; i < 20; ++i)
      first += gap(random);
    double wait = 0;
    for (auto i = 0; i < position; ++i)
      wait += gap(random);
    const auto told = expected_wait(
      position, 20, duration{static_cast<std::int64_t>(first * 1000)});
    held += wait * 1000 >= static_cast<double>(told.min.count())
                && wait * 1000 <= static_cast<double>(told.max.count())
              ? 1
              : 0;
  }
  CHECK(held > rounds * 65 / 100);
  CHECK(held < rounds * 95 / 100);
}

TEST_CASE("who waits is told when they come, and when they come forward",
          "[line]") {
  line_notices line;
  const auto first = line.look({at(1, 1, 2), at(2, 2, 2)}, start);
  REQUIRE(first.size() == 2);
  CHECK(first[1].position == 2);
  CHECK(line.look({at(1, 1, 2), at(2, 2, 2)}, start + 1s).empty());
  const auto forward = line.look({at(2, 1, 1)}, start + 2s);
  REQUIRE(forward.size() == 1);
  CHECK(forward[0].session == session_id{2});
  CHECK(forward[0].position == 1);
  // Who comes back is new.
  CHECK(line.look({at(1, 1, 2), at(2, 2, 2)}, start + 3s).size() == 1);
}

TEST_CASE("far back a step is a tenth, and what is left is told at last",
          "[line]") {
  line_notices line;
  CHECK(line.look({at(1, 200, 300)}, start).size() == 1);
  CHECK(line.look({at(1, 181, 300)}, start + 1s).empty());
  CHECK(line.look({at(1, 180, 300)}, start + 2s).size() == 1);
  CHECK(line.look({at(1, 175, 300)}, start + 3s).empty());
  CHECK(line.look({at(1, 175, 300)}, start + 40s).size() == 1);
  // Nothing has changed since.
  CHECK(line.look({at(1, 175, 300)}, start + 80s).empty());
}
