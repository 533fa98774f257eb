#include "bench/flat_scan.hpp"

#include "actors/domain/policy.hpp"
#include "actors/domain/scoring.hpp"

#include <cstddef>

namespace switchboard::bench {

namespace {

/// What the loop over all sessions reads.
struct columns {
  const std::uint64_t* needs;
  const float* since;
  const float* per_target;
  const float* weight;
  const std::int32_t* demand;
  std::size_t count;
};

/// Eight sessions at a time where the machine can.
__attribute__((target_clones("avx2", "default"),
               optimize("O3", "fast-math"))) void
rate_all(const columns& x, std::uint64_t able, float now, const float* quality,
         float* out) {
  for (std::size_t i = 0; i < x.count; ++i) {
    const auto relative = 1 + (now - x.since[i]) * x.per_target[i];
    const auto b = x.weight[i] * relative * relative * quality[x.demand[i]];
    out[i] = (x.needs[i] & ~able) == 0 ? b : 0;
  }
}

std::size_t largest(const std::vector<float>& all) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    best = all[i] > all[best] ? i : best;
  return best;
}

} // namespace

flat_line::flat_line(const std::vector<router::session_waiting>& all) {
  const policy p;
  epoch_ = all.empty() ? time_point{} : all.front().since;
  for (const auto& s : all) {
    auto needs = bit_of("q" + s.want.queue.text);
    auto kind = s.want.language + (s.previous ? "+" : "-");
    if (!s.want.language.empty())
      needs |= bit_of("l" + s.want.language);
    for (const auto& skill : s.want.skills) {
      needs |= bit_of("s" + skill);
      kind += skill + ',';
    }
    const auto [found, fresh] =
      demand_of_.try_emplace(kind, static_cast<std::int32_t>(demands_.size()));
    if (fresh) {
      demands_.push_back(s.want);
      known_.push_back(s.previous.has_value());
    }
    const auto& service = p.service_of(s.want.urgency);
    ids_.push_back(s.session);
    needs_.push_back(needs);
    since_.push_back(static_cast<float>((s.since - epoch_).count()));
    per_target_.push_back(1 / static_cast<float>(service.target.count()));
    weight_.push_back(static_cast<float>(service.weight));
    demand_.push_back(found->second);
  }
}

std::uint64_t flat_line::bit_of(const std::string& name) {
  const auto found = bits_.try_emplace(name, bits_.size()).first;
  return std::uint64_t{1} << (found->second % 64);
}

std::uint64_t flat_line::mask_of(const agent::availability& a) const {
  const policy p;
  std::uint64_t mask = 0;
  const auto add = [&](const std::string& name) {
    if (const auto found = bits_.find(name); found != bits_.end())
      mask |= std::uint64_t{1} << (found->second % 64);
  };
  for (const auto& q : a.who.queues)
    add("q" + q.text);
  for (const auto& x : a.who.languages)
    if (x.level >= p.language_level_min)
      add("l" + x.name);
  for (const auto& x : a.who.skills)
    add("s" + x.name);
  return mask;
}

flat_line::rating flat_line::prepare(const agent::availability& a,
                                     time_point now) const {
  const policy p;
  rating r{.able = mask_of(a)};
  for (std::size_t i = 0; i < demands_.size(); ++i) {
    router::session_waiting s;
    s.want = demands_[i];
    if (known_[i])
      s.previous = agent_id{};
    r.quality.push_back(
      static_cast<float>(scoring::rate(p, s, a, now).quality));
  }
  return r;
}

std::optional<session_id> flat_line::best(const rating& r,
                                          time_point now) const {
  std::vector<float> rated(ids_.size());
  rate_all({needs_.data(), since_.data(), per_target_.data(), weight_.data(),
            demand_.data(), ids_.size()},
           r.able, static_cast<float>((now - epoch_).count()), r.quality.data(),
           rated.data());
  if (rated.empty())
    return std::nullopt;
  const auto i = largest(rated);
  return rated[i] > 0 ? std::optional{ids_[i]} : std::nullopt;
}

} // namespace switchboard::bench
