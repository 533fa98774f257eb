#include "bench/simulation/experiment.hpp"

#include "bench/simulation/engine.hpp"

#include <algorithm>
#include <cmath>

namespace switchboard::simulation {

namespace {

/// The 97.5 % quantile of Student's t for 1, 2 ... 30 degrees of freedom.
constexpr std::array student{
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
  2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
  2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
};

double student_t(std::size_t freedom) {
  return freedom <= student.size() ? student[freedom - 1] : 1.96;
}

/// What is collected about one rule while seeds are run.
struct tally {
  std::vector<day_figures> days{};
  std::vector<double> waits{};
};

void add(row& to, tally& t, const world& w, const day& d) {
  t.days.push_back(measure(w, d));
  const auto n = count(d);
  to.heads.arrived += n.arrived;
  to.heads.served += n.served;
  to.heads.abandoned += n.abandoned;
  to.heads.waiting += n.waiting;
  to.lost_wakeups += d.lost_wakeups;
  to.hash = (to.hash ^ d.hash()) * 1099511628211u;
  for (const auto& f : d.fates)
    if (f.how != ending::to_come)
      t.waits.push_back(std::chrono::duration<double>(f.wait).count());
}

void conclude(row& r, tally& t, const tally& product) {
  for (std::size_t f = 0; f < figures.size(); ++f) {
    std::vector<double> values;
    std::vector<double> behind;
    for (std::size_t i = 0; i < t.days.size(); ++i) {
      values.push_back(t.days[i][f]);
      behind.push_back(t.days[i][f] - product.days[i][f]);
    }
    r.values[f] = estimate_of(values);
    r.behind[f] = estimate_of(behind);
  }
  std::sort(t.waits.begin(), t.waits.end());
  for (std::size_t percent = 0; percent <= 100; ++percent)
    r.waits.push_back(
      t.waits.empty() ? 0 : t.waits[(t.waits.size() - 1) * percent / 100]);
}

} // namespace

estimate estimate_of(const std::vector<double>& values) {
  if (values.empty())
    return {};
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const auto x : values)
    sum += x;
  const auto mean = sum / n;
  if (values.size() == 1)
    return {mean, 0};
  double squares = 0;
  for (const auto x : values)
    squares += (x - mean) * (x - mean);
  return {mean,
          student_t(values.size() - 1) * std::sqrt(squares / (n - 1) / n)};
}

verdict judge(const row& baseline, figure x) {
  const auto& d = baseline.behind[static_cast<std::size_t>(x)];
  if (sense_of(x) == sense::neither || std::abs(d.mean) <= d.margin)
    return verdict::neither;
  return (d.mean > 0) == (sense_of(x) == sense::lower) ? verdict::product
                                                       : verdict::baseline;
}

study run(const plan& base, int seeds, const std::vector<level>& loads,
          const world_maker& make, const std::function<void(double)>& done) {
  study out{base, seeds, {}, {}};
  const auto steps =
    static_cast<double>(loads.size()) * static_cast<double>(seeds);
  double step = 0;
  for (const auto& [name, load] : loads) {
    table t{name, load, {}};
    std::vector<tally> tallies(rules.size());
    for (const auto r : rules) {
      t.rows.push_back({});
      t.rows.back().by = r;
    }
    for (int i = 0; i < seeds; ++i) {
      auto p = base;
      p.load = load;
      p.seed = base.seed + static_cast<std::uint64_t>(i);
      const auto w = make(p);
      for (std::size_t k = 0; k < rules.size(); ++k) {
        const auto d = make_dispatcher(rules[k]);
        add(t.rows[k], tallies[k], w, simulate(w, *d));
      }
      if (done)
        done(++step / steps);
    }
    for (std::size_t k = 0; k < rules.size(); ++k)
      conclude(t.rows[k], tallies[k], tallies.front());
    out.tables.push_back(std::move(t));
  }
  return out;
}

} // namespace switchboard::simulation
