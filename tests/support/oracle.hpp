#pragma once

#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"
#include "tests/support/company.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace switchboard::test {

/// One moment, made up from a seed, and what the rules themselves say about it,
/// without any index: every pair is looked at.
class scenario {
public:
  explicit scenario(std::uint64_t seed) : random_(seed) {
    if (below(3) == 0)
      rules_.acting.reply_windows = {{"email", duration{below(100'000)}}};
    rules_.acting.window_lead = duration{1 + below(100'000)};
    if (below(3) == 0) {
      rules_.canary = rules_.acting;
      rules_.canary->version = 2;
      rules_.canary->skill_weight = 50'000;
      rules_.canary->language_level_min = 2;
      rules_.canary_percent = 50;
    }
    for (auto i = 1 + below(6); i > 0; --i)
      agents_.push_back(make_agent(i));
    for (auto i = 1 + below(10); i > 0; --i)
      line_.push_back(make_session(i));
  }

  /// Everybody is busy, the line is there, and then one agent has room.
  void one_agent_many_sessions() {
    router::matcher m(rules_);
    for (const auto& a : agents_) {
      auto busy = a;
      busy.load = busy.who.capacity;
      tell(m, router::agent_changed{busy});
    }
    for (const auto& s : line_)
      if (!tell(m, s).empty())
        throw violation("a session is proposed to nobody free");
    auto free = agents_[static_cast<std::size_t>(below(std::ssize(agents_)))];
    auto waiting = line_;
    for (const auto& got : tell(m, router::agent_changed{free})) {
      const auto i = most_pressing(waiting, free);
      if (!i || waiting[*i].session != got.session || got.agent != free.id)
        throw violation("the freed agent gets session " + to_string(got.session)
                        + ", not "
                        + (i ? to_string(waiting[*i].session) : "nobody"));
      check_record(got, waiting[*i], free);
      free.load += waiting[*i].load;
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(*i));
    }
    if (most_pressing(waiting, free))
      throw violation("a session is left although the agent has room");
  }

  /// Everybody has what they have, and one session comes after the other.
  void one_session_many_agents() {
    router::matcher m(rules_);
    auto agents = agents_;
    for (const auto& a : agents)
      tell(m, router::agent_changed{a});
    for (const auto& s : line_) {
      const auto expected = best_agent(s, agents);
      const auto got = tell(m, s);
      if (got.empty() != !expected)
        throw violation("session " + to_string(s.session)
                        + (expected ? " waits" : " does not wait"));
      if (!expected)
        continue;
      if (got[0].agent != agents[*expected].id)
        throw violation("session " + to_string(s.session) + " goes to "
                        + got[0].agent.text + ", not "
                        + agents[*expected].id.text);
      check_record(got[0], s, agents[*expected]);
      agents[*expected].load += s.load;
    }
  }

private:
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  std::int32_t level() { return static_cast<std::int32_t>(1 + below(5)); }

  agent::availability make_agent(std::int64_t number) {
    agent::availability a;
    a.id = {"a" + std::to_string(number)};
    a.routable = below(8) != 0;
    a.now = agent::presence::online;
    a.who.capacity = static_cast<std::int32_t>(1000 * (1 + below(4)));
    a.load = static_cast<std::int32_t>(250 * below(a.who.capacity / 250 + 1));
    a.last_accepted_at = now_ - duration{below(3)};
    for (const auto* x : {"zh", "en"})
      if (below(4) != 0)
        a.who.languages.push_back({x, level()});
    for (const auto* x : {"billing", "tech", "legal"})
      if (below(3) != 0)
        a.who.skills.push_back({x, level()});
    if (below(2))
      a.who.queues = {{"sales"}};
    if (below(4) == 0)
      a.who.queues.push_back({"default"});
    if (below(4) == 0)
      a.who.channels = {below(2) ? "web" : "email"};
    return a;
  }

  agent_id any_agent() { return {"a" + std::to_string(1 + below(7))}; }

  router::session_waiting make_session(std::int64_t number) {
    router::session_waiting s;
    s.session = {number};
    s.channel = below(2) ? "web" : "email";
    s.load = static_cast<std::int32_t>(250 * (1 + below(4)));
    s.since = now_ - duration{below(3) ? below(100'000) : below(3)};
    s.want.queue = {below(2) ? "default" : "sales"};
    s.want.language = std::vector<std::string>{"", "zh", "en"}[random_() % 3];
    for (const auto* x : {"billing", "tech", "legal"})
      if (below(4) == 0)
        s.want.skills.push_back(x);
    s.want.urgency = static_cast<urgency_class>(below(4));
    if (below(2)) {
      s.previous = any_agent();
      s.previous_at = now_ - duration{below(2'000'000'000)};
    }
    if (below(6) == 0)
      s.only = any_agent();
    if (below(6) == 0)
      s.not_from = any_agent();
    for (auto i = below(5) == 0 ? 1 + below(3) : 0; i > 0; --i)
      s.excluded.push_back(any_agent());
    if (below(8) == 0)
      s.asked.push_back(any_agent());
    if (!s.excluded.empty())
      s.excluded_until = now_ + duration{60'000};
    if (below(6) == 0)
      s.besides = any_agent();
    if (below(6) == 0)
      s.target = duration{1 + below(100'000)};
    return s;
  }

  std::vector<router::propose> tell(router::matcher& m,
                                    const router::event& e) {
    std::vector<router::propose> all;
    for (const auto& x : m.apply(e, now_))
      if (const auto* p = std::get_if<router::propose>(&x))
        all.push_back(*p);
    return all;
  }

  // -- the rules --------------------------------------------------------------

  const policy& policy_of(const router::session_waiting& s) const {
    const auto tried = rules_.canary
                       && scoring::tie_hash(s.session, "canary", 0) % 100
                            < static_cast<std::uint64_t>(rules_.canary_percent);
    return tried ? *rules_.canary : rules_.acting;
  }

  static bool excludes(const router::session_waiting& s, const agent_id& a) {
    return std::find(s.excluded.begin(), s.excluded.end(), a)
           != s.excluded.end();
  }

  /// As they are known to the router, nobody but excluded agents would do.
  bool exclusions_lapse(const router::session_waiting& s) const {
    return s.asked.empty()
           && std::none_of(agents_.begin(), agents_.end(), [&](const auto& a) {
                return !excludes(s, a.id)
                       && scoring::suited(policy_of(s), s, a);
              });
  }

  std::optional<std::size_t>
  most_pressing(const std::vector<router::session_waiting>& line,
                const agent::availability& a) const {
    std::optional<std::size_t> best;
    auto most = std::tuple<scoring::score, time_point, session_id>{};
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto& s = line[i];
      const auto& p = policy_of(s);
      if (!scoring::eligible(p, s, a)
          || (excludes(s, a.id) && !exclusions_lapse(s)))
        continue;
      const auto b = scoring::priority(scoring::urgency(p, s, now_),
                                       scoring::rate(p, s, a, now_).match);
      const auto rank = std::tuple{-b, s.since, s.session};
      if (!best || rank < most) {
        best = i;
        most = rank;
      }
    }
    return best;
  }

  std::optional<std::size_t>
  best_agent(const router::session_waiting& s,
             const std::vector<agent::availability>& all) const {
    const auto& p = policy_of(s);
    if (!s.excluded.empty() && exclusions_lapse(s))
      return oldest_excluded(s, all);
    std::optional<std::size_t> best;
    scoring::score most = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!scoring::eligible(p, s, all[i]) || excludes(s, all[i].id))
        continue;
      const auto m = scoring::rate(p, s, all[i], now_).match;
      if (!best
          || scoring::compare({&all[i], m}, {&all[*best], most}, s.session,
                              p.version)
               .first_is_better) {
        best = i;
        most = m;
      }
    }
    return best;
  }

  std::optional<std::size_t>
  oldest_excluded(const router::session_waiting& s,
                  const std::vector<agent::availability>& all) const {
    for (const auto& id : s.excluded)
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].id == id && scoring::eligible(policy_of(s), s, all[i]))
          return i;
    return std::nullopt;
  }

  void check_record(const router::propose& got,
                    const router::session_waiting& s,
                    const agent::availability& a) const {
    const auto& p = policy_of(s);
    const auto& d = *got.why;
    const auto terms = scoring::rate(p, s, a, now_);
    const auto mine =
      std::find_if(d.candidates.begin(), d.candidates.end(),
                   [&](const auto& c) { return c.agent == d.chosen; });
    if (d.chosen != a.id || mine == d.candidates.end()
        || mine->match != terms.match || mine->quality != terms.quality
        || d.policy != p.version || d.urgency != scoring::urgency(p, s, now_))
      throw violation("the record of session " + to_string(s.session)
                      + " is not what was decided");
  }

  std::mt19937_64 random_;
  time_point now_{duration{1'700'000'000'000}};
  router::policy_choice rules_{};
  std::vector<agent::availability> agents_{};
  std::vector<router::session_waiting> line_{};
};

/// @throws violation if the router decides otherwise than the rules
inline void compare_with_oracle(std::uint64_t seed) {
  try {
    scenario{seed}.one_agent_many_sessions();
    scenario{seed}.one_session_many_agents();
  } catch (const violation& e) {
    throw violation("scenario " + std::to_string(seed) + ": " + e.what());
  }
}

} // namespace switchboard::test
