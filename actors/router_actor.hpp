#pragma once

#include "actors/router_tape.hpp"
#include "actors/world.hpp"

#include <memory>

namespace switchboard {

/// Owns the company's one matcher and passes its proposals to the agents. The
/// tape (if any) hears everything and delays nothing.
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
  void told(const router::event& x);
  void told(const stop&);

  void perform(const router::propose& e);
  void perform(const router::lost_wakeup& e);
  void perform(const router::disagreement&) {
    // Only a tape's own matchers disagree.
  }
  void perform(const router::canary_ended& e);

  handle::pointer self_;
  router::matcher matcher_;
  std::shared_ptr<router_tape> tape_;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
