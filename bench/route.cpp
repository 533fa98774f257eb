#include "bench/route.hpp"

#include "actors/domain/assignment.hpp"
#include "actors/domain/scoring.hpp"
#include "bench/crowd.hpp"
#include "bench/flat_scan.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::bench {

namespace {

using std::chrono::steady_clock;

constexpr time_point noon{duration{1'700'000'000'000}};

/// A moment, in time that passes only while this thread runs: other processes
/// of a shared machine do not count. The clock itself costs some 200 ns.
struct moment {
  std::int64_t cpu = 0;
  steady_clock::time_point wall{};

  static moment now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return {t.tv_sec * 1'000'000'000 + t.tv_nsec, steady_clock::now()};
  }
};

std::int64_t ns_since(const moment& begin) {
  return moment::now().cpu - begin.cpu;
}

std::int64_t wall_ns_since(const moment& begin) {
  return (steady_clock::now() - begin.wall) / std::chrono::nanoseconds{1};
}

/// The company, and beside the router all that the oracle needs to know.
struct setting {
  crowd people{7};
  time_point now = noon;
  router::matcher router;
  std::vector<agent::availability> agents;
  std::vector<router::session_waiting> line;
  std::map<session_id, std::size_t> place; ///< In `line`.
  std::int64_t sessions = 0;

  explicit setting(const route_options& how) {
    for (std::int64_t i = 0; i < how.agents; ++i) {
      agents.push_back(people.agent(i, 1'000'000));
      static_cast<void>(
        router.apply(router::agent_changed{agents.back()}, now));
    }
    while (std::ssize(line) < how.waiting)
      static_cast<void>(router.apply(join(), now));
  }

  router::session_waiting join() {
    auto s = people.session(++sessions, now, std::ssize(agents));
    place[s.session] = line.size();
    line.push_back(s);
    return s;
  }

  void leave(session_id id) {
    const auto found = place.find(id);
    const auto i = found->second;
    place.erase(found);
    if (i + 1 < line.size()) {
      line[i] = std::move(line.back());
      place[line[i].session] = i;
    }
    line.pop_back();
  }
};

/// The rules as they are written, one session after the other.
std::optional<session_id> naive_choice(const setting& x,
                                       const agent::availability& a) {
  const policy p;
  const router::session_waiting* best = nullptr;
  scoring::score most = -1;
  for (const auto& s : x.line) {
    if (!scoring::eligible(p, s, a))
      continue;
    const auto b =
      scoring::priority(scoring::urgency(p, s.want.urgency, x.now - s.since),
                        scoring::rate(p, s, a, x.now).match);
    if (b > most
        || (b == most
            && std::pair{s.since, s.session}
                 < std::pair{best->since, best->session})) {
      best = &s;
      most = b;
    }
  }
  return best ? std::optional{best->session} : std::nullopt;
}

struct figures {
  latencies freed, freed_wall, arrived, reported, naive, flat;
  std::int64_t differences = 0;
  std::int64_t compared = 0;
  std::int64_t flat_differences = 0;
};

/// One agent gets a place free and has it filled again; one session comes.
void turn(setting& x, figures& f, bool compare, const flat_line* flat) {
  x.now += duration{3};
  auto& a =
    x.agents[static_cast<std::size_t>(x.people.below(std::ssize(x.agents)))];
  a.load = a.who.capacity - 1000;
  a.sessions.clear();
  std::optional<session_id> expected;
  if (compare) {
    const auto begin = moment::now();
    expected = naive_choice(x, a);
    f.naive.add(ns_since(begin));
  }
  if (flat) {
    const auto rating = flat->prepare(a, x.now);
    const auto begin = moment::now();
    const auto got = flat->best(rating, x.now);
    f.flat.add(ns_since(begin));
    f.flat_differences += got == expected ? 0 : 1;
  }
  const router::event freed = router::agent_changed{a};
  auto begin = moment::now();
  const auto todo = x.router.apply(freed, x.now);
  f.freed.add(ns_since(begin));
  f.freed_wall.add(wall_ns_since(begin));
  std::optional<session_id> chosen;
  if (!todo.empty())
    if (const auto* p = std::get_if<router::propose>(&todo.front()))
      chosen = p->session;
  if (compare) {
    ++f.compared;
    f.differences += chosen == expected ? 0 : 1;
  }
  a.load = a.who.capacity;
  if (chosen)
    a.sessions = {*chosen}; // Granted: the router need not wait for it.
  const router::event full = router::agent_changed{a};
  begin = moment::now();
  static_cast<void>(x.router.apply(full, x.now));
  f.reported.add(ns_since(begin));
  if (!chosen)
    return;
  x.leave(*chosen);
  const router::event fresh = x.join();
  begin = moment::now();
  static_cast<void>(x.router.apply(fresh, x.now));
  f.arrived.add(ns_since(begin));
}

std::string quantiles(latencies& x) {
  return std::to_string(x.quantile(.5)) + " / "
         + std::to_string(x.quantile(.99)) + " / "
         + std::to_string(x.quantile(.999)) + " ns";
}

} // namespace

