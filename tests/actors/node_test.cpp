// A whole node on a real nats-server and a real PostgreSQL.
#include "actors/node.hpp"

#include "actors/alarm.hpp"

#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "bus/utf8.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/house.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/servers.hpp"

#include <catch2/catch.hpp>

#include <future>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

test::private_servers& servers() {
  static test::private_servers all;
  return all;
}

/// Catch cannot print what a result holds; the error is what counts.
template <class T>
bool ok(const T& x) {
  if constexpr (requires { x.error(); })
    if (!x)
      UNSCOPED_INFO(to_string(x.error().code) << ": " << x.error().detail);
  return static_cast<bool>(x);
}

/// A node, a client of the bus, and a look into the database.
struct live {
  live() {
    look = make_postgres_store(servers().postgres.conninfo(), "test");
    for (const auto* id : {"li", "ann"})
      REQUIRE(ok(look->put_agent(
        {id},
        {.display_name = id, .languages = {{"zh", 5}}, .capacity = 100000})));
    auto made = node::start(servers().options());
    REQUIRE(ok(made));
    running = std::move(*made);
    auto client = connect_nats(servers().nats.options("client"));
    REQUIRE(ok(client));
    wire = std::move(*client);
  }

  void restart() {
    running.reset();
    auto made = node::start(servers().options());
    REQUIRE(ok(made));
    running = std::move(*made);
  }

  result<receipt> post(const contact& from, const std::string& json) {
    const auto got = wire->request(subject::post(from), json, 5s);
    if (!got)
      return got.error();
    return codec::decode_receipt(got->bytes);
  }

  std::string post_raw(const std::string& to, const std::string& bytes) {
    const auto got = wire->request(to, bytes, 5s);
    return got ? got->bytes : got.error().detail;
  }

  std::int64_t sign_in(const std::string& agent,
                       const std::shared_ptr<test::watching_screen>& screen,
                       screen_position from = {}) {
    std::promise<result<std::int64_t>> told;
    running->face().sign_in(
      {agent}, screen, std::move(from),
      [&](const result<std::int64_t>& x) { told.set_value(x); });
    const auto got = told.get_future().get();
    REQUIRE(ok(got));
    return *got;
  }

  result<receipt> ask(const std::string& agent, agent_ask what) {
    std::promise<result<receipt>> told;
    running->face().ask({agent}, std::move(what),
                        [&](const result<receipt>& x) { told.set_value(x); });
    return told.get_future().get();
  }

