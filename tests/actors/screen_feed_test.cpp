#include "actors/screen_feed.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace switchboard;

namespace {

std::vector<entry> lines(std::int32_t first, std::int32_t last) {
  std::vector<entry> all;
  for (auto seq = first; seq <= last; ++seq)
    all.push_back({.seq = seq});
  return all;
}

} // namespace

TEST_CASE("a screen is shown the next entry and not the one it has") {
  screen_feed feed{3};
  CHECK(feed.live(3) == screen_feed::verdict::drop);
  CHECK(feed.live(4) == screen_feed::verdict::show);
  CHECK(feed.live(4) == screen_feed::verdict::drop);
  CHECK(feed.after() == 4);
}

TEST_CASE("a gap is filled from the store before anything later is shown") {
  screen_feed feed{0};
  CHECK(feed.live(3) == screen_feed::verdict::fill);
  CHECK(feed.live(4) == screen_feed::verdict::drop);
  CHECK(feed.fill(lines(1, 3)).size() == 3);
  // The fill was read before 4 was committed: another one must follow.
  CHECK(feed.end_fill(false));
  CHECK(feed.fill(lines(4, 4)).size() == 1);
  CHECK_FALSE(feed.end_fill(false));
  CHECK(feed.live(5) == screen_feed::verdict::show);
}

TEST_CASE("whatever the order of live entries and fills, a screen sees 1..n") {
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    screen_feed feed{0};
    std::vector<std::int32_t> shown;
    std::int32_t committed = 0;
    bool filling = false;
    std::int32_t fill_reads = 0;
    const auto step = [&](unsigned what) {
      if (what == 0 && committed < 30) {
        ++committed;
        switch (feed.live(committed)) {
          case screen_feed::verdict::show: shown.push_back(committed); break;
          case screen_feed::verdict::drop: break;
          case screen_feed::verdict::fill:
            filling = true;
            fill_reads = committed;
            break;
        }
      } else if (what == 1 && !filling && shown.empty() && committed == 0) {
        feed.begin_fill();
        filling = true;
        fill_reads = committed;
      } else if (what == 2 && filling) {
        for (const auto& x : feed.fill(lines(feed.after() + 1, fill_reads)))
          shown.push_back(x.seq);
        filling = feed.end_fill(false);
        fill_reads = committed;
      }
    };
    for (int i = 0; i < 200; ++i) {
      step(static_cast<unsigned>(random() % 3));
    }
    while (filling)
      step(2);
    REQUIRE(shown.size() == static_cast<std::size_t>(committed));
    for (std::size_t i = 0; i < shown.size(); ++i)
      REQUIRE(shown[i] == static_cast<std::int32_t>(i + 1));
  }
}
