#include "gateways/http/wheel.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>
#include <vector>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

const wheel::time start{1000s};

struct hand final : wheel::guest {
  wheel* on = nullptr;
  wheel::step again{};
  std::vector<wheel::time> rung;

  void due(wheel::time now) override {
    rung.push_back(now);
    if (again.count() > 0)
      on->set(*this, now + again);
  }
};

} // namespace

TEST_CASE("each rings once, not before its time and a step after at most",
          "[wheel]") {
  wheel w{start, 100ms};
  std::mt19937 dice{3};
  std::vector<std::unique_ptr<hand>> all;
  std::vector<wheel::time> when;
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<hand>());
    // Some farther away than a whole turn of 25.6 s.
    when.push_back(start + std::chrono::milliseconds{dice() % 90'000});
    w.set(*all.back(), when.back());
  }
  for (auto now = start; now <= start + 91s; now += 37ms)
    w.turn(now);
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(all[i]->rung.size() == 1);
    CHECK(all[i]->rung[0] >= when[i]);
    CHECK(all[i]->rung[0] <= when[i] + 240ms);
  }
  CHECK(w.all().empty());
}

TEST_CASE("who is set again rings again", "[wheel]") {
  wheel w{start, 10ms};
  hand x;
  x.on = &w;
  x.again = 50ms;
  w.set(x, start + 50ms);
  for (auto now = start; now <= start + 1s; now += 10ms)
    w.turn(now);
  CHECK(x.rung.size() >= 14);
  CHECK(x.rung.size() <= 20);
}

TEST_CASE("who is gone, or set to another time, does not ring", "[wheel]") {
  wheel w{start, 10ms};
  hand later;
  w.set(later, start + 50ms);
  w.set(later, start + 500ms);
  {
    hand gone;
    w.set(gone, start + 50ms);
    CHECK(w.all().size() == 2);
  }
  w.turn(start + 300ms);
  CHECK(later.rung.empty());
  CHECK(w.all().size() == 1);
  w.turn(start + 600ms);
  CHECK(later.rung.size() == 1);
}

TEST_CASE("after a long sleep everybody who is late rings", "[wheel]") {
  wheel w{start, 10ms};
  std::vector<std::unique_ptr<hand>> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(std::make_unique<hand>());
    w.set(*all.back(), start + i * 20ms);
  }
  w.turn(start + 1h);
  for (const auto& x : all)
    CHECK(x->rung.size() == 1);
}
