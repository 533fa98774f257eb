#include "actors/router_actor.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace switchboard {

router_actor::router_actor(handle::pointer self, birth b,
                           std::shared_ptr<const world> w)
  : self_(self), tape_(std::move(b.tape)), world_(std::move(w)) {
  // As an event, so that a record begins with the policy.
  told(router::event{router::policy_changed{std::move(b.rules)}});
}

router_actor::handle::behavior_type router_actor::make_behavior() {
  return {
    [this](const router_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

void router_actor::told(const router::event& x) {
  const auto at = now();
  const auto todo = matcher_.apply(x, at);
  for (const auto& effect : todo)
    std::visit([this](const auto& e) { perform(e); }, effect);
  if (tape_)
    tape_->add(x, at, todo);
}

void router_actor::told(const stop&) {
  self_->quit();
}

void router_actor::perform(const router::propose& e) {
  world_->tell_agent(
    e.agent, agent::event{agent::proposed{e.session, e.load, e.pick, e.why}});
}

void router_actor::perform(const router::lost_wakeup& e) {
  ++world_->counted->lost_wakeups;
  spdlog::error("router: session {} waited although an agent was free",
                e.session.value);
}

void router_actor::perform(const router::canary_ended& e) {
  ++world_->counted->canaries_ended;
  spdlog::error("router: the canary policy is withdrawn: {}; the acting policy "
                "decides about everybody again",
                e.reason);
}

} // namespace switchboard
