#pragma once

#include "actors/domain/line_notice.hpp"
#include "actors/router_tape.hpp"
#include "actors/world.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <vector>

namespace switchboard {

/// Owns the company's one matcher and passes its proposals to the agents, if
/// the router's slot is this node's; if not, it sends on what it is told.
class router_actor {
public:
  static constexpr const char* name = "router";
  using handle = router_ref;

  struct birth {
    router::policy_choice rules{};
    std::shared_ptr<router_tape> tape{}; ///< Null: nobody watches.
  };

  router_actor(handle::pointer self, birth b, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

private:
  /// What is not sent on at once is said again when a router starts; more than
  /// this need not be kept.
  static constexpr std::size_t held_max = 10'000;

  void told(const for_router& x);
  void told(const router::policy_choice& x);
  void told(const slot_claimed& x);
  void told(const slot_lost& x);
  void told(const route_known&);
  void told(const stop&);

  void route(const router::event& x);

  /// Tells those at work how many wait, when that has changed.
  void show_lines();

  /// Tells those who wait where they stand. Of a long line more seldom: that
  /// looks at all of it.
  void tell_places(time_point at);

  void perform(const router::propose& e);
  void perform(const router::lost_wakeup& e);
  void perform(const router::disagreement&) {
    // Only a tape's own matchers disagree.
  }
  void perform(const router::canary_ended& e);
  void perform(const router::turn_down& e);

  handle::pointer self_;
  router::policy_choice rules_;
  router::matcher matcher_;
  std::shared_ptr<router_tape> tape_; ///< It delays nothing.
  std::int64_t epoch_ = 0;
  bool ours_ = false;
  std::deque<letter> held_; ///< Until the router's node is known.
  std::set<agent_id> at_work_;
  std::set<agent_id> untold_; ///< At work, and shown no line yet.
  std::vector<router::line> shown_;
  router::line_notices notices_{};
  time_point places_told_at_{};
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
