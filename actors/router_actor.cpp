#include "actors/router_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

namespace {

/// A hundred thousand who wait are looked at once in 50 seconds.
constexpr std::size_t places_a_second = 2000;

} // namespace

router_actor::router_actor(handle::pointer self, birth b,
                           std::shared_ptr<const world> w)
  : self_(self),
    rules_(std::move(b.rules)),
    tape_(std::move(b.tape)),
    world_(std::move(w)) {
  // nop
}

router_actor::handle::behavior_type router_actor::make_behavior() {
  return {
    [this](const router_told& what) {
      std::visit([this](const auto& x) { told(x); }, what);
    },
  };
}

void router_actor::told(const for_router& x) {
  // Each node reads the policy itself; it is not to be told by others.
  if (std::holds_alternative<router::policy_changed>(x.what))
    return;
  if (ours_) {
    route(x.what);
    return;
  }
  if (std::holds_alternative<router::swept>(x.what))
    return;
  letter on{x};
  if ((!held_.empty() || !world_->post->send(router_slot, on))
      && held_.size() < held_max)
    held_.push_back(std::move(on));
}

void router_actor::told(const router::policy_choice& x) {
  rules_ = x;
  if (ours_)
    route(router::policy_changed{rules_});
}

/// A new matcher knows nobody; all are asked to tell it (`neighbours_new`).
void router_actor::told(const slot_claimed& x) {
  matcher_ = router::matcher{};
  shown_.clear();
  notices_ = {};
  epoch_ = x.epoch;
  ours_ = true;
  if (tape_)
    tape_->begin(now());
  route(router::policy_changed{rules_}); // So that a record begins with it.
  for (const auto& each : std::exchange(held_, {}))
    told(std::get<for_router>(each));
}

void router_actor::told(const slot_lost& x) {
  if (x.epoch != epoch_)
    return;
  ours_ = false;
  matcher_ = router::matcher{};
  at_work_.clear();
  untold_.clear();
}

void router_actor::told(const route_known&) {
  while (!ours_ && !held_.empty()
         && world_->post->send(router_slot, held_.front()))
    held_.pop_front();
}

void router_actor::route(const router::event& x) {
  const auto at = now();
  const auto todo = matcher_.apply(x, at);
  for (const auto& effect : todo)
    std::visit([this](const auto& e) { perform(e); }, effect);
  if (tape_)
    tape_->add(x, at, todo);
  if (const auto* changed = std::get_if<router::agent_changed>(&x)) {
    const auto& who = changed->what;
    if (who.now == agent::presence::offline) {
      at_work_.erase(who.id);
      untold_.erase(who.id);
    } else if (at_work_.insert(who.id).second) {
      untold_.insert(who.id);
    }
  }
  if (std::holds_alternative<router::swept>(x)) {
    show_lines();
    tell_places(at);
  }
}

void router_actor::tell_places(time_point at) {
  const std::chrono::seconds pause{matcher_.waiting() / places_a_second};
  if (at < places_told_at_ + pause)
    return;
  places_told_at_ = at;
  for (const auto& x : notices_.look(matcher_.places(at), at))
    world_->tell_session(
      x.session, job{session::placed{x.position, x.wait.min, x.wait.max}, {}});
}

void router_actor::show_lines() {
  auto lines = matcher_.lines();
  const auto same =
    std::equal(lines.begin(), lines.end(), shown_.begin(), shown_.end(),
               [](const router::line& a, const router::line& b) {
                 return a.queue == b.queue && a.waiting == b.waiting
                        && a.oldest == b.oldest;
               });
  for (const auto& who : same ? untold_ : at_work_)
    world_->tell_agent(who, passed_on{push::queue_lines{lines}});
  untold_.clear();
  shown_ = std::move(lines);
}

void router_actor::told(const stop&) {
  self_->quit();
}

void router_actor::perform(const router::propose& e) {
  world_->tell_agent(
    e.agent, agent::event{agent::proposed{e.session, e.load, e.pick, e.why}});
}

void router_actor::perform(const router::turn_down& e) {
  world_->tell_agent(e.agent, pick_refused{e.session, 0, e.reason});
}

void router_actor::perform(const router::lost_wakeup& e) {
  ++world_->counted->lost_wakeups;
  spdlog::error("router: session {} waited although an agent was free",
                e.session.value);
}

void router_actor::perform(const router::canary_ended& e) {
  rules_.canary.reset(); // A router that starts anew does not try it again.
  rules_.canary_percent = 0;
  ++world_->counted->canaries_ended;
  spdlog::error("router: the canary policy is withdrawn: {}; the acting policy "
                "decides about everybody again",
                e.reason);
}

} // namespace switchboard
