// Real nodes, killed, frozen and told to leave under load. Fails when anything
// acknowledged was lost, doubled or reordered, or when a frozen node wrote a
// line after others had taken over; never for being slow.
//
// Then all nodes are restarted, one after the other: with --former, from that
// program to PROGRAM, so that two versions run together.
//
//     switchboard_cluster PROGRAM [--json] [--former PROGRAM]
//                         [SESSIONS [RATE [ROUNDS]]]
#include "bench/failover.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

using namespace switchboard;

int main(int argc, char** argv) {
  bench::failover_options failover{.sessions = 1'000, .rate = 500, .rounds = 2};
  bench::migrate_options migrate{.sessions = 1'000, .rate = 500, .rounds = 3};
  bool json = false;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json")
      json = true;
    else if (word == "--former" && i + 1 < argc)
      migrate.former = argv[++i];
    else
      words.push_back(word);
  }
  if (words.empty()) {
    std::cerr
      << "usage: switchboard_cluster PROGRAM [--json] [--former PROGRAM] "
         "[SESSIONS [RATE [ROUNDS]]]\n";
    return 2;
  }
  failover.program = migrate.program = words[0];
  if (words.size() > 1)
    failover.sessions = migrate.sessions = std::atoi(words[1].c_str());
  if (words.size() > 2)
    failover.rate = migrate.rate = std::atof(words[2].c_str());
  if (words.size() > 3)
    failover.rounds = std::atoi(words[3].c_str());
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
