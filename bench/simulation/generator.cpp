#include "bench/simulation/generator.hpp"

#include "bench/simulation/dice.hpp"

#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace switchboard::simulation {

namespace {

/// Streams of one seed; customers have theirs by number.
constexpr std::uint64_t company_stream = 1u << 30;
constexpr std::uint64_t arrivals_stream = company_stream + 1;

/// 2026-01-05 08:00 UTC, a Monday. Any other day would do.
constexpr time_point opening{duration{1'767'600'000'000}};

/// @param x in [0, 1)
const std::string& pick(const std::vector<share>& all, double x) {
  for (const auto& s : all) {
    if (x < s.part)
      return s.name;
    x -= s.part;
  }
  return all.back().name;
}

/// Replaces the ability or adds it; never makes it worse.
void learn(std::vector<agent::ability>& all, const std::string& name,
           std::uint64_t level) {
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const auto& x) { return x.name == name; });
  const auto now = static_cast<std::int32_t>(level);
  if (at == all.end())
    all.push_back({name, now});
  else
    at->level = std::max(at->level, now);
}

agent::profile draw_profile(dice& r, const plan& p, double language_part,
                            double skill_part) {
  agent::profile who;
  learn(who.languages, pick(p.languages, language_part), 5);
  if (r.chance(.4))
    learn(who.languages, pick(p.languages, r.uniform()), 3 + r.below(2));
  learn(who.skills, pick(p.skills, skill_part), 4 + r.below(2));
  learn(who.skills, pick(p.skills, r.uniform()), 2 + r.below(3));
  if (r.chance(.7))
    learn(who.skills, pick(p.skills, r.uniform()), 1 + r.below(3));
  if (r.chance(.4))
    learn(who.skills, pick(p.skills, r.uniform()), 1 + r.below(2));
  const auto room = r.uniform();
  who.capacity = room < .3 ? 2000 : room < .8 ? 3000 : 4000;
  return who;
}

/// Half of all work the whole day, a quarter begins with it, a quarter ends
/// with it; everybody has a break in the middle, not all at the same time.
std::vector<period> shifts_of(int i, const period& open, dice& r) {
  const auto all = open.to - open.from;
  const auto part = [&](double x) {
    return open.from
           + duration{
             static_cast<std::int64_t>(x * static_cast<double>(all.count()))};
  };
  auto from = i % 4 == 2 ? part(.35) : open.from;
  auto to = i % 4 == 3 ? part(.65) : open.to;
  const auto middle = from + (to - from) / 2;
  const auto shifted =
    middle
    + duration{static_cast<std::int64_t>(
      (r.uniform() - .5) * .4 * static_cast<double>((to - from).count()))};
  return {{from, shifted - all / 40}, {shifted + all / 40, to}};
}

/// Work in seconds that the company can do with all places taken.
double capacity_of(const world& w) {
  double sum = 0;
  for (const auto& x : w.workers)
    for (const auto& shift : x.shifts)
      sum += std::chrono::duration<double>(shift.to - shift.from).count()
             * w.laws.rate(static_cast<std::size_t>(x.who.capacity / 1000));
  return sum;
}

urgency_class draw_urgency(dice& r) {
  const auto x = r.uniform();
  if (x < .05)
    return urgency_class::urgent;
  return x < .15 ? urgency_class::vip : urgency_class::normal;
}

/// Somebody who could have served this customer.
const worker* draw_previous(const world& w, const customer& c, dice& r) {
  router::session_waiting s;
  s.want = c.want;
  std::vector<const worker*> all;
  for (const auto& x : w.workers) {
    agent::availability seen;
    seen.id = x.id;
    seen.who = x.who;
    seen.routable = true;
    if (scoring::suited({}, s, seen))
      all.push_back(&x);
  }
  return all.empty() ? nullptr : all[r.below(all.size())];
}

} // namespace

double daily_shape(double x) {
  const auto hump = [x](double at, double width, double height) {
    return height * std::exp(-(x - at) * (x - at) / (2 * width * width));
  };
  return .6 + hump(.28, .1, .8) + hump(.7, .12, .6);
}

world make_company(const plan& p) {
  world w;
  w.laws = p.laws;
  w.open = {opening, opening
                       + duration{static_cast<std::int64_t>(
                         std::max(p.hours, .1) * 3'600'000)}};
  dice r(p.seed, company_stream);
  for (int i = 0; i < p.agents; ++i) {
    // Spread evenly instead of drawn, so that no language goes short by chance;
    // two steps without a common factor, so that all pairs come up.
    const auto part = [i](double step) {
      return std::fmod((i + .5) * step, 1.);
    };
    auto name = std::to_string(i + 1);
    name.insert(0, 4 - std::min<std::size_t>(4, name.size()), '0');
    w.workers.push_back(
      {{"agent-" + name},
       draw_profile(r, p, part(.6180339887), part(.4142135624)),
       shifts_of(i, w.open, r)});
  }
  return w;
}

customer draw_customer(const world& w, const plan& p, std::size_t i) {
  dice r(p.seed, i);
  customer c;
  c.want.language = pick(p.languages, r.uniform());
  const auto needed = r.uniform();
  if (needed > .1)
    c.want.skills = {pick(p.skills, r.uniform())};
  c.want.urgency = draw_urgency(r);
  const auto patience = r.exponential(p.patience_s)
                        * (c.want.urgency == urgency_class::urgent ? .5 : 1);
  c.patience = duration{static_cast<std::int64_t>(patience * 1000) + 1};
  c.work_s = r.lognormal(p.work_s, .7);
  c.luck = r.uniform();
  const auto returns = r.chance(p.returning);
  const auto age =
    duration{static_cast<std::int64_t>(r.exponential(7 * 24 * 3'600'000.))};
  const auto* previous = draw_previous(w, c, r);
  if (returns && previous) {
    c.previous = previous->id;
    c.previous_at = w.open.from - age;
  }
  return c;
}

void add_customers(world& w, const plan& p) {
  const auto length = static_cast<double>((w.open.to - w.open.from).count());
  constexpr int steps = 1000;
  double mean_shape = 0;
  double top = 0;
  for (int i = 0; i < steps; ++i) {
    const auto shape = daily_shape((i + .5) / steps);
    mean_shape += shape / steps;
    top = std::max(top, shape);
  }
  const auto work = p.work_s * (1 + 2 * w.laws.skill_slows);
  const auto expected = p.load * capacity_of(w) / work;
  if (expected <= 0)
    return;
  // Thinning: as many as at the busiest moment, of whom only some come.
  dice r(p.seed, arrivals_stream);
  const auto gap = length / expected * mean_shape / top;
  for (double at = r.exponential(gap); at < length; at += r.exponential(gap)) {
    if (!r.chance(daily_shape(at / length) / top))
      continue;
    auto c = draw_customer(w, p, w.customers.size());
    c.at = w.open.from + duration{static_cast<std::int64_t>(at)};
    w.customers.push_back(std::move(c));
  }
}

world make_world(const plan& p) {
  auto w = make_company(p);
  add_customers(w, p);
  return w;
}

} // namespace switchboard::simulation
