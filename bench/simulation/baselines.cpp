#include "bench/simulation/line_dispatcher.hpp"
#include "bench/simulation/matcher_dispatcher.hpp"

#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <set>

namespace switchboard::simulation {

namespace {

using availability = agent::availability;

/// Idle agents before busy ones; then who was given a chat the longest ago.
bool is_idler(const availability& x, const availability& y) {
  if (x.sessions.empty() != y.sessions.empty())
    return x.sessions.empty();
  return x.last_accepted_at < y.last_accepted_at;
}

/// The first of `all` for which nobody is better.
template <class Better>
const availability& best_of(const std::vector<const availability*>& all,
                            Better better) {
  return **std::min_element(
    all.begin(), all.end(),
    [&](const auto* x, const auto* y) { return better(*x, *y); });
}

class round_robin final : public line_dispatcher {
  using line_dispatcher::line_dispatcher;

  const availability& choose(const std::vector<const availability*>& all,
                             const session_waiting&) override {
    const auto next = std::find_if(
      all.begin(), all.end(), [this](const auto* x) { return x->id > last_; });
    const auto& chosen = next == all.end() ? *all.front() : **next;
    last_ = chosen.id;
    return chosen;
  }

  agent_id last_{};
};

class least_chats final : public line_dispatcher {
  using line_dispatcher::line_dispatcher;

  const availability& choose(const std::vector<const availability*>& all,
                             const session_waiting&) override {
    return best_of(all, [](const auto& x, const auto& y) {
      if (x.sessions.size() != y.sessions.size())
        return x.sessions.size() < y.sessions.size();
      return x.last_accepted_at < y.last_accepted_at;
    });
  }
};

class longest_idle final : public line_dispatcher {
  using line_dispatcher::line_dispatcher;

  const availability& choose(const std::vector<const availability*>& all,
                             const session_waiting&) override {
    return best_of(all, is_idler);
  }
};

class load_ratio final : public line_dispatcher {
  using line_dispatcher::line_dispatcher;

  const availability& choose(const std::vector<const availability*>& all,
                             const session_waiting&) override {
    return best_of(all, [](const auto& x, const auto& y) {
      const auto ratio_x = std::int64_t{x.load} * y.who.capacity;
      const auto ratio_y = std::int64_t{y.load} * x.who.capacity;
      if (ratio_x != ratio_y)
        return ratio_x < ratio_y;
      return x.last_accepted_at < y.last_accepted_at;
    });
  }
};

/// Rings of skill: at first only experts may serve, later everybody may.
class bullseye final : public line_dispatcher {
public:
  using line_dispatcher::line_dispatcher;

  assignments waits(const session_waiting& s, time_point now) override {
    for (int ring = 1; ring < rings; ++ring)
      wakes_.insert(s.since + ring * ring_time);
    return line_dispatcher::waits(s, now);
  }

  std::optional<time_point> next_wake() const override {
    if (wakes_.empty())
      return std::nullopt;
    return *wakes_.begin();
  }

  assignments wake(time_point now) override {
    auto found = line_dispatcher::wake(now);
    // As long as it finds somebody it is called again, at the same time.
    if (found.empty())
      wakes_.erase(wakes_.begin(), wakes_.upper_bound(now));
    return found;
  }

private:
  static constexpr int rings = 4;
  static constexpr duration ring_time = std::chrono::seconds{15};

  const availability& choose(const std::vector<const availability*>& all,
                             const session_waiting&) override {
    return best_of(all, is_idler);
  }

  /// The innermost ring asks for level 4, each further one for a level less.
  bool admits(const session_waiting& s, const availability& a,
              time_point now) const override {
    const auto ring =
      std::min<std::int64_t>((now - s.since) / ring_time, rings - 1);
    return std::all_of(
      s.want.skills.begin(), s.want.skills.end(), [&](const auto& skill) {
        return scoring::level_of(a.who.skills, skill) >= rings - ring;
      });
  }

  std::set<time_point> wakes_{};
};

} // namespace

std::string_view to_string(rule x) noexcept {
  switch (x) {
    case rule::switchboard: return "switchboard";
    case rule::round_robin: return "round robin";
    case rule::least_chats: return "least chats";
    case rule::longest_idle: return "longest idle";
    case rule::load_ratio: return "load ratio";
    case rule::bullseye: return "bullseye";
  }
  return "unknown";
}

std::string_view describe(rule x) noexcept {
  switch (x) {
    case rule::switchboard:
      return "The product's matcher, unchanged: urgency times match, where the "
             "match weighs skill, language, acquaintance and load.";
    case rule::round_robin: return "One agent after the other, by name.";
    case rule::least_chats:
      return "The agent with the fewest chats; then who was given one the "
             "longest ago.";
    case rule::longest_idle:
      return "Agents without a chat first; then who was given one the longest "
             "ago.";
    case rule::load_ratio:
      return "The agent with the lowest share of their capacity in use; then "
             "who was given a chat the longest ago.";
    case rule::bullseye:
      return "Skill level 4 or better at first, one level less every 15 s of "
             "waiting; inside a ring as longest idle.";
  }
  return "";
}

std::unique_ptr<dispatcher> make_dispatcher(rule x, const policy& p) {
  switch (x) {
    case rule::switchboard: return make_matcher_dispatcher(p);
    case rule::round_robin: return std::make_unique<round_robin>(p);
    case rule::least_chats: return std::make_unique<least_chats>(p);
    case rule::longest_idle: return std::make_unique<longest_idle>(p);
    case rule::load_ratio: return std::make_unique<load_ratio>(p);
    case rule::bullseye: return std::make_unique<bullseye>(p);
  }
  return nullptr;
}

} // namespace switchboard::simulation
