// `bench NAME`: the benchmarks of bench/.
#include "bench/e2e.hpp"
#include "bench/failover.hpp"
#include "bench/ingest.hpp"
#include "bench/offer.hpp"
#include "bench/route.hpp"
#include "bench/store.hpp"
#include "gateways/cli/cli.hpp"

#include <iostream>

namespace switchboard::cli {

namespace {

int print(const context& c, const bench::report& r) {
  std::cout << (c.json ? bench::to_json(r) + '\n' : bench::to_text(r));
  // A figure from a run that lost, doubled or reordered anything is void.
  return r.valid() ? ok : failed;
}

void add_cluster_benches(CLI::App& all, context& c) {
  static bench::failover_options failover;
  static bench::migrate_options migrate;
  auto* made = add(all, "failover", "A node is killed, or frozen, under load",
                   "  switchboard bench failover --rounds 10 --json\n",
                   [&c] { return print(c, run_failover(failover)); });
  made->add_option("--sessions", failover.sessions, "Live sessions")
    ->check(CLI::Range(10, 100'000))
    ->capture_default_str();
  made->add_option("--rate", failover.rate, "Messages a second")
    ->capture_default_str();
  made->add_option("--rounds", failover.rounds, "Faults")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--nodes", failover.nodes, "Nodes")
    ->check(CLI::Range(2, 9))
    ->capture_default_str();
  made = add(all, "migrate", "Slots move to other nodes under load", "",
             [&c] { return print(c, run_migrate(migrate)); });
  made->add_option("--sessions", migrate.sessions, "Live sessions")
    ->check(CLI::Range(10, 100'000))
    ->capture_default_str();
  made->add_option("--rate", migrate.rate, "Messages a second")
    ->capture_default_str();
  made->add_option("--rounds", migrate.rounds, "Nodes that leave and return")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
}

void add_route_benches(CLI::App& to, context& c) {
  static bench::route_options route;
  auto* made = add(to, "route", "Choices a second among thousands of agents",
                   "  switchboard bench route --waiting 100000\n",
                   [&c] { return print(c, bench::run_route(route)); });
  made->add_option("--agents", route.agents, "How many")
    ->check(CLI::Range(1, 1'000'000))
    ->capture_default_str();
  made->add_option("--waiting", route.waiting, "Sessions in the line")
    ->check(CLI::Range(1, 10'000'000))
    ->capture_default_str();
  made->add_option("--decisions", route.decisions, "How many are measured")
    ->check(CLI::Range(100, 100'000'000))
    ->capture_default_str();
  static bench::burst_match_options burst;
  made = add(to, "burst-match", "Many agents meet many sessions at once", "",
             [&c] { return print(c, bench::run_burst_match(burst)); });
  made->add_option("--agents", burst.agents, "How many, one place each")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--sessions", burst.sessions, "How many")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
}

void add_offer_bench(CLI::App& to, context& c) {
  static bench::offer_options offer;
  auto* made = add(to, "offer", "Room for one more, until the next offer", "",
                   [&c] { return print(c, bench::run_offer(offer)); });
  made->add_option("--agents", offer.agents, "Agents on sockets")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--seconds", offer.seconds, "How long")
    ->check(CLI::Range(1, 600))
    ->capture_default_str();
  made->add_option("--think", offer.think_ms, "Milliseconds for each customer")
    ->check(CLI::Range(0, 60'000))
    ->capture_default_str();
  made->add_option("--waiting", offer.waiting, "Customers in the line")
    ->check(CLI::Range(1, 10'000))
    ->capture_default_str();
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
  static bench::store_options kept;
  made = add(*all, "store", "The fenced append beside COPY and row by row", "",
             [&c] { return print(c, run_store(kept)); });
  made->add_option("--rows", kept.rows, "Entries of each turn")
    ->check(CLI::Range(1024, 100'000'000))
    ->capture_default_str();
  made->add_option("--rounds", kept.rounds, "Rounds of A B B A")
    ->check(CLI::Range(1, 1000))
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
  add_offer_bench(*all, c);
  add_cluster_benches(*all, c);
  add_route_benches(*all, c);
}

} // namespace switchboard::cli
