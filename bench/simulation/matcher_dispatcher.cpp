#include "bench/simulation/matcher_dispatcher.hpp"

#include <variant>

namespace switchboard::simulation {

namespace {

class matcher_dispatcher final : public dispatcher {
public:
  explicit matcher_dispatcher(const policy& p) : matcher_(p) {}

  assignments waits(const router::session_waiting& s, time_point now) override {
    return follow(matcher_.apply(s, now));
  }

  assignments leaves(session_id s, time_point now) override {
    return follow(matcher_.apply(router::session_left{s}, now));
  }

  assignments agent_changed(const agent::availability& a,
                            time_point now) override {
    return follow(matcher_.apply(router::agent_changed{a}, now));
  }

  /// The product sweeps once a second; more seldom finds as many defects.
  std::optional<time_point> next_wake() const override { return next_; }

  assignments wake(time_point now) override {
    next_ = now + std::chrono::seconds{10};
    return follow(matcher_.apply(router::swept{}, now));
  }

  std::size_t lost_wakeups() const override { return lost_; }

private:
  assignments follow(const router::effects& all) {
    assignments out;
    for (const auto& x : all) {
      if (const auto* p = std::get_if<router::propose>(&x))
        out.push_back({p->session, p->agent});
      else
        ++lost_;
    }
    return out;
  }

  router::matcher matcher_;
  time_point next_{};
  std::size_t lost_ = 0;
};

} // namespace

std::unique_ptr<dispatcher> make_matcher_dispatcher(const policy& p) {
  return std::make_unique<matcher_dispatcher>(p);
}

} // namespace switchboard::simulation
