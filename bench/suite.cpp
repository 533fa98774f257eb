#include "bench/suite.hpp"

#include "bench/buffered.hpp"
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

namespace switchboard::bench {

namespace {

/// One of three, by extent.
template <class T>
T pick(extent x, T tiny, T brief, T full) {
  return x == extent::tiny ? tiny : x == extent::brief ? brief : full;
}

report codec_of(extent x) {
  return run_codec({.messages = pick<std::int64_t>(x, 1'000, 100'000, 200'000),
                    .rounds = pick(x, 1, 3, 5)});
}

report route_of(extent x) {
  return run_route({.agents = pick<std::int64_t>(x, 200, 10'000, 10'000),
                    .waiting = pick<std::int64_t>(x, 2'000, 100'000, 100'000),
                    .decisions = pick<std::int64_t>(x, 200, 10'000, 20'000),
                    .sample = pick<std::int64_t>(x, 20, 100, 200)});
}

report burst_match_of(extent x) {
  return run_burst_match({.rounds = pick(x, 2, 20, 50)});
}

report store_of(extent x) {
  return run_store({.rows = pick<std::int64_t>(x, 1'024, 30'000, 50'000),
                    .rounds = pick(x, 1, 3, 5)});
}

report ingest_of(extent x) {
  return run_ingest(
    {.users = pick(x, 100, 2'000, 2'000),
     .window = pick(x, 100, 2'000, 2'000),
     .messages = pick<std::int64_t>(x, 1'000, 100'000, 200'000)});
}

report buffered_of(extent x) {
  return run_buffered(
    {.users = pick(x, 100, 2'000, 2'000),
     .messages = pick<std::int64_t>(x, 1'000, 100'000, 200'000),
     .seconds = pick(x, 1, 10, 15)});
}

report burst_of(extent x) {
  return run_burst(pick(x, 100, 1'000, 1'000));
}

report e2e_of(extent x) {
  return run_e2e(
    {.rate = pick(x, 100., 0., 0.),
     .seconds = pick(x, 1, 10, 15),
     .agents = pick(x, 4, 200, 200),
     .floor_messages = pick<std::int64_t>(x, 1'000, 100'000, 200'000)});
}

report offer_of(extent x) {
  return run_offer(
    {.agents = pick(x, 4, 50, 50), .seconds = pick(x, 1, 10, 30)});
}

report connections_of(extent x) {
  return run_connections({.count = pick(x, 1'000, 10'000, 100'000),
                          .sample = pick(x, 50, 500, 500)});
}

report storm_of(extent x) {
  return run_storm(
    {.count = pick(x, 200, 10'000, 10'000), .rounds = pick(x, 1, 2, 3)});
}

report slow_peers_of(extent x) {
  return run_slow_peers({.agents = pick(x, 4, 40, 40),
                         .stuck = pick(x, 1, 4, 4),
                         .rate = pick(x, 50., 500., 500.),
                         .seconds = pick(x, 1, 5, 10)});
}

report failover_of(extent x) {
  return run_failover({.nodes = pick(x, 2, 3, 3),
                       .sessions = pick(x, 100, 10'000, 10'000),
                       .rate = pick(x, 100., 2'000., 2'000.),
                       .rounds = pick(x, 1, 2, 4)});
}

report migrate_of(extent x) {
  return run_migrate({.sessions = pick(x, 100, 10'000, 10'000),
                      .rate = pick(x, 100., 2'000., 2'000.),
                      .rounds = pick(x, 1, 1, 2)});
}

report soak_of(extent x) {
  return run_soak({.minutes = pick(x, .05, 1., 10.),
                   .rate = pick(x, 50., 500., 0.),
                   .agents = pick(x, 4, 100, 100),
                   .churn = pick(x, .5, .02, .02)});
}

} // namespace

const std::vector<suite_entry>& suite() {
  // Those that look at this process's memory come first, while it is small.
  static const std::vector<suite_entry> all{
    {"route", route_of},
    {"burst-match", burst_match_of},
    {"codec", codec_of},
    {"store", store_of},
    {"ingest", ingest_of},
    {"buffered", buffered_of},
    {"burst", burst_of},
    {"e2e", e2e_of},
    {"offer", offer_of},
    {"slow-peers", slow_peers_of},
    {"connections", connections_of},
    {"storm", storm_of},
    {"failover", failover_of},
    {"migrate", migrate_of},
    {"soak", soak_of},
  };
  return all;
}

} // namespace switchboard::bench
