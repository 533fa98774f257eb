#include "bench/ingest.hpp"

#include "bench/bus_floor.hpp"
#include "bench/copy_floor.hpp"
#include "bench/load.hpp"
#include "bench/payloads.hpp"
#include "bench/rig.hpp"
#include "bus/codec.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace switchboard::bench {

report run_ingest(const ingest_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  // Sessions exist and plans are warm before anything is measured.
  load warm{*wire,
            {.run = "warm",
             .users = how.users,
             .window = how.window,
             .messages = 2 * how.users}};
  warm.run("warm-up");

  report r{.name = "ingest", .unit = "messages/s"};
  const auto bus_rate = bus_floor(on, how.users, how.window, how.messages);
  const auto before = on.cpu();
  load x{*wire,
         {.run = "ingest",
          .users = how.users,
          .window = how.window,
          .messages = how.messages}};
  r.value = x.run("ingest");
  add_cpu(r, before, on.cpu(), how.messages);
  const auto memory = memory_of(on.node_pid());
  const auto copy_rate = copy_floor(on.postgres().conninfo(), how.messages);
  r.floor = 1 / (1 / bus_rate + 1 / copy_rate);
  r.ratio = r.value / r.floor;
  r.floor_is = "bus alone " + std::to_string(static_cast<int>(bus_rate))
               + "/s, then COPY of the same rows "
               + std::to_string(static_cast<int>(copy_rate)) + "/s";
  r.claim = "23 000 messages/s on 8 cores, 20 000 on 4";
  r.must = ">= 0.5 of the floor, or >= 23 000/s on 2 cores";
  x.write(r);
  r.more.emplace_back("messages, users, under way",
                      std::to_string(how.messages) + ", "
                        + std::to_string(how.users) + ", "
                        + std::to_string(how.window));
  r.more.emplace_back("node's memory",
                      std::to_string(memory.peak >> 20) + " MiB at most");
  for (const auto& [code, count] : x.errors())
    r.more.emplace_back("answered " + code, std::to_string(count));
  check(r, on, x, "ingest");
  return r;
}

report run_burst(int messages) {
  rig on;
  on.start_node();
  if (!on.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  load warm{*wire,
            {.run = "warm", .users = 100, .window = 100, .messages = 2000}};
  warm.run("warm-up");
  std::vector<double> rounds;
  report r{.name = "burst", .unit = "ms until the last receipt"};
  latencies all;
  for (int round = 0; round < 5; ++round) {
    const auto run = "burst" + std::to_string(round);
    load x{*wire,
           {.run = run,
            .users = messages,
            .window = messages,
            .messages = messages}};
    rounds.push_back(messages / x.run("burst") * 1000);
    for (const auto& a : x.answers())
      all.add(a.latency_us);
    check(r, on, x, run);
  }
  all.write(r);
  std::sort(rounds.begin(), rounds.end());
  r.value = rounds[rounds.size() / 2];
  r.claim = "800 ms and 328 MB for 1 000";
  r.must = "200 ms, 120 MB";
  r.more.emplace_back("fastest, slowest of 5",
                      std::to_string(rounds.front()) + ", "
                        + std::to_string(rounds.back()) + " ms");
  r.more.emplace_back("node's memory",
                      std::to_string(memory_of(on.node_pid()).peak >> 20)
                        + " MiB at most");
  return r;
}

} // namespace switchboard::bench
