#include "bench/soak.hpp"

#include "bench/course.hpp"
#include "bench/rig.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct samples {
  std::vector<double> at_minutes;
  std::vector<double> node_kib;
};

/// Looks at the memory, and cuts screens, until the load is through.
samples watch(const rig& on, load& x, desks& at, const soak_options& how) {
  samples s;
  progress bar{"soak"};
  const auto begin = steady_clock::now();
  const auto whole = how.minutes;
  double to_cut = 0;
  int next = 0;
  x.start();
  while (!x.wait(500ms)) {
    const auto minutes =
      std::chrono::duration<double>(steady_clock::now() - begin).count() / 60;
    bar.at(minutes / whole);
    s.at_minutes.push_back(minutes);
    s.node_kib.push_back(static_cast<double>(memory_of(on.node_pid()).now)
                         / 1024);
    for (to_cut += how.churn * how.agents / 2; to_cut >= 1; --to_cut)
      at.cut(next++ % how.agents);
    if (minutes > whole + 2)
      throw std::runtime_error("two minutes after its end the load is not "
                               "through");
  }
  return s;
}

/// What is left when the first third, in which caches fill, is left out.
std::vector<double> settled(const std::vector<double>& all) {
  return {all.begin() + std::ssize(all) / 3, all.end()};
}

/// p99.9 of the receipts by third of the run, so that a drift shows.
std::string drift(const load& x) {
  auto all = x.answers();
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.due < b.due; });
  std::string to;
  for (std::size_t third = 0; third < 3; ++third) {
    latencies part;
    for (auto i = all.size() * third / 3; i < all.size() * (third + 1) / 3; ++i)
      part.add(all[i].latency_us);
    to += (third == 0 ? "" : ", ")
          + number(static_cast<double>(part.quantile(.999)) / 1000);
  }
  return to + " ms";
}

} // namespace

trend line_through(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  if (x.size() < 3)
    return {};
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  trend t{.slope = xx > 0 ? xy / xx : 0};
  double rest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto off = y[i] - mean_y - t.slope * (x[i] - mean_x);
    rest += off * off;
  }
  t.scatter = std::sqrt(rest / (n - 2));
  return t;
}

report run_soak(const soak_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(30s))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  const std::string run = "soak";
  desks at{on, {.run = run, .agents = how.agents, .sessions = how.sessions}};
  course runs{*wire, at, run, how.agents * how.sessions * 9 / 10};
  runs.open_sessions();
  const auto rate = how.rate > 0 ? how.rate : climb(runs) / 2;

  report r{.name = "soak", .unit = "KiB a minute, the node's growth"};
  const auto x =
    runs.make(static_cast<std::int64_t>(rate * how.minutes * 60), rate);
  const auto before = on.cpu();
  const auto s = watch(on, *x, at, how);
  runs.finish(*x);
  add_cpu(r, before, on.cpu(), x->sent());
  const auto t = follow(at, *x, run);
  x->write(r);
  auto all = t.there_and_back;
  all.write(r);
  const auto minutes = settled(s.at_minutes);
  const auto kib = settled(s.node_kib);
  const auto line = line_through(minutes, kib);
  r.value = line.slope;
  if (minutes.size() > 2 && minutes.back() > minutes.front())
    r.floor = 2 * line.scatter / (minutes.back() - minutes.front());
  r.ratio = line.slope > 0 ? r.floor / line.slope : 1;
  r.floor_is = "what the scatter around the line would let any line grow";
  r.must = "growth within the scatter (a ratio of 1 or more)";
  r.memory = {.step_s = how.minutes * 60
                        / static_cast<double>(
                          std::max<std::size_t>(s.node_kib.size(), 1)),
              .values = s.node_kib};
  check(r, on, *x, run);
  r.lost += t.unanswered;
  r.reordered += t.reordered;
  if (!kib.empty())
    r.more.emplace_back(
      "node's memory, least to most after the first third",
      number(*std::min_element(kib.begin(), kib.end()) / 1024) + " to "
        + number(*std::max_element(kib.begin(), kib.end()) / 1024) + " MiB");
  r.more.emplace_back("messages/s, minutes",
                      number(rate) + ", " + number(how.minutes));
  r.more.emplace_back("screens cut in a second",
                      number(how.churn * how.agents));
  r.more.emplace_back("receipts' p99.9 in each third", drift(*x));
  return r;
}

} // namespace switchboard::bench
