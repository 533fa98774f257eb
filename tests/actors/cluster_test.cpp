// Three nodes in one process, on a real nats-server and a real PostgreSQL.
#include "actors/node.hpp"

#include "actors/alarm.hpp"
#include "actors/domain/membership.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/postgres_leases.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/servers.hpp"
#include "tests/support/tcp_link.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <future>
#include <set>
#include <thread>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

test::private_servers& servers() {
  static test::private_servers all;
  return all;
}

template <class T>
bool ok(const T& x) {
  if constexpr (requires { x.error(); })
    if (!x)
      UNSCOPED_INFO(to_string(x.error().code) << ": " << x.error().detail);
  return static_cast<bool>(x);
}

std::string named(std::size_t which) {
  return "c" + std::to_string(which);
}

struct cluster {
  cluster() {
    look = make_postgres_store(servers().postgres.conninfo(), "test");
    book = make_postgres_leases(servers().postgres.conninfo(), "test");
    for (const auto* id : {"li", "ann"})
      REQUIRE(ok(look->put_agent(
        {id},
        {.display_name = id, .languages = {{"zh", 5}}, .capacity = 100000})));
    for (std::size_t i = 0; i < nodes.size(); ++i)
      start(i);
    REQUIRE(balanced());
    auto client = connect_nats(servers().nats.options("client"));
    REQUIRE(ok(client));
    wire = std::move(*client);
  }

  void start(std::size_t which) {
    auto made = node::start(servers().options(named(which)));
    REQUIRE(ok(made));
    nodes.at(which) = std::move(*made);
  }

  /// Waits until each node that runs owns just what it should.
  bool balanced() {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < until) {
      const auto seen = book->look();
      if (seen
          && std::all_of(
            seen->places.begin(), seen->places.end(),
            [&](const auto& x) { return x.owner.text == wanted(x.slot); }))
        return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  std::string wanted(slot_number slot) const {
    std::string best;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes.at(i)
          && (best.empty()
              || membership::weight({named(i)}, slot)
                   > membership::weight({best}, slot)))
        best = named(i);
    return best;
  }

  std::size_t owner_of(slot_number slot) const {
    return static_cast<std::size_t>(wanted(slot).at(1) - '0');
  }

  /// Repeats under the same id until it is answered, as a sender should.
  result<receipt> post(const contact& from, const std::string& text) {
    const auto id = random_secret(8);
    const auto json = R"({"text":")" + text + R"(","msg_id":")" + id + "\"}";
    const auto until = std::chrono::steady_clock::now() + 10s;
    for (;;) {
      const auto got = wire->request(subject::post(from), json, 2s);
      auto read =
        got ? codec::decode_receipt(got->bytes) : result<receipt>{got.error()};
      if (read || std::chrono::steady_clock::now() > until)
        return read;
      std::this_thread::sleep_for(5ms);
    }
  }

  std::int64_t sign_in(std::size_t at, const std::string& agent,
                       const std::shared_ptr<test::watching_screen>& screen) {
    std::promise<result<std::int64_t>> told;
    nodes.at(at)->face().sign_in(
      {agent}, screen, {},
      [&](const result<std::int64_t>& x) { told.set_value(x); });
    const auto got = told.get_future().get();
    REQUIRE(ok(got));
    return *got;
  }

  result<receipt> ask(std::size_t at, const std::string& agent,
                      agent_ask what) {
    std::promise<result<receipt>> told;
    nodes.at(at)->face().ask(
      {agent}, std::move(what),
      [&](const result<receipt>& x) { told.set_value(x); });
    return told.get_future().get();
  }

  /// The agent (signed in at node `at`) takes this customer's session.
  push::session_opened serve(std::size_t at, const std::string& agent,
                             const contact& from,
                             test::watching_screen& screen) {
    REQUIRE(ok(post(from, "hello")));
    const auto offer = screen.wait<push::offer>(
      [&](const push::offer& x) { return x.who == from; });
    REQUIRE(ok(offer));
    REQUIRE(ok(ask(at, agent, ask::accept{offer->session, offer->number})));
    const auto opened =
      screen.wait<push::session_opened>([&](const push::session_opened& x) {
        return x.session == offer->session;
      });
    REQUIRE(ok(opened));
    return *opened;
  }

  void check_invariants() {
    const auto found = look->verify();
    REQUIRE(ok(found));
    for (const auto& x : *found) {
      INFO(x.invariant << ' ' << x.title << ' '
                       << (x.examples.empty() ? "" : x.examples[0]));
      CHECK(x.violations == 0);
    }
  }

  static auto says(std::string body) {
    return [body = std::move(body)](const push::entry_added& x) {
      return x.line.body == body;
    };
  }

  std::array<std::unique_ptr<node>, 3> nodes;
  std::unique_ptr<store> look;
  std::unique_ptr<lease_book> book;
  std::unique_ptr<bus> wire;
};

