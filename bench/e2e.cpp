#include "bench/e2e.hpp"

#include "bench/bus_floor.hpp"
#include "bench/copy_floor.hpp"
#include "bench/course.hpp"
#include "bench/rig.hpp"

#include <chrono>
#include <stdexcept>

namespace switchboard::bench {

report run_e2e(const e2e_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  const std::string run = "e2e";
  const int users = how.agents * how.sessions * 9 / 10;
  desks at{on, {.run = run, .agents = how.agents, .sessions = how.sessions}};
  course runs{*wire, at, run, users};
  runs.open_sessions();

  report r{.name = "e2e", .unit = "ms at p99.9, half load"};
  const auto top = how.rate > 0 ? 2 * how.rate : climb(runs);
  const auto messages = static_cast<std::int64_t>(top / 2 * how.seconds);
  const auto before = on.cpu();
  const auto x = runs.make(messages, top / 2);
  x->run("e2e: half load");
  runs.finish(*x);
  add_cpu(r, before, on.cpu(), messages);

  auto t = follow(at, *x, run);
  t.there_and_back.write(r);
  r.value = static_cast<double>(r.p999_us) / 1000;
  report of_receipts;
  x->write(of_receipts);
  r.throughput = of_receipts.throughput;
  check(r, on, *x, run);
  r.lost += t.unanswered;
  r.reordered += t.reordered;
  r.claim = "99.9 % below 100 ms";
  r.must = "p99.9 <= 50 ms at half load";
  r.more.emplace_back("highest rate kept up with",
                      std::to_string(static_cast<int>(top)) + "/s");
  r.more.emplace_back("measured at", std::to_string(static_cast<int>(top / 2))
                                       + "/s for " + std::to_string(how.seconds)
                                       + " s, " + std::to_string(how.agents)
                                       + " agents, " + std::to_string(users)
                                       + " customers");
  r.more.emplace_back("receipts p50/p99/p99.9",
                      std::to_string(of_receipts.p50_us) + ", "
                        + std::to_string(of_receipts.p99_us) + ", "
                        + std::to_string(of_receipts.p999_us) + " us");
  r.more.emplace_back("replies that came again, same id",
                      std::to_string(at.repeated()));
  if (const auto e = errors_text(at.errors()); !e.empty())
    r.more.emplace_back("agents were refused", e);
  // Each message needs the bus and a row twice: in, and the reply out.
  const auto bus_rate = bus_floor(on, 2000, 2000, how.floor_messages);
  const auto copy_rate =
    copy_floor(on.postgres().conninfo(), how.floor_messages);
  const auto chain = 1 / (2 / bus_rate + 2 / copy_rate);
  if (how.rate == 0) {
    r.ratio = top / chain;
    r.floor_is = "the ratio is that of the highest rate: to twice the bare bus "
                 "and two rows by COPY";
  }
  r.more.emplace_back("highest rate to its floor",
                      std::to_string(top / chain).substr(0, 4) + " of "
                        + std::to_string(static_cast<int>(chain))
                        + "/s (twice the bare bus, two rows by COPY)");
  return r;
}

} // namespace switchboard::bench
