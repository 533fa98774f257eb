#pragma once

#include "actors/world.hpp"

#include <memory>
#include <set>
#include <vector>

namespace switchboard {

/// Owns the company's one matcher and passes its proposals to the agents.
class router_actor {
public:
  static constexpr const char* name = "router";
  using handle = router_ref;

  router_actor(handle::pointer self, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

private:
  void told(const router::event& x);
  void told(const stop&);

  /// Tells those at work how many wait, when that has changed.
  void show_lines();

  void perform(const router::propose& e);
  void perform(const router::lost_wakeup& e);

  handle::pointer self_;
  router::matcher matcher_;
  std::set<agent_id> at_work_;
  std::set<agent_id> untold_; ///< At work, and shown no line yet.
  std::vector<router::line> shown_;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
