#include "bench/failover.hpp"

#include "bench/crew.hpp"
#include "bench/load.hpp"
#include "bus/subject.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// An answer that took longer than this was hit by the fault.
constexpr auto late = 100ms;
/// A message that is not answered by then is sent again: a fault shows as fast
/// as the cluster recovers, not as slow as its callers wait.
constexpr auto patience = 100ms;

double ms_between(steady_clock::time_point a, steady_clock::time_point b) {
  return std::chrono::duration<double, std::milli>(b - a).count();
}

steady_clock::time_point answered_at(const load::answer& x) {
  return x.due + std::chrono::microseconds{x.latency_us};
}

/// Opens the sessions, so that all of them live when the fault comes.
void open_sessions(bus& wire, const std::string& run, int sessions) {
  load first{wire,
             {.run = run,
              .users = sessions,
              .window = std::min(sessions, 1000),
              .messages = sessions}};
  first.start();
  if (!first.wait(120s))
    throw std::runtime_error("the sessions could not be opened");
}

/// The same customers in each round; their numbers go on, with a gap.
load::options open_loop(const std::string& run, int round, int sessions,
                        double rate) {
  constexpr std::int64_t numbers_of_round = 100'000;
  // A place for each customer: who waits for an answer sends nothing new, so
  // the order is certain even when messages are repeated.
  return {.run = run,
          .users = sessions,
          .window = sessions,
          .after = 1 + round * numbers_of_round,
          .rate = rate,
          .patience = patience,
          .in_turn = true};
}

void must_balance(crew& nodes) {
  if (!nodes.wait_balanced(60s))
    throw std::runtime_error("the nodes do not share the slots");
}

/// The slots of a node, as the database has it.
std::set<slot_number> slots_of(rig& on, const std::string& node) {
  std::set<slot_number> all;
  std::istringstream rows{
    on.query("SELECT slot FROM slot WHERE owner = '" + node + "'")};
  for (int slot = 0; rows >> slot;)
    all.insert(static_cast<slot_number>(slot));
  return all;
}

/// What became of the messages to the slots that a node had.
struct outage {
  double recovery_ms = 0; ///< From the fault to the last answer to those hit.
  std::int64_t slow = 0;  ///< Later than `late`, but not hit.
};

/// Hit is what was late and due before its slot answered again; on a shared
/// machine some others are late, too.
outage outage_of(const load& from, const std::string& run,
                 const std::set<slot_number>& of,
                 steady_clock::time_point fault, steady_clock::time_point until,
                 latencies& hit) {
  const auto slot_of = [&](const load::answer& x) {
    return subject::slot_of({"web", load::user_name(run, x.user)});
  };
  const auto all = from.answers();
  std::map<slot_number, steady_clock::time_point> again;
  for (const auto& x : all)
    if (x.due >= fault) {
      const auto [at, fresh] = again.emplace(slot_of(x), answered_at(x));
      at->second = std::min(at->second, answered_at(x));
    }
  outage o;
  auto last = fault;
  for (const auto& x : all) {
    const auto slot = slot_of(x);
    if (answered_at(x) <= fault || x.due >= until || !of.contains(slot)
        || x.latency_us <= std::chrono::microseconds{late}.count())
      continue;
    const auto at = again.find(slot);
    if (at != again.end() && x.due >= at->second) {
      ++o.slow;
      continue;
    }
    last = std::max(last, answered_at(x));
    hit.add(x.latency_us);
  }
  o.recovery_ms = ms_between(fault, last);
  return o;
}

/// Lines that carry an epoch of this node's, for the slots that it owns now.
/// Once others have taken over, this must never grow.
std::int64_t lines_of(rig& on, const std::string& epochs) {
  if (epochs.empty())
    return 0;
  return std::stoll(
    on.query("SELECT count(*) FROM entry e JOIN session s ON s.id = "
             "e.session_id WHERE (s.slot, e.epoch) IN ("
             + epochs + ")"));
}

/// "(3,7),(5,2)": the slots of a node, and at which epochs it has them.
std::string epochs_of(rig& on, const std::string& node) {
  auto text = on.query("SELECT string_agg('(' || slot || ',' || epoch || ')', "
                       "',') FROM slot WHERE owner = '"
                       + node + "'");
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

std::string list_of(const std::vector<double>& all) {
  std::string to;
  for (const auto x : all)
    to += (to.empty() ? "" : ", ") + std::to_string(static_cast<int>(x));
  return to;
}

} // namespace

