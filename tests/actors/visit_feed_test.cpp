#include "actors/visit_feed.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace switchboard;
using verdict = visit_feed::verdict;

namespace {

constexpr session_id first{10};
constexpr session_id second{20};

} // namespace

TEST_CASE("a new customer's first line is shown at once", "[visit]") {
  visit_feed x{{}};
  CHECK(x.stands({}, 0) == verdict::drop);
  CHECK(x.live(first, 1) == verdict::show);
  CHECK(x.live(first, 2) == verdict::show);
  CHECK(x.live(first, 2) == verdict::drop);
  CHECK(x.where() == visit::position{first, 2});
}

TEST_CASE("what was missed is read back, from where the screen stands",
          "[visit]") {
  visit_feed x{{first, 3}};
  CHECK(x.stands(first, 6) == verdict::fill);
  CHECK(x.where() == visit::position{first, 3});
  // Comes while the store is read, before or after what it brings.
  CHECK(x.live(first, 7) == verdict::drop);
  for (const auto seq : {4, 5, 6})
    CHECK(x.take(seq));
  CHECK(x.end_fill(false));
  CHECK(x.where() == visit::position{first, 6});
  CHECK(x.take(7));
  CHECK_FALSE(x.end_fill(false));
  CHECK(x.live(first, 8) == verdict::show);
}

TEST_CASE("a line that was lost on its way is read back", "[visit]") {
  visit_feed x{{first, 3}};
  CHECK(x.stands(first, 3) == verdict::drop);
  CHECK(x.live(first, 5) == verdict::fill);
  CHECK(x.take(4));
  CHECK(x.take(5));
  CHECK_FALSE(x.end_fill(false));
  CHECK(x.live(first, 6) == verdict::show);
}

TEST_CASE("the next conversation waits for the rest of the former one",
          "[visit]") {
  visit_feed x{{first, 3}};
  CHECK(x.stands(first, 3) == verdict::drop);
  CHECK(x.live(second, 1) == verdict::fill);
  CHECK(x.where().session == first);
  CHECK(x.take(4));
  CHECK(x.end_fill(false));
  CHECK(x.where() == visit::position{second, 0});
  CHECK(x.take(1));
  CHECK_FALSE(x.end_fill(false));
  CHECK(x.live(second, 2) == verdict::show);
  CHECK(x.live(first, 4) == verdict::drop);
}

TEST_CASE("whatever is lost, doubled or late, the screen sees 1, 2, 3 ...",
          "[visit]") {
  std::mt19937 dice{5};
  for (int round = 0; round < 500; ++round) {
    std::map<std::int64_t, std::int32_t> stored;
    std::map<std::int64_t, std::int32_t> shown;
    std::int64_t now = 1;
    visit_feed x{{}};
    bool reading = false;
    const auto show = [&](session_id of, std::int32_t seq) {
      REQUIRE(seq == shown[of.value] + 1);
      REQUIRE((shown.upper_bound(of.value) == shown.end()));
      shown[of.value] = seq;
    };
    const auto read = [&] {
      const auto from = x.where();
      const auto last = stored[from.session.value];
      const auto upto = std::min(last, from.seq + 3);
      for (auto seq = from.seq + 1; seq <= upto; ++seq)
        if (x.take(seq))
          show(from.session, seq);
      reading = x.end_fill(upto == from.seq + 3);
    };
    const auto hear = [&](verdict how, session_id of, std::int32_t seq) {
      if (how == verdict::show)
        show(of, seq);
      if (how == verdict::fill)
        reading = true;
    };
    for (int i = 0; i < 60; ++i) {
      switch (dice() % 8) {
        case 0:
          if (stored[now] > 0 && dice() % 3 == 0)
            ++now;
          break;
        case 1: // Said, but lost on its way.
          ++stored[now];
          break;
        case 2: // An old push comes late.
          if (stored[now] > 0) {
            const auto seq =
              1 + static_cast<std::int32_t>(dice()) % std::max(stored[now], 1);
            if (seq > 0)
              hear(x.live({now}, seq), {now}, seq);
          }
          break;
        case 3:
          hear(x.stands({stored[now] > 0 ? now : 0}, stored[now]), {now}, 0);
          break;
        case 4:
          if (reading)
            read();
          break;
        default: {
          const auto seq = ++stored[now];
          hear(x.live({now}, seq), {now}, seq);
        }
      }
    }
    hear(x.stands({stored[now] > 0 ? now : 0}, stored[now]), {now}, 0);
    while (reading)
      read();
    // Of the conversation that there is, everything; of former ones that the
    // screen has begun, everything.
    for (const auto& [of, last] : shown)
      CHECK(last == stored[of]);
    if (stored[now] > 0)
      CHECK(shown[now] == stored[now]);
  }
}
