// Real nodes, killed, frozen and told to leave under load. Fails when anything
// acknowledged was lost, doubled or reordered, or when a frozen node wrote a
// line after others had taken over; never for being slow.
#include "bench/failover.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

using namespace switchboard;

int main(int argc, char** argv) {
  CLI::App app{"Kills, freezes and moves nodes under load"};
  bench::failover_options failover{.sessions = 1'000, .rate = 500, .rounds = 2};
  bench::migrate_options migrate{.sessions = 1'000, .rate = 500, .rounds = 1};
  bool json = false;
  app.add_option("--program", failover.program, "The switchboard binary")
    ->required();
  app.add_option("--sessions", failover.sessions, "Live sessions");
  app.add_option("--rate", failover.rate, "Messages a second");
  app.add_option("--rounds", failover.rounds, "Faults");
  app.add_flag("--json", json, "One line of JSON for each part");
  CLI11_PARSE(app, argc, argv);
  migrate.program = failover.program;
  try {
    bool good = true;
    for (const auto& r :
         {bench::run_failover(failover), bench::run_migrate(migrate)}) {
      std::cout << (json ? bench::to_json(r) + '\n' : bench::to_text(r))
                << std::flush;
      good = good && r.valid();
    }
    return good ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "cluster: " << e.what() << '\n';
    return 1;
  }
}
