// `bench NAME`: the benchmarks of bench/.
#include "bench/e2e.hpp"
#include "bench/ingest.hpp"
#include "gateways/cli/cli.hpp"

#include <iostream>

namespace switchboard::cli {

namespace {

int print(const context& c, const bench::report& r) {
  std::cout << (c.json ? bench::to_json(r) + '\n' : bench::to_text(r));
  // A figure from a run that lost, doubled or reordered anything is void.
  return r.valid() ? ok : failed;
}

} // namespace

void add_bench(CLI::App& to, context& c) {
  static bench::ingest_options ingest;
  static bench::e2e_options e2e;
  static int burst = 1000;
  auto* all =
    add(to, "bench", "Benchmarks, each beside its floor", "", nullptr);
  auto* made = add(*all, "ingest", "Durable messages a second, direct lane",
                   "  switchboard bench ingest --messages 500000 --json\n",
                   [&c] { return print(c, run_ingest(ingest)); });
  made->add_option("--messages", ingest.messages, "How many")
    ->check(CLI::Range(1000, 100'000'000))
    ->capture_default_str();
  made->add_option("--users", ingest.users, "Customers")->capture_default_str();
  made->add_option("--window", ingest.window, "Messages under way")
    ->capture_default_str();
  made = add(*all, "burst", "Many new customers at once", "",
             [&c] { return print(c, bench::run_burst(burst)); });
  made->add_option("--messages", burst, "How many")
    ->check(CLI::Range(1, 15'000))
    ->capture_default_str();
  made = add(*all, "e2e", "Customer to agent and back, at half load", "",
             [&c] { return print(c, run_e2e(e2e)); });
  made->add_option("--rate", e2e.rate, "Messages a second; 0: half the maximum")
    ->capture_default_str();
  made->add_option("--seconds", e2e.seconds, "How long")
    ->check(CLI::Range(1, 600))
    ->capture_default_str();
  made->add_option("--agents", e2e.agents, "Agents on sockets")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--sessions", e2e.sessions, "Of each agent")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
}

} // namespace switchboard::cli
