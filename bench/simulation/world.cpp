#include "bench/simulation/world.hpp"

#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <cmath>

namespace switchboard::simulation {

namespace {

constexpr double level_max = 5;

/// Mean over the skills that are needed; somebody without needs suits everyone.
double skill_level(const needs& want, const agent::profile& who) {
  if (want.skills.empty())
    return level_max;
  double sum = 0;
  for (const auto& name : want.skills)
    sum += scoring::level_of(who.skills, name);
  return sum / static_cast<double>(want.skills.size());
}

double language_level(const needs& want, const agent::profile& who) {
  return want.language.empty()
           ? level_max
           : scoring::level_of(who.languages, want.language);
}

} // namespace

double nature::rate(std::size_t chats) const {
  return throughput[std::min(chats, throughput.size() - 1)];
}

prospect foresee(const nature& n, const customer& c, const worker& w,
                 time_point now) {
  const auto skill_lack = level_max - skill_level(c.want, w.who);
  const auto language_lack = level_max - language_level(c.want, w.who);
  const auto acquainted = c.previous == w.id;
  const auto age = static_cast<double>((now - c.previous_at).count());
  const auto half_life = static_cast<double>(n.affinity_half_life.count());
  const auto memory =
    acquainted ? std::exp2(-std::max(age, 0.) / half_life) : 0;
  prospect p;
  p.work_s = c.work_s * (1 + n.skill_slows * skill_lack)
             * (1 + n.language_slows * language_lack)
             * (1 - n.affinity_saves * memory);
  p.resolution = n.resolves - n.skill_resolves * skill_lack
                 - n.language_resolves * language_lack
                 + n.affinity_resolves * memory;
  p.acquainted = acquainted;
  return p;
}

} // namespace switchboard::simulation
