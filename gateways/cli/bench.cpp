// `bench NAME`: the benchmarks of bench/.
#include "bench/buffered.hpp"
#include "bench/build.hpp"
#include "bench/codec.hpp"
#include "bench/connections.hpp"
#include "bench/e2e.hpp"
#include "bench/failover.hpp"
#include "bench/ingest.hpp"
#include "bench/offer.hpp"
#include "bench/route.hpp"
#include "bench/slow_peers.hpp"
#include "bench/soak.hpp"
#include "bench/store.hpp"
#include "bench/suite.hpp"
#include "gateways/cli/bench_output.hpp"
#include "gateways/cli/cli.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace switchboard::cli {

namespace {

void add_cluster_benches(CLI::App& all, context& c) {
  static bench::failover_options failover;
  static bench::migrate_options migrate;
  auto* made =
    add_benchmark(all, c, "failover", "A node is killed, or frozen, under load",
                  "  switchboard bench failover --rounds 10 --json\n",
                  [] { return bench::run_failover(failover); });
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
  made =
    add_benchmark(all, c, "migrate", "Slots move to other nodes under load", "",
                  [] { return bench::run_migrate(migrate); });
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
  auto* made =
    add_benchmark(to, c, "route", "Choices a second among thousands of agents",
                  "  switchboard bench route --waiting 100000\n",
                  [] { return bench::run_route(route); });
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
  made = add_benchmark(to, c, "burst-match",
                       "Many agents meet many sessions at once", "",
                       [] { return bench::run_burst_match(burst); });
  made->add_option("--agents", burst.agents, "How many, one place each")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--sessions", burst.sessions, "How many")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
}

void add_connection_benches(CLI::App& to, context& c) {
  static bench::connections_options held;
  auto* made =
    add_benchmark(to, c, "connections", "Memory of customers who are held",
                  "  switchboard bench connections --count 100000 --json\n",
                  [] { return bench::run_connections(held); });
  made->add_option("--count", held.count, "Customers, all at once")
    ->check(CLI::Range(1000, 1'000'000))
    ->capture_default_str();
  made->add_option("--nodes", held.nodes, "Nodes; 0: as many as are needed")
    ->check(CLI::Range(0, 60))
    ->capture_default_str();
  made->add_option("--sample", held.sample, "Customers who converse")
    ->check(CLI::Range(10, 1000))
    ->capture_default_str();
  static bench::storm_options storm;
  made =
    add_benchmark(to, c, "storm", "Everybody connects and signs in at once", "",
                  [] { return bench::run_storm(storm); });
  made->add_option("--count", storm.count, "Customers")
    ->check(CLI::Range(100, 15'000))
    ->capture_default_str();
  made->add_option("--rounds", storm.rounds, "Rounds of A B B A")
    ->check(CLI::Range(1, 100))
    ->capture_default_str();
}

void add_offer_bench(CLI::App& to, context& c) {
  static bench::offer_options offer;
  auto* made =
    add_benchmark(to, c, "offer", "Room for one more, until the next offer",
                  "  switchboard bench offer --agents 50\n",
                  [] { return bench::run_offer(offer); });
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

void add_lane_benches(CLI::App& to, context& c) {
  static bench::codec_options codec;
  auto* made = add_benchmark(to, c, "codec", "Bytes to messages, one thread",
                             "  switchboard bench codec --rounds 9\n",
                             [] { return bench::run_codec(codec); });
  made->add_option("--messages", codec.messages, "Of each round")
    ->check(CLI::Range(1000, 100'000'000))
    ->capture_default_str();
  made->add_option("--rounds", codec.rounds, "How many")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  static bench::buffered_options buffered;
  made = add_benchmark(
    to, c, "buffered", "Durable messages a second, buffered lane (JetStream)",
    "  switchboard bench buffered --messages 500000 --json\n",
    [] { return bench::run_buffered(buffered); });
  made->add_option("--messages", buffered.messages, "How many")
    ->check(CLI::Range(1000, 100'000'000))
    ->capture_default_str();
  made->add_option("--users", buffered.users, "Customers")
    ->check(CLI::Range(1, 1'000'000))
    ->capture_default_str();
  made->add_option("--window", buffered.window, "Publishes under way")
    ->check(CLI::Range(1, 60'000))
    ->capture_default_str();
  made
    ->add_option("--seconds", buffered.seconds,
                 "Of the open loop at half the rate, for the latencies")
    ->check(CLI::Range(1, 600))
    ->capture_default_str();
}

void add_long_benches(CLI::App& to, context& c) {
  static bench::slow_peers_options slow;
  auto* made = add_benchmark(to, c, "slow-peers",
                             "Screens that never read: what the others notice",
                             "  switchboard bench slow-peers --stuck 10\n",
                             [] { return bench::run_slow_peers(slow); });
  made->add_option("--agents", slow.agents, "Agents on sockets")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--stuck", slow.stuck, "Of them with a screen that is stuck")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--rate", slow.rate, "Messages a second")
    ->check(CLI::Range(1., 100'000.))
    ->capture_default_str();
  made->add_option("--seconds", slow.seconds, "Of each of four parts")
    ->check(CLI::Range(1, 600))
    ->capture_default_str();
  static bench::soak_options soak;
  made = add_benchmark(to, c, "soak",
                       "Is memory flat, with screens that come "
                       "and go?",
                       "  switchboard bench soak --minutes 60\n",
                       [] { return bench::run_soak(soak); });
  made->add_option("--minutes", soak.minutes, "How long")
    ->check(CLI::Range(.01, 10'000.))
    ->capture_default_str();
  made
    ->add_option("--rate", soak.rate, "Messages a second; 0: half the maximum")
    ->capture_default_str();
  made->add_option("--agents", soak.agents, "Agents on sockets")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--churn", soak.churn, "Part of the screens cut in a second")
    ->check(CLI::Range(0., 1.))
    ->capture_default_str();
}

void add_build_bench(CLI::App& to, context& c) {
  static bench::build_options o;
  auto* made =
    add_benchmark(to, c, "build", "A clean release build, without ccache",
                  "  switchboard bench build --source . --json\n",
                  [] { return bench::run_build(o); });
  made->add_option("--source", o.source, "The folder with CMakeLists.txt")
    ->capture_default_str();
  made->add_option("--jobs", o.jobs, "At a time; 0: as many as processors")
    ->check(CLI::Range(0, 1024))
    ->capture_default_str();
}

struct all_options {
  bench_output to;
  bench::extent how_much = bench::extent::brief;
  std::vector<std::string> only;
};

/// Whether every name of `--only` is one; before anything is measured.
void must_be_known(const std::vector<std::string>& only) {
  for (const auto& name : only) {
    std::string known;
    bool found = false;
    for (const auto& x : bench::suite()) {
      known += (known.empty() ? "" : ", ") + x.name;
      found = found || x.name == name;
    }
    if (!found)
      throw failure{usage,
                    "there is no benchmark '" + name + "', but: " + known};
  }
}

int run_all(const context& c, const all_options& o) {
  must_be_known(o.only);
  const auto before = earlier(o.to);
  std::vector<bench::report> done;
  bool all_ran = true;
  for (const auto& x : bench::suite()) {
    if (!o.only.empty()
        && std::find(o.only.begin(), o.only.end(), x.name) == o.only.end())
      continue;
    const auto begin = std::chrono::steady_clock::now();
    try {
      done.push_back(x.run(o.how_much));
    } catch (const std::exception& e) {
      all_ran = false; // The others have something to say all the same.
      std::cerr << "switchboard: bench " << x.name << ": " << e.what() << '\n';
      continue;
    }
    std::cerr << "switchboard: bench " << x.name << " took "
              << std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::steady_clock::now() - begin)
                   .count()
              << " s\n";
  }
  const auto code = finish(c, o.to, before, done, true);
  return all_ran ? code : failed;
}

void add_all(CLI::App& to, context& c) {
  static all_options o;
  auto* made = add(to, "all", "Every benchmark, one report",
                   "  switchboard bench all --short --html report.html\n"
                   "  switchboard bench all --only ingest,e2e --json\n",
                   [&c] { return run_all(c, o); });
  made->add_flag_callback(
    "--short", [] { o.how_much = bench::extent::brief; },
    "Below ten minutes altogether (the default)");
  made->add_flag_callback(
    "--full", [] { o.how_much = bench::extent::full; },
    "As long as each takes alone: some twenty minutes");
  made->add_flag_callback(
    "--tiny", [] { o.how_much = bench::extent::tiny; },
    "Only to see that each works: the figures mean nothing");
  made->add_option("--only", o.only, "These alone")->delimiter(',');
  add_output(*made, o.to);
}

} // namespace

void add_bench(CLI::App& to, context& c) {
  static bench::ingest_options ingest;
  static bench::e2e_options e2e;
  static int burst = 1000;
  auto* all =
    add(to, "bench", "Benchmarks, each beside its floor", "", nullptr);
  auto* made =
    add_benchmark(*all, c, "ingest", "Durable messages a second, direct lane",
                  "  switchboard bench ingest --messages 500000 --json\n",
                  [] { return bench::run_ingest(ingest); });
  made->add_option("--messages", ingest.messages, "How many")
    ->check(CLI::Range(1000, 100'000'000))
    ->capture_default_str();
  made->add_option("--users", ingest.users, "Customers")->capture_default_str();
  made->add_option("--window", ingest.window, "Messages under way")
    ->capture_default_str();
  made = add_benchmark(*all, c, "burst", "Many new customers at once", "",
                       [] { return bench::run_burst(burst); });
  made->add_option("--messages", burst, "How many")
    ->check(CLI::Range(1, 15'000))
    ->capture_default_str();
  static bench::store_options kept;
  made = add_benchmark(*all, c, "store",
                       "The fenced append beside COPY and row by row", "",
                       [] { return bench::run_store(kept); });
  made->add_option("--rows", kept.rows, "Entries of each turn")
    ->check(CLI::Range(1024, 100'000'000))
    ->capture_default_str();
  made->add_option("--rounds", kept.rounds, "Rounds of A B B A")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made =
    add_benchmark(*all, c, "e2e", "Customer to agent and back, at half load",
                  "", [] { return bench::run_e2e(e2e); });
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
  add_lane_benches(*all, c);
  add_long_benches(*all, c);
  add_cluster_benches(*all, c);
  add_route_benches(*all, c);
  add_connection_benches(*all, c);
  add_build_bench(*all, c);
  add_all(*all, c);
}

} // namespace switchboard::cli