/// A customer whose slot belongs to this node, as things stand.
contact customer_of(const cluster& of, std::size_t node) {
  for (;;) {
    contact x{"web", "u" + random_secret(6)};
    if (of.owner_of(subject::slot_of(x)) == node)
      return x;
  }
}

} // namespace

TEST_CASE_METHOD(cluster, "every contact is answered, whichever node owns it",
                 "[live][cluster]") {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto who = customer_of(*this, i);
    const auto first = post(who, "hi");
    REQUIRE(ok(first));
    // Also over a gateway of a node that does not own it.
    for (const auto& other : nodes) {
      std::promise<result<receipt>> told;
      other->face().post(
        {.id = {random_secret(4)}, .from = who, .content = "there?"},
        [&](const result<receipt>& x) { told.set_value(x); });
      const auto got = told.get_future().get();
      REQUIRE(ok(got));
      CHECK(got->session == first->session);
    }
  }
  check_invariants();
}

TEST_CASE_METHOD(cluster,
                 "a node that others took for dead sends its agents away",
                 "[live][cluster]") {
  nodes.at(0).reset();
  auto how = servers().options(named(0));
  test::tcp_link to_database{servers().postgres.port()};
  const auto own = ':' + std::to_string(servers().postgres.port()) + '/';
  how.postgres_url.replace(how.postgres_url.find(own), own.size(),
                           ':' + std::to_string(to_database.port()) + '/');
  auto made = node::start(how);
  REQUIRE(ok(made));
  nodes.at(0) = std::move(*made);
  REQUIRE(balanced());
  const auto before = std::make_shared<test::watching_screen>();
  sign_in(0, "li", before);

  to_database.cut(); // The bus still reaches it, and so do its sockets.
  CHECK(before->wait_end() == "unavailable");
  std::promise<result<std::int64_t>> told;
  nodes.at(0)->face().sign_in(
    {"li"}, std::make_shared<test::watching_screen>(), {},
    [&](const result<std::int64_t>& x) { told.set_value(x); });
  const auto refused = told.get_future().get();
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::unavailable);
  const auto elsewhere = std::make_shared<test::watching_screen>();
  sign_in(1, "li", elsewhere);

  // Only what others have taken can come back.
  const auto owns_some = [&] {
    const auto seen = book->look();
    return !seen
           || std::any_of(
             seen->places.begin(), seen->places.end(),
             [](const auto& x) { return x.owner.text == named(0); });
  };
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (owns_some() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(10ms);
  REQUIRE_FALSE(owns_some());
  to_database.heal();
  REQUIRE(balanced());
  const auto again = std::make_shared<test::watching_screen>();
  sign_in(0, "li", again);
  serve(0, "li", customer_of(*this, 0), *again);
  nodes.at(0).reset(); // Before the link.
}

