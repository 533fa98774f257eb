#include "tests/support/house.hpp"

#include "config/child_process.hpp"
#include "gateways/agent/protocol.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/show.hpp"

#include <thread>

namespace switchboard::test {

using namespace std::chrono_literals;

house::house(const std::function<void(node::options&)>& how)
  : secret(random_secret(32)) {
  look = make_postgres_store(servers.postgres.conninfo(), "test");
  for (const auto* id : {"li", "ann"})
    REQUIRE(look->put_agent({id}, {.display_name = id,
                                   .queues = {{std::string("desk-") + id}},
                                   .capacity = 100'000}));
  auto options = servers.options();
  if (how)
    how(options);
  auto made = node::start(options);
  REQUIRE(made);
  running = std::move(*made);
  verifier = make_token_verifier({.secret = secret}).value();
  door = make_gateway({.verifier = verifier.get(), .actors = &running->face()})
           .value();
  auto client = connect_nats(servers.nats.options("client"));
  REQUIRE(client);
  wire = std::move(*client);
}

std::string house::token_of(const std::string& who, role as) const {
  return create_token({.secret = secret}, {who, as, 1h},
                      std::chrono::time_point_cast<duration>(clock::now()))
    .value();
}

ws_client house::dial() const {
  auto made = ws_client::connect({.port = door->port()});
  REQUIRE(made);
  return std::move(*made);
}

ws_client house::desk(const std::string& who) const {
  using namespace agent_protocol;
  auto made = dial();
  REQUIRE(made.send(format(command{1, connect{token_of(who), {}, ""}})));
  REQUIRE(receive_with(made, R"("id":1)").find("result") != std::string::npos);
  return made;
}

std::string house::post(const std::string& subject, const std::string& bytes,
                        const bus::header_list& with) const {
  const auto got = wire->request(subject, bytes, 10s, with);
  return got ? got->bytes
             : std::string(to_string(got.error().code)) + ": "
                 + got.error().detail;
}

void house::check_invariants() const {
  const auto found = look->verify();
  REQUIRE(found);
  for (const auto& x : *found) {
    INFO(x.invariant << ' ' << x.title << ' '
                     << (x.examples.empty() ? "" : x.examples[0]));
    CHECK(x.violations == 0);
  }
}

std::string receive_with(ws_client& from, std::string_view what) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!from.closed() && std::chrono::steady_clock::now() < until)
    if (auto line = from.receive(100ms);
        line && line->find(what) != std::string::npos)
      return std::move(*line);
  return "";
}

std::uint16_t closed_with(ws_client& from) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!from.closed() && std::chrono::steady_clock::now() < until)
    static_cast<void>(from.receive(100ms));
  return from.close_code();
}

bool becomes(const std::function<bool()>& that) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!that() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(5ms);
  return that();
}

} // namespace switchboard::test
