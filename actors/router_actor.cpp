#include "actors/router_actor.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace switchboard {

router_actor::router_actor(handle::pointer self, std::shared_ptr<const world> w)
  : self_(self), world_(std::move(w)) {
  // nop
}

router_actor::handle::behavior_type router_actor::make_behavior() {
  return {
    [this](const router_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

void router_actor::told(const router::event& x) {
  for (const auto& effect : matcher_.apply(x, now()))
    std::visit([this](const auto& e) { perform(e); }, effect);
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

} // namespace switchboard