TEST_CASE_METHOD(cluster, "an agent works from any node with any session",
                 "[live][cluster]") {
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    auto screen = std::make_shared<test::watching_screen>();
    const auto token = sign_in(at, "li", screen);
    for (std::size_t of = 0; of < nodes.size(); ++of) {
      INFO("agent at node " << at << ", session of node " << of);
      const auto who = customer_of(*this, of);
      const auto opened = serve(at, "li", who, *screen);
      const auto text = "answer " + random_secret(4);
      REQUIRE(
        ok(ask(at, "li",
               ask::send{
                 opened.session, opened.ownership, {random_secret(4)}, text})));
      CHECK(ok(screen->wait<push::entry_added>(says(text))));
      std::promise<result<std::vector<entry>>> read;
      nodes.at(at)->face().history(
        {"li"}, opened.session, 0, 100,
        [&](const result<std::vector<entry>>& x) { read.set_value(x); });
      const auto lines = read.get_future().get();
      REQUIRE(ok(lines));
      CHECK(lines->size() >= 3);
      REQUIRE(ok(
        ask(at, "li", ask::close{opened.session, opened.ownership, "solved"})));
      CHECK(
        ok(screen->wait<push::session_ended>([&](const push::session_ended& x) {
          return x.session == opened.session;
        })));
    }
    CHECK(screen->broken() == 0);
    nodes.at(at)->face().sign_out({"li"}, token);
  }
  check_invariants();
}

TEST_CASE_METHOD(cluster, "a screen stays whole while everything moves",
                 "[live][cluster]") {
  const auto home = owner_of(slot_of(agent_id{"li"}));
  const auto at = (home + 1) % nodes.size();
  auto screen = std::make_shared<test::watching_screen>();
  sign_in(at, "li", screen);
  std::vector<std::pair<contact, push::session_opened>> all;
  for (std::size_t of = 0; of < nodes.size(); ++of) {
    const auto who = customer_of(*this, of);
    all.emplace_back(who, serve(at, "li", who, *screen));
  }
  const auto talk = [&](const std::string& about) {
    for (const auto& [who, opened] : all) {
      const auto text = about + random_secret(4);
      REQUIRE(ok(post(who, text)));
      INFO(about);
      CHECK(ok(screen->wait<push::entry_added>(says(text))));
      const auto answer = "re " + text;
      REQUIRE(ok(
        ask(at, "li",
            ask::send{
              opened.session, opened.ownership, {random_secret(4)}, answer})));
      CHECK(ok(screen->wait<push::entry_added>(says(answer))));
    }
  };
  talk("before");
  nodes.at(home)->drain();
  talk("drained");
  nodes.at(home).reset();
  talk("gone");
  start(home);
  REQUIRE(balanced());
  talk("back");
  for (const auto& [who, opened] : all)
    REQUIRE(
      ok(ask(at, "li", ask::close{opened.session, opened.ownership, "done"})));
  for (const auto& [who, opened] : all)
    CHECK(ok(screen->wait<push::session_ended>(
      [&, id = opened.session](const push::session_ended& x) {
        return x.session == id;
      })));
  CHECK(screen->broken() == 0);
  check_invariants();
}

TEST_CASE_METHOD(cluster, "the buffered lane is read once, whatever moves",
                 "[live][cluster]") {
  std::vector<contact> all;
  for (std::size_t of = 0; of < nodes.size(); ++of)
    all.push_back(customer_of(*this, of));
  int sent = 0;
  const auto publish = [&](int count) {
    for (const auto until = sent + count; sent < until; ++sent)
      for (const auto& who : all) {
        std::promise<result<void>> stored;
        wire->publish_stored(
          subject::in(who), R"({"text":"buffered"})",
          {{"Nats-Msg-Id", "web:" + who.user + '-' + std::to_string(sent)}},
          [&](const result<void>& x) { stored.set_value(x); });
        REQUIRE(ok(stored.get_future().get()));
      }
  };
  const auto arrived = [&](const contact& who) {
    std::size_t seen = 0;
    if (const auto lines = look->history(who, now() + 1h, 1000))
      for (const auto& x : *lines)
        seen += x.what.kind == entry_kind::customer ? 1 : 0;
    return seen;
  };
  publish(20);
  nodes[0]->drain();
  publish(20);
  nodes[0].reset();
  publish(20);
  start(0);
  publish(20);
  const auto until = std::chrono::steady_clock::now() + 20s;
  for (const auto& who : all) {
    while (arrived(who) < 80 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(20ms);
    CHECK(arrived(who) == 80);
  }
  check_invariants();
}