report run_route(const route_options& how) {
  progress bar{"route"};
  const auto before = memory_of(getpid()).now;
  const auto begin = moment::now();
  setting x{how};
  const auto filling = ns_since(begin);
  const auto memory = memory_of(getpid()).now - before;
  figures f;
  for (std::int64_t i = 0; i < how.decisions / 10; ++i)
    turn(x, f, false, nullptr); // Warm.
  f = {};
  const auto every = std::max<std::int64_t>(1, how.decisions / how.sample);
  for (std::int64_t i = 0; i < how.decisions; ++i) {
    bar.at(static_cast<double>(i) / static_cast<double>(how.decisions));
    turn(x, f, i % every == 0, nullptr);
  }
  // The flat arrays are made for one moment: no session comes or goes.
  for (int i = 0; i < 50; ++i) {
    const flat_line flat{x.line};
    turn(x, f, true, &flat);
  }
  report r{.name = "route", .unit = "us a decision (p50)"};
  const auto us = [](std::int64_t ns) {
    return static_cast<double>(ns) / 1000;
  };
  r.value = us(f.freed.quantile(.5));
  r.floor = us(f.flat.quantile(.5));
  r.floor_is = "a vectorised scan over flat arrays, which makes no record";
  r.ratio = r.floor / r.value;
  r.p50_us = f.freed.quantile(.5) / 1000;
  r.p99_us = f.freed.quantile(.99) / 1000;
  r.p999_us = f.freed.quantile(.999) / 1000;
  r.max_us = f.freed.max() / 1000;
  r.lost = f.differences; // A choice that is not the oracle's voids the figure.
  r.must = "equal to the oracle, p99 <= 100 us (aim 10), >= 5 x the vectorised "
           "scan";
  r.more = {
    {"agents, waiting",
     std::to_string(how.agents) + ", " + std::to_string(how.waiting)},
    {"a place gets free", quantiles(f.freed)},
    {"the same by the wall clock", quantiles(f.freed_wall)},
    {"a session comes", quantiles(f.arrived)},
    {"an agent reports", quantiles(f.reported)},
    {"vectorised scan", quantiles(f.flat)},
    {"naive scan", quantiles(f.naive)},
    {"ratio to the naive scan",
     std::to_string(f.naive.quantile(.5)
                    / std::max<std::int64_t>(1, f.freed.quantile(.5)))},
    {"equal to the oracle", std::to_string(f.compared - f.differences) + " of "
                              + std::to_string(f.compared)},
    {"vectorised scan differs",
     std::to_string(f.flat_differences) + " times (it rounds)"},
    {"memory of the router and the line",
     std::to_string(memory >> 20) + " MiB, twice what the router holds"},
    {"filling it", std::to_string(filling / 1'000'000) + " ms"},
  };
  return r;
}

namespace {

/// Who suits whom, by the rules, and how pressing it is.
router::wish_table meet(crowd& people, const burst_match_options& how) {
  const policy p;
  std::vector<agent::availability> agents;
  for (int i = 0; i < how.agents; ++i) {
    agents.push_back(people.agent(i, 0));
    agents.back().load = agents.back().who.capacity - 1000;
  }
  const auto rows = static_cast<std::size_t>(how.sessions);
  router::wish_table table{rows, agents.size()};
  for (std::size_t i = 0; i < rows; ++i) {
    const auto s =
      people.session(static_cast<std::int64_t>(i) + 1, noon, how.agents);
    for (std::size_t j = 0; j < agents.size(); ++j)
      if (scoring::eligible(p, s, agents[j]))
        table.allow(
          i, j,
          std::max<scoring::score>(
            1, scoring::priority(scoring::urgency(p, s, noon),
                                 scoring::rate(p, s, agents[j], noon).match)));
  }
  return table;
}

std::int64_t placed(const router::assignment& all) {
  return std::count_if(all.begin(), all.end(),
                       [](const auto& x) { return x.has_value(); });
}

} // namespace

report run_burst_match(const burst_match_options& how) {
  report r{.name = "burst-match", .unit = "sessions placed of a hundred"};
  crowd people{11};
  latencies ours;
  latencies greedy;
  std::int64_t ours_placed = 0;
  std::int64_t greedy_placed = 0;
  progress bar{"burst-match"};
  for (int round = 0; round < how.rounds; ++round) {
    bar.at(static_cast<double>(round) / how.rounds);
    const auto table = meet(people, how);
    auto begin = moment::now();
    const auto best = router::assign(table);
    ours.add(ns_since(begin) / 1000);
    begin = moment::now();
    const auto quick = router::assign_greedily(table);
    greedy.add(ns_since(begin) / 1000);
    ours_placed += placed(best);
    greedy_placed += placed(quick);
    r.lost += std::max<std::int64_t>(0, placed(quick) - placed(best));
  }
  const auto all = static_cast<double>(how.rounds) * how.sessions / 100;
  r.value = static_cast<double>(ours_placed) / all;
  r.floor = static_cast<double>(greedy_placed) / all;
  r.floor_is = "the best pair first, then the best of the rest";
  r.ratio = r.value / r.floor;
  ours.write(r);
  r.must = "more placed than by greed, <= 5 ms";
  r.more = {
    {"agents, sessions, rounds", std::to_string(how.agents) + ", "
                                   + std::to_string(how.sessions) + ", "
                                   + std::to_string(how.rounds)},
    {"CPU of the assignment p50/p99", std::to_string(ours.quantile(.5)) + " / "
                                        + std::to_string(ours.quantile(.99))
                                        + " us"},
    {"CPU of greed p50/p99", std::to_string(greedy.quantile(.5)) + " / "
                               + std::to_string(greedy.quantile(.99)) + " us"}};
  return r;
}

} // namespace switchboard::bench