  /// Signs the agent in and takes the offer that the message brings about.
  push::session_opened serve(const std::string& agent, const contact& from,
                             std::shared_ptr<test::watching_screen> screen) {
    sign_in(agent, screen);
    REQUIRE(ok(post(from, R"({"text":"hello"})")));
    const auto offer = screen->wait<push::offer>(
      [&](const push::offer& x) { return x.who == from; });
    REQUIRE(ok(offer));
    REQUIRE(ok(ask(agent, ask::accept{offer->session, offer->number})));
    const auto opened =
      screen->wait<push::session_opened>([&](const push::session_opened& x) {
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

  std::unique_ptr<store> look;
  std::unique_ptr<node> running;
  std::unique_ptr<bus> wire;
};

contact somebody() {
  return {"web", "u" + random_secret(6)};
}

} // namespace

TEST_CASE_METHOD(live, "a receipt means that the entry is in the database",
                 "[live]") {
  const auto who = somebody();
  // A node that has just started may not listen yet: then it is said again.
  auto first = post(who, R"({"text":"您好"})");
  REQUIRE(test::becomes([&] {
    if (!first && first.error().code == errc::unavailable)
      first = post(who, R"({"text":"您好"})");
    return ok(first);
  }));
  CHECK(first->seq == 1);
  const auto second = post(who, R"({"text":"在吗"})");
  REQUIRE(ok(second));
  CHECK(second->session == first->session);
  const auto lines = look->entries(first->session, 0, 100);
  REQUIRE(ok(lines));
  REQUIRE(lines->size() == 3); // Two messages and "queued".
  CHECK((*lines)[0].body == "您好");
  CHECK((*lines)[1].event == "queued");
  CHECK((*lines)[2].body == "在吗");
  check_invariants();
}

TEST_CASE_METHOD(live, "a repeated message is told the place it has",
                 "[live]") {
  const auto who = somebody();
  const auto first = post(who, R"({"text":"hi","msg_id":"m-1"})");
  REQUIRE(ok(first));
  const auto again = post(who, R"({"text":"hi","msg_id":"m-1"})");
  REQUIRE(ok(again));
  CHECK(again->duplicate);
  CHECK(again->seq == first->seq);
  const auto other =
    post_raw(subject::post(who), R"({"text":"other","msg_id":"m-1"})");
  CHECK(other.find("\"code\":\"conflict\"") != std::string::npos);
  check_invariants();
}

TEST_CASE_METHOD(live, "an agent accepts, answers, and the reply leaves",
                 "[live]") {
  const auto who = somebody();
  auto screen = std::make_shared<test::watching_screen>();
  std::promise<std::string> left;
  const auto out =
    wire->subscribe(subject::out(who), "", [&](const bus::packet& x) {
      left.set_value(std::string(x.bytes));
    });
  REQUIRE(ok(out));
  const auto opened = serve("li", who, screen);
  const auto sent = ask(
    "li", ask::send{opened.session, opened.ownership, {"a-1"}, "good morning"});
  REQUIRE(ok(sent));
  auto reply = left.get_future();
  REQUIRE(reply.wait_for(5s) == std::future_status::ready);
  CHECK(reply.get().find("good morning") != std::string::npos);
  CHECK(ok(screen->wait<push::entry_added>(
    [](const push::entry_added& x) { return x.line.body == "good morning"; })));
  CHECK(screen->broken() == 0);
  const auto why = look->decisions(opened.session);
  REQUIRE(ok(why));
  CHECK(why->size() == 1);
  REQUIRE(
    ok(ask("li", ask::close{opened.session, opened.ownership, "solved"})));
  CHECK(ok(screen->wait<push::session_ended>()));
  const auto next = post(who, R"({"text":"one more thing"})");
  REQUIRE(ok(next));
  CHECK(next->session != opened.session);
  CHECK(next->seq == 1);
  check_invariants();
}

TEST_CASE_METHOD(live, "whoever was added a moment ago can sign in at once",
                 "[live]") {
  for (int i = 0; i < 5; ++i) {
    const agent_id fresh{"fresh" + random_secret(6)};
    REQUIRE(
      ok(look->put_agent(fresh, {.display_name = "Fresh", .capacity = 1000})));
    sign_in(fresh.text, std::make_shared<test::watching_screen>());
  }
}

TEST_CASE_METHOD(live, "an offer's preview is cut between two characters",
                 "[live]") {
  const auto who = somebody();
  auto screen = std::make_shared<test::watching_screen>();
  sign_in("li", screen);
  std::string text = "x"; // So that no multiple of three meets the limit.
  for (int i = 0; i < 200; ++i)
    text += "您";
  REQUIRE(ok(post(who, R"({"text":")" + text + R"("})")));
  const auto offer = screen->wait<push::offer>(
    [&](const push::offer& x) { return x.who == who; });
  REQUIRE(ok(offer));
  CHECK(offer->preview.size() > 100);
  CHECK(is_text(offer->preview));
}

TEST_CASE_METHOD(live, "a stale ownership cannot speak", "[live]") {
  auto screen = std::make_shared<test::watching_screen>();
  const auto opened = serve("li", somebody(), screen);
  const auto stale =
    ask("li", ask::send{opened.session, opened.ownership - 1, {"a-2"}, "late"});
  REQUIRE_FALSE(ok(stale));
  CHECK(stale.error().code == errc::stale_owner);
  const auto other = ask(
    "ann", ask::send{opened.session, opened.ownership, {"a-3"}, "not mine"});
  REQUIRE_FALSE(ok(other));
  CHECK(other.error().code == errc::stale_owner);
  REQUIRE(ok(ask("li", ask::close{opened.session, opened.ownership, "done"})));
}

TEST_CASE_METHOD(live, "a screen that comes back sees no gap and no repetition",
                 "[live]") {
  const auto who = somebody();
  auto first = std::make_shared<test::watching_screen>();
  const auto opened = serve("li", who, first);
  for (int i = 0; i < 20; ++i)
    REQUIRE(ok(post(who, R"({"text":"line"})")));
  const auto more = [&](std::int32_t seq) {
    return [=](const push::entry_added& x) { return x.line.seq >= seq; };
  };
  REQUIRE(ok(first->wait<push::entry_added>(more(24))));
  auto second = std::make_shared<test::watching_screen>();
  second->has(opened.session, 10);
  sign_in("li", second, {{opened.session, 10}});
  for (int i = 0; i < 20; ++i)
    REQUIRE(ok(post(who, R"({"text":"line"})")));
  REQUIRE(ok(second->wait<push::entry_added>(more(44))));
  REQUIRE(ok(first->wait<push::entry_added>(more(44))));
  CHECK(first->broken() == 0);
  CHECK(second->broken() == 0);
  REQUIRE(ok(ask("li", ask::close{opened.session, opened.ownership, "done"})));
}

TEST_CASE_METHOD(live, "after a restart a session is where it was", "[live]") {
  const auto who = somebody();
  auto screen = std::make_shared<test::watching_screen>();
  const auto opened = serve("li", who, screen);
  restart();
  auto again = std::make_shared<test::watching_screen>();
  again->has(opened.session, 2);
  sign_in("li", again, {{opened.session, 2}});
  REQUIRE(
    ok(again->wait<push::session_opened>([&](const push::session_opened& x) {
      return x.session == opened.session;
    })));
  const auto sent = ask(
    "li", ask::send{opened.session, opened.ownership, {"a-9"}, "still here"});
  REQUIRE(ok(sent));
  REQUIRE(ok(again->wait<push::entry_added>(
    [](const push::entry_added& x) { return x.line.body == "still here"; })));
  CHECK(again->broken() == 0);
  check_invariants();
  REQUIRE(ok(ask("li", ask::close{opened.session, opened.ownership, "done"})));
}

TEST_CASE_METHOD(live, "the buffered lane is read once, whoever restarts",
                 "[live]") {
  const auto who = somebody();
  const auto publish = [&](int from, int to) {
    for (int i = from; i <= to; ++i) {
      std::promise<result<void>> stored;
      wire->publish_stored(
        subject::in(who), R"({"text":"buffered"})",
        {{"Nats-Msg-Id", "web:" + who.user + '-' + std::to_string(i)}},
        [&](const result<void>& x) { stored.set_value(x); });
      REQUIRE(ok(stored.get_future().get()));
    }
  };
  const auto arrived = [&](std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    std::size_t seen = 0;
    while (std::chrono::steady_clock::now() < until) {
      seen = 0;
      const auto lines = look->history(who, now() + 1h, 1000);
      if (lines)
        for (const auto& x : *lines)
          seen += x.what.kind == entry_kind::customer ? 1 : 0;
      if (seen >= count)
        break;
      std::this_thread::sleep_for(20ms);
    }
    return seen;
  };
  publish(1, 20);
  CHECK(arrived(20) == 20);
  running.reset();
  publish(21, 40);
  auto made = node::start(servers().options());
  REQUIRE(ok(made));
  running = std::move(*made);
  CHECK(arrived(40) == 40);
  check_invariants();
}
