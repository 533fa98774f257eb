#pragma once

#include "actors/alarm.hpp"
#include "actors/node.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/servers.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

/// A node on servers of its own, a client of the bus, and a look into the
/// database. Each test brings its agent, so that none is busy with another's.
namespace switchboard::test {

struct live_node {
  explicit live_node(node::options how = servers().options())
    : options(std::move(how)) {
    look = make_postgres_store(options.postgres_url, "look");
    must(look->put_agent({agent}, {.display_name = agent, .capacity = 9000}));
    start();
    auto client = connect_nats(servers().nats.options("client"));
    must(client);
    wire = std::move(*client);
  }

  static private_servers& servers() {
    static private_servers all;
    return all;
  }

  template <class T>
  static void must(const T& x) {
    if (!x)
      FAIL(to_string(x.error().code) << ": " << x.error().detail);
  }

  void start() {
    running.reset();
    auto made = node::start(options);
    must(made);
    running = std::move(*made);
  }

  result<receipt> post(const contact& from, const std::string& json) {
    const auto got =
      wire->request(subject::post(from), json, std::chrono::seconds{10});
    if (!got)
      return got.error();
    return codec::decode_receipt(got->bytes);
  }

  void sign_in() {
    std::promise<result<std::int64_t>> told;
    running->face().sign_in(
      {agent}, screen, {},
      [&](const result<std::int64_t>& x) { told.set_value(x); });
    must(told.get_future().get());
  }

  result<receipt> ask(agent_ask what) {
    std::promise<result<receipt>> told;
    running->face().ask({agent}, std::move(what),
                        [&](const result<receipt>& x) { told.set_value(x); });
    return told.get_future().get();
  }

  /// Takes the next offer of this contact.
  push::session_opened accept_from(const contact& who) {
    const auto offer = screen->wait<push::offer>(
      [&](const push::offer& x) { return x.who == who; });
    REQUIRE(offer.has_value());
    must(ask(ask::accept{offer->session, offer->number}));
    const auto opened =
      screen->wait<push::session_opened>([&](const push::session_opened& x) {
        return x.session == offer->session;
      });
    REQUIRE(opened.has_value());
    return *opened;
  }

  std::vector<front::person_line> person(session_id of) {
    std::promise<result<std::vector<front::person_line>>> told;
    running->face().person(
      {agent}, of, now() + std::chrono::hours{1}, 100,
      [&](const result<std::vector<front::person_line>>& x) {
        told.set_value(x);
      });
    auto got = told.get_future().get();
    must(got);
    return *got;
  }

  /// Asks until `holds`; what is waited for comes without an event of its own.
  template <class Condition>
  static bool eventually(Condition holds) {
    const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
  }

  void check_invariants() {
    const auto found = look->verify();
    must(found);
    for (const auto& x : *found) {
      INFO(x.invariant << ' ' << x.title << ' '
                       << (x.examples.empty() ? "" : x.examples[0]));
      CHECK(x.violations == 0);
    }
  }

  node::options options;
  std::string agent = "agent-" + random_secret(4);
  std::unique_ptr<store> look;
  std::unique_ptr<node> running;
  std::unique_ptr<bus> wire;
  std::shared_ptr<watching_screen> screen = std::make_shared<watching_screen>();
};

inline contact somebody_on(const std::string& channel) {
  return {channel, "u" + random_secret(6)};
}

} // namespace switchboard::test
