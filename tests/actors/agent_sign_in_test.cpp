// Screens of an agent whom the directory does not know yet: what comes while
// the database is asked must not be overtaken.
#include "actors/agent_actor.hpp"
#include "actors/alarm.hpp"
#include "actors/query_pool.hpp"
#include "actors/statistics.hpp"
#include "actors/world.hpp"
#include "persistence/memory/memory_store.hpp"
#include "persistence/writer.hpp"
#include "tests/support/house.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/show.hpp"

#include <catch2/catch.hpp>

#include <latch>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

/// One agent's actor, whose look into the database can be held up.
class lonely_agent {
public:
  lonely_agent() {
    std::vector<std::unique_ptr<store>> readers;
    readers.push_back(rows_.open());
    REQUIRE(readers.front()->put_agent(
      {"li"}, {.display_name = "Li", .capacity = 3000}));
    reads_ = std::make_unique<query_pool>(std::move(readers));
    surroundings_->reads = reads_.get();
    surroundings_->log = &log_;
    surroundings_->timers = &timers_;
    surroundings_->counted = &counted;
    actor_ = rt::spawn<agent_actor>(
      system_, agent_actor::birth{.id = {"li"}, .slot = 3, .epoch = 1},
      std::shared_ptr<const world>{surroundings_});
  }

  ~lonely_agent() { reads_->stop(); }

  /// Nothing is read until `let_read`.
  void hold_reads() {
    reads_->run([this](store&) { open_.wait(); });
  }
  void let_read() { open_.count_down(); }

  void tell(agent_told what) { rt::post(actor_, std::move(what)); }

  /// A screen that signs in with the `binding`th word of its own.
  std::shared_ptr<test::watching_screen> sign_in(std::int64_t binding) {
    auto shown = std::make_shared<test::watching_screen>();
    screen_in in;
    in.screen = shown;
    in.key = 7;
    in.binding = binding;
    in.done = [this](const result<receipt>& x) { signed_in += x ? 1 : 0; };
    tell(std::move(in));
    return shown;
  }

  statistics counted;
  std::atomic<int> signed_in{0};

private:
  memory_database rows_;
  writer log_{rows_.open(), {"n1"}, 16};
  switchboard::alarm timers_;
  std::latch open_{1};
  caf::actor_system_config how_;
  caf::actor_system system_{how_};
  std::shared_ptr<world> surroundings_ = std::make_shared<world>();
  std::unique_ptr<query_pool> reads_;
  agent_ref actor_;
};

} // namespace

TEST_CASE("a screen that went while its agent was looked up does not come back",
          "[actors][screen]") {
  lonely_agent li;
  li.hold_reads();
  static_cast<void>(li.sign_in(1));
  li.tell(screen_out{7});
  li.let_read();
  CHECK(test::becomes([&] { return li.signed_in == 1; }));
  CHECK(test::becomes([&] { return li.counted.screens == 0; }));
}

TEST_CASE("a screen that signs in again is not bound by its older word",
          "[actors][screen]") {
  lonely_agent li;
  const auto later = li.sign_in(2);
  CHECK(later->wait<push::presence>());
  const auto earlier = li.sign_in(1);
  CHECK(test::becomes([&] { return li.signed_in == 2; }));
  push::offer offer;
  offer.session = {4711};
  offer.number = 1;
  li.tell(offer_made{offer, 1000});
  CHECK(later->wait<push::offer>());
  CHECK(earlier->count<push::offer>() == 0);
}