report run_failover(const failover_options& how) {
  rig on{how.program};
  crew nodes{on, how.nodes};
  if (!on.wait_ready(30s))
    throw std::runtime_error("the nodes do not become ready");
  must_balance(nodes);
  const auto wire = on.connect("load");
  report r{.name = "failover", .unit = "ms until all is answered again, worst"};
  latencies hit;
  std::vector<double> killed;
  std::vector<double> frozen;
  std::int64_t slow = 0;
  const std::string run = "failover";
  open_sessions(*wire, run, how.sessions);
  progress bar{"failover"};
  for (int round = 0; round < how.rounds; ++round) {
    bar.at(static_cast<double>(round) / how.rounds);
    load x{*wire, open_loop(run, round, how.sessions, how.rate)};
    x.start();
    std::this_thread::sleep_for(2s);
    const auto victim = round % how.nodes;
    const auto freeze = how.freeze && round % 2 == 1;
    const auto epochs = epochs_of(on, crew::name(victim));
    const auto slots_hit = slots_of(on, crew::name(victim));
    const auto fault = steady_clock::now();
    if (freeze)
      nodes.signal(victim, SIGSTOP);
    else
      nodes.kill(victim);
    std::this_thread::sleep_for(4s);
    const auto written = lines_of(on, epochs);
    if (freeze)
      nodes.signal(victim, SIGCONT); // And it must not write a line.
    else
      nodes.start(victim);
    const auto until = fault + 3500ms;
    must_balance(nodes); // Under load: it gets its share back.
    std::this_thread::sleep_for(500ms);
    if (!x.stop(20s))
      r.more.emplace_back("unanswered in round " + std::to_string(round), "");
    const auto o = outage_of(x, run, slots_hit, fault, until, hit);
    (freeze ? frozen : killed).push_back(o.recovery_ms);
    slow += o.slow;
    check(r, on, x, run);
    if (const auto more = lines_of(on, epochs) - written; more > 0) {
      r.more.emplace_back("lines written by a node that was taken over",
                          std::to_string(more));
      r.duplicated += more;
    }
    for (const auto& [code, count] : x.errors())
      r.more.emplace_back("answered " + code, std::to_string(count));
  }
  hit.write(r);
  for (const auto x : killed)
    r.value = std::max(r.value, x);
  for (const auto x : frozen)
    r.value = std::max(r.value, x);
  r.claim = "30 s";
  r.must = "2 000 ms, nothing lost";
  r.more.emplace_back("ms after SIGKILL", list_of(killed));
  if (!frozen.empty())
    r.more.emplace_back("ms after SIGSTOP", list_of(frozen));
  r.more.emplace_back("nodes, sessions, messages/s",
                      std::to_string(how.nodes) + ", "
                        + std::to_string(how.sessions) + ", "
                        + std::to_string(static_cast<int>(how.rate)));
  r.more.emplace_back("messages hit", std::to_string(hit.count()));
  r.more.emplace_back("later than 100 ms once their slot answered again",
                      std::to_string(slow));
  return r;
}

report run_migrate(const migrate_options& how) {
  rig on{how.former.empty() ? how.program : how.former};
  crew nodes{on, 3};
  if (!on.wait_ready(30s))
    throw std::runtime_error("the nodes do not become ready");
  must_balance(nodes);
  on.use(how.program);
  const auto wire = on.connect("load");
  report r{.name = "migrate", .unit = "ms p99 of messages while slots move"};
  latencies at_rest;
  latencies moving;
  latencies leaving;
  latencies starting;
  latencies returning;
  double moved_ms = 0;
  int moves = 0;
  const std::string run = "migrate";
  open_sessions(*wire, run, how.sessions);
  progress bar{"migrate"};
  for (int round = 0; round < how.rounds; ++round) {
    bar.at(static_cast<double>(round) / how.rounds);
    load x{*wire, open_loop(run, round, how.sessions, how.rate)};
    x.start();
    std::this_thread::sleep_for(2s);
    const auto which = round % nodes.count();
    const auto begin = steady_clock::now();
    moves += static_cast<int>(nodes.slots_of(which));
    nodes.stop(which); // Gives its slots away, one after the other.
    const auto away = steady_clock::now();
    std::this_thread::sleep_for(500ms);
    const auto started = steady_clock::now();
    nodes.start(which);
    // It gets slots only when it has lived for a second (membership::rules):
    // what its start costs the machine is not what a move costs.
    std::this_thread::sleep_for(500ms);
    const auto again = steady_clock::now();
    must_balance(nodes);
    const auto back = steady_clock::now();
    moves += static_cast<int>(nodes.slots_of(which));
    std::this_thread::sleep_for(500ms);
    if (!x.stop(20s))
      r.more.emplace_back("unanswered in round " + std::to_string(round), "");
    for (const auto& a : x.answers())
      if (a.due >= begin && a.due < away) {
        moving.add(a.latency_us);
        leaving.add(a.latency_us);
      } else if (a.due >= again && a.due < back) {
        moving.add(a.latency_us);
        returning.add(a.latency_us);
      } else if (a.due >= started && a.due < again) {
        starting.add(a.latency_us);
      } else if (a.due < begin) {
        at_rest.add(a.latency_us);
      }
    moved_ms += ms_between(begin, away);
    check(r, on, x, run);
    for (const auto& [code, count] : x.errors())
      r.more.emplace_back("answered " + code, std::to_string(count));
  }
  moving.write(r);
  r.value = static_cast<double>(moving.quantile(0.99)) / 1000;
  r.must = "p99 50 ms, nothing lost";
  const auto tail = [](latencies& x) {
    return std::to_string(x.quantile(0.99) / 1000) + ", "
           + std::to_string(x.max() / 1000);
  };
  r.more.emplace_back("p99, max ms while a node leaves", tail(leaving));
  r.more.emplace_back("p99, max ms while one gets slots back", tail(returning));
  r.more.emplace_back("p99, max ms while a process starts (nothing moves)",
                      tail(starting));
  r.more.emplace_back("slots moved", std::to_string(moves));
  r.more.emplace_back("p99 at rest, ms",
                      std::to_string(at_rest.quantile(0.99) / 1000));
  r.more.emplace_back("ms to leave, mean",
                      std::to_string(static_cast<int>(moved_ms / how.rounds)));
  r.more.emplace_back("sessions, messages/s",
                      std::to_string(how.sessions) + ", "
                        + std::to_string(static_cast<int>(how.rate)));
  return r;
}

} // namespace switchboard::bench
