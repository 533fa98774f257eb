#pragma once

#include "actors/world.hpp"

#include <memory>

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

  void perform(const router::propose& e);
  void perform(const router::lost_wakeup& e);

  handle::pointer self_;
  router::matcher matcher_;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
