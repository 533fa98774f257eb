#include "bench/simulation/figures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace switchboard::simulation {

namespace {

constexpr duration target = std::chrono::seconds{60};

double share(std::size_t part, std::size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

double mean(const std::vector<double>& all) {
  return all.empty() ? 0
                     : std::accumulate(all.begin(), all.end(), 0.)
                         / static_cast<double>(all.size());
}

/// Of one worker: the part of their places that was in use while on duty.
double use_of(const worker& w, const effort& e) {
  const auto places = e.shift_s * w.who.capacity / 1000;
  return places > 0 ? e.chats_s / places : 0;
}

} // namespace

std::string_view to_string(figure x) noexcept {
  switch (x) {
    case figure::wait_mean: return "wait mean";
    case figure::wait_p50: return "wait p50";
    case figure::wait_p95: return "wait p95";
    case figure::in_target: return "within 60 s";
    case figure::abandoned: return "abandoned";
    case figure::resolved: return "resolved";
    case figure::affinity: return "affinity";
    case figure::fairness: return "fairness";
    case figure::occupancy: return "occupancy";
  }
  return "unknown";
}

sense sense_of(figure x) noexcept {
  switch (x) {
    case figure::wait_mean:
    case figure::wait_p50:
    case figure::wait_p95:
    case figure::abandoned: return sense::lower;
    case figure::in_target:
    case figure::resolved:
    case figure::affinity:
    case figure::fairness: return sense::higher;
    case figure::occupancy: return sense::neither;
  }
  return sense::neither;
}

head_count count(const day& d) {
  head_count n;
  for (const auto& f : d.fates) {
    n.arrived += f.how != ending::to_come;
    n.served += f.how == ending::served;
    n.abandoned += f.how == ending::abandoned;
    n.waiting += f.how == ending::waiting;
  }
  return n;
}

double jain(const std::vector<double>& all) {
  double sum = 0;
  double squares = 0;
  for (const auto x : all) {
    sum += x;
    squares += x * x;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(all.size()) * squares)
                     : 1;
}

double quantile(std::vector<double> all, double part) {
  if (all.empty())
    return 0;
  const auto rank = std::ceil(part * static_cast<double>(all.size()));
  const auto at = static_cast<std::size_t>(std::max(rank, 1.)) - 1;
  const auto nth = all.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(all.begin(), nth, all.end());
  return *nth;
}

day_figures measure(const world& w, const day& d) {
  const auto n = count(d);
  std::vector<double> waits;
  std::size_t in_target = 0;
  std::size_t resolved = 0;
  std::size_t known = 0;
  std::size_t met_again = 0;
  for (std::size_t i = 0; i < d.fates.size(); ++i) {
    const auto& f = d.fates[i];
    if (f.how == ending::to_come)
      continue;
    waits.push_back(std::chrono::duration<double>(f.wait).count());
    if (f.how != ending::served)
      continue;
    in_target += f.wait <= target;
    resolved += f.resolved;
    known += w.customers[i].previous.has_value();
    met_again += f.acquainted;
  }
  std::vector<double> uses;
  double chats_s = 0;
  double places_s = 0;
  for (std::size_t i = 0; i < d.efforts.size(); ++i) {
    uses.push_back(use_of(w.workers[i], d.efforts[i]));
    chats_s += d.efforts[i].chats_s;
    places_s += d.efforts[i].shift_s * w.workers[i].who.capacity / 1000;
  }
  return {mean(waits),
          quantile(waits, .5),
          quantile(waits, .95),
          share(in_target, n.arrived),
          share(n.abandoned, n.arrived),
          share(resolved, n.arrived),
          share(met_again, known),
          jain(uses),
          places_s > 0 ? chats_s / places_s : 0};
}

} // namespace switchboard::simulation
