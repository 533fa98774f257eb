// Who is asked, for how long, and what follows: on a real nats-server and a
// real PostgreSQL, through the face that gateways use. Every test has a queue
// and agents of its own.
#include "actors/node.hpp"

#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/servers.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <future>

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

using screen_ptr = std::shared_ptr<test::watching_screen>;

/// A node whose agents and queue nobody else knows.
struct desk {
  desk() : tag(random_secret(4)) {
    look = make_postgres_store(servers().postgres.conninfo(), "test");
    auto client = connect_nats(servers().nats.options("client"));
    REQUIRE(ok(client));
    wire = std::move(*client);
  }

  agent_id named(const std::string& name) const { return {name + tag}; }

  void know(const std::string& name, std::int32_t capacity = 100'000) {
    REQUIRE(ok(look->put_agent(
      named(name),
      {.display_name = name, .queues = {{"q" + tag}}, .capacity = capacity})));
  }

  void open(const session::rules& r) {
    REQUIRE(ok(look->put_queue({{"q" + tag}, "Test", r})));
    auto made = node::start(servers().options());
    REQUIRE(ok(made));
    running = std::move(*made);
  }

  screen_ptr sign_in(const std::string& name) {
    auto screen = std::make_shared<test::watching_screen>();
    std::promise<result<std::int64_t>> told;
    running->face().sign_in(
      named(name), screen, {},
      [&](const result<std::int64_t>& x) { told.set_value(x); });
    const auto got = told.get_future().get();
    REQUIRE(ok(got));
    tokens[name] = *got;
    return screen;
  }

  void sign_out(const std::string& name) {
    running->face().sign_out(named(name), tokens.at(name));
  }

  result<receipt> ask(const std::string& name, agent_ask what) {
    std::promise<result<receipt>> told;
    running->face().ask(named(name), std::move(what),
                        [&](const result<receipt>& x) { told.set_value(x); });
    return told.get_future().get();
  }

  receipt say(const contact& from) {
    const auto got = wire->request(
      subject::post(from), R"({"text":"hello","queue":"q)" + tag + R"("})", 5s);
    REQUIRE(ok(got));
    const auto told = codec::decode_receipt(got->bytes);
    REQUIRE(ok(told));
    return *told;
  }

  push::offer offered(const screen_ptr& to, session_id of,
                      std::int64_t after = 0) {
    const auto got = to->wait<push::offer>([&](const push::offer& x) {
      return x.session == of && x.number > after;
    });
    REQUIRE(ok(got));
    return *got;
  }

  push::session_opened opened(const screen_ptr& on, session_id which) {
    const auto got = on->wait<push::session_opened>(
      [&](const push::session_opened& x) { return x.session == which; });
    REQUIRE(ok(got));
    return *got;
  }

  bool sees(const screen_ptr& on, agent::presence p) {
    return ok(on->wait<push::presence>(
      [&](const push::presence& x) { return x.now == p; }));
  }

  /// Offered and accepted.
  push::session_opened serve(const std::string& name, const screen_ptr& on,
                             const contact& from) {
    const auto first = say(from);
    const auto x = offered(on, first.session);
    REQUIRE(ok(ask(name, ask::accept{x.session, x.number})));
    return opened(on, first.session);
  }

  /// Picks what waits. The receipt of a customer comes at the commit, and the
  /// router hears of the session after that.
  result<receipt> pick(const std::string& name, session_id which) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    auto got = ask(name, ask::pick{which});
    while (!got && got.error().detail.find("does not wait") != std::string::npos
           && std::chrono::steady_clock::now() < until)
      got = ask(name, ask::pick{which});
    return got;
  }

  /// Waits until the session's log has this event.
  entry logged(session_id of, const std::string& event) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < until) {
      const auto lines = look->entries(of, 0, 1000);
      REQUIRE(ok(lines));
      for (const auto& x : *lines)
        if (x.event == event)
          return x;
      std::this_thread::sleep_for(10ms);
    }
    FAIL("no " << event << " in the log of " << of);
    return {};
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

  std::string tag;
  std::unique_ptr<store> look;
  std::unique_ptr<node> running;
  std::unique_ptr<bus> wire;
  std::map<std::string, std::int64_t> tokens;
};

contact somebody(const std::string& channel = "web") {
  return {channel, "u" + random_secret(6)};
}

} // namespace

TEST_CASE_METHOD(desk,
                 "who declines is asked again only if nobody else is there",
                 "[live][reservation]") {
  know("li");
  know("ann");
  open({});
  const auto li = sign_in("li");
  const auto from = somebody();
  const auto first = say(from);
  const auto once = offered(li, first.session);
  REQUIRE(ok(ask("li", ask::decline{once.session, once.number, "lunch"})));
  const auto twice = offered(li, first.session, once.number);
  const auto ann = sign_in("ann");
  REQUIRE(ok(ask("li", ask::decline{twice.session, twice.number, "lunch"})));
  const auto other = offered(ann, first.session);
  REQUIRE(ok(ask("ann", ask::accept{other.session, other.number})));
  // The wait runs from the first message on, whoever declined since.
  const auto why = look->decisions(first.session);
  REQUIRE(ok(why));
  REQUIRE(why->size() == 3);
  const auto waited = [](const std::string& record) {
    return boost::json::parse(record).at("wait_ms").as_int64();
  };
  CHECK(
    std::is_sorted(why->begin(), why->end(), [&](const auto& a, const auto& b) {
      return waited(a) < waited(b);
    }));
  check_invariants();
}

TEST_CASE_METHOD(desk, "two offers unanswered, and the agent is not responding",
                 "[live][reservation]") {
  know("li");
  open({.offer_time = 200ms});
  const auto li = sign_in("li");
  const auto first = say(somebody());
  REQUIRE(ok(li->wait<push::offer_ended>(
    [](const push::offer_ended& x) { return x.reason == "timed_out"; })));
  REQUIRE(sees(li, agent::presence::not_responding));
  const auto rung = li->count<push::offer>();
  CHECK(rung == 2);
  REQUIRE(ok(ask("li", ask::presence{agent::presence::online, "", {}})));
  const auto again = offered(li, first.session, 2);
  CHECK(ok(ask("li", ask::accept{again.session, again.number})));
  check_invariants();
}

TEST_CASE_METHOD(desk,
                 "without a first reply the agent is reminded, then replaced",
                 "[live][reservation]") {
  know("li");
  know("ann");
  open({.first_reply_time = 300ms});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  CHECK(ok(li->wait<push::reminder>(
    [&](const push::reminder& x) { return x.session == served.session; })));
  logged(served.session, "reply_due");
  logged(served.session, "reply_overdue"); // For supervisors.
  const auto ann = sign_in("ann");
  logged(served.session, "reply_missed");
  CHECK(ok(li->wait<push::session_ended>([&](const push::session_ended& x) {
    return x.session == served.session && x.reason == "reply_missed";
  })));
  const auto next = offered(ann, served.session);
  REQUIRE(ok(ask("ann", ask::accept{next.session, next.number})));
  const auto hers = opened(ann, served.session);
  const auto late =
    ask("li", ask::send{served.session, served.ownership, {"late"}, "hi"});
  REQUIRE_FALSE(ok(late));
  CHECK(late.error().code == errc::stale_owner);
  REQUIRE(
    ok(ask("ann", ask::send{hers.session, hers.ownership, {"hi"}, "hi"})));
  check_invariants();
}

TEST_CASE_METHOD(desk, "a lost connection ends the offer and keeps the session",
                 "[live][reservation]") {
  know("li");
  open({});
  auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  const auto ringing = say(somebody());
  offered(li, ringing.session);
  sign_out("li");
  logged(ringing.session, "withdrawn");
  li = sign_in("li");
  CHECK(opened(li, served.session).ownership == served.ownership);
  const auto again = offered(li, ringing.session, 1);
  CHECK(again.number == 2);
  CHECK(ok(ask(
    "li", ask::send{served.session, served.ownership, {"back"}, "I am back"})));
  check_invariants();
}

TEST_CASE_METHOD(desk, "a warm transfer brings the note and the session",
                 "[live][reservation]") {
  know("li");
  know("ann");
  open({});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  const auto ann = sign_in("ann");
  REQUIRE(ok(ask("li", ask::transfer{served.session,
                                     served.ownership,
                                     {named("ann"), {}},
                                     "knows tax"})));
  const auto asked = offered(ann, served.session);
  // Until somebody accepts, the sender keeps the conversation.
  REQUIRE(ok(ask(
    "li", ask::send{served.session, served.ownership, {"t1"}, "one moment"})));
  REQUIRE(ok(ask("ann", ask::accept{asked.session, asked.number})));
  const auto hers = opened(ann, served.session);
  CHECK(hers.ownership > served.ownership);
  CHECK(ok(ann->wait<push::entry_added>([](const push::entry_added& x) {
    return x.line.kind == entry_kind::note && x.line.body == "knows tax";
  })));
  CHECK(ok(li->wait<push::session_ended>()));
  check_invariants();
}

TEST_CASE_METHOD(desk, "a transfer that nobody takes comes back to its sender",
                 "[live][reservation]") {
  know("li");
  know("ann");
  open({.transfer_time = 400ms});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  REQUIRE(
    ok(ask("li", ask::transfer{
                   served.session, served.ownership, {named("ann"), {}}, ""})));
  logged(served.session, "transfer_returned"); // ann is not there at all.
  const auto ann = sign_in("ann");
  REQUIRE(
    ok(ask("li", ask::transfer{
                   served.session, served.ownership, {named("ann"), {}}, ""})));
  const auto asked = offered(ann, served.session);
  REQUIRE(ok(ask("ann", ask::decline{asked.session, asked.number, "busy"})));
  CHECK(ok(ask(
    "li", ask::send{served.session, served.ownership, {"mine"}, "I help"})));
  check_invariants();
}

TEST_CASE_METHOD(desk, "who is busy may still pick a waiting session, once",
                 "[live][reservation]") {
  know("li");
  know("ann");
  open({});
  const auto li = sign_in("li");
  const auto ann = sign_in("ann");
  for (const auto* who : {"li", "ann"})
    REQUIRE(ok(ask(who, ask::presence{agent::presence::busy, "", {}})));
  const auto waiting = say(somebody());
  REQUIRE(ok(pick("li", waiting.session)));
  CHECK(opened(li, waiting.session).phase == "active");
  const auto late = ask("ann", ask::pick{waiting.session});
  REQUIRE_FALSE(ok(late));
  CHECK(late.error().code == errc::wrong_phase);
  const auto mine = ask("li", ask::pick{waiting.session});
  REQUIRE_FALSE(ok(mine));
  CHECK(mine.error().code == errc::conflict);
  check_invariants();
}

TEST_CASE_METHOD(desk, "several are asked at once and the first to accept wins",
                 "[live][reservation]") {
  know("li");
  know("ann");
  know("bo");
  open({.offers_at_once = 2});
  const std::map<std::string, screen_ptr> all{{"li", sign_in("li")},
                                              {"ann", sign_in("ann")}};
  const auto urgent = say(somebody());
  const auto first = offered(all.at("li"), urgent.session);
  const auto second = offered(all.at("ann"), urgent.session);
  CHECK(first.number != second.number);
  REQUIRE(ok(ask("ann", ask::accept{second.session, second.number})));
  opened(all.at("ann"), urgent.session);
  CHECK(ok(all.at("li")->wait<push::offer_ended>(
    [&](const push::offer_ended& x) { return x.reason == "taken"; })));
  const auto late = ask("li", ask::accept{first.session, first.number});
  REQUIRE_FALSE(ok(late));
  CHECK(late.error().code == errc::stale_owner);
  check_invariants();
}

TEST_CASE_METHOD(desk, "a conversation is wrapped up with a known disposition",
                 "[live][reservation]") {
  know("li");
  open({.wrap_up_time = 30s, .dispositions = {"solved", "spam"}});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  const auto wrong =
    ask("li", ask::close{served.session, served.ownership, "bored"});
  REQUIRE_FALSE(ok(wrong));
  CHECK(wrong.error().code == errc::malformed);
  CHECK(wrong.error().detail.find("solved, spam") != std::string::npos);
  REQUIRE(ok(ask("li", ask::close{served.session, served.ownership, ""})));
  REQUIRE_FALSE(ok(ask("li", ask::wrapped_up{served.session, ""})));
  REQUIRE(ok(ask("li", ask::wrapped_up{served.session, "solved"})));
  CHECK(logged(served.session, "closed").body == "solved");
  check_invariants();
}

TEST_CASE_METHOD(desk, "a wrap-up ends by itself", "[live][reservation]") {
  know("li");
  open({.wrap_up_time = 300ms});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  REQUIRE(
    ok(ask("li", ask::close{served.session, served.ownership, "solved"})));
  CHECK(logged(served.session, "closed").body == "solved");
}

TEST_CASE_METHOD(desk, "busy now, a break after the last session",
                 "[live][reservation]") {
  know("li");
  open({});
  const auto li = sign_in("li");
  const auto served = serve("li", li, somebody());
  REQUIRE(ok(ask("li", ask::presence{agent::presence::finishing, "closing",
                                     agent::presence::on_break})));
  CHECK(ok(li->wait<push::presence>([](const push::presence& x) {
    return x.now == agent::presence::finishing && x.reason == "closing"
           && x.next == agent::presence::on_break;
  })));
  REQUIRE(
    ok(ask("li", ask::close{served.session, served.ownership, "solved"})));
  CHECK(sees(li, agent::presence::on_break));
}

TEST_CASE_METHOD(desk, "an e-mail takes a quarter of the room of a chat",
                 "[live][reservation]") {
  know("li", 500);
  open({});
  const auto li = sign_in("li");
  serve("li", li, somebody("email"));
  serve("li", li, somebody("email"));
  const auto third = say(somebody("email"));
  const auto full = pick("li", third.session);
  REQUIRE_FALSE(ok(full));
  CHECK(full.error().detail.find("capacity") != std::string::npos);
  check_invariants();
}

TEST_CASE_METHOD(desk, "a silent customer who comes back finds their agent",
                 "[live][reservation]") {
  know("li", 1250);
  open({.quiet_time = 300ms});
  const auto li = sign_in("li");
  const auto from = somebody();
  const auto served = serve("li", li, from);
  REQUIRE(ok(ask(
    "li", ask::send{served.session, served.ownership, {"q"}, "anything?"})));
  // So silent that there is room for another one ...
  serve("li", li, somebody());
  // ... and more than room once they write again.
  say(from);
  CHECK(ok(ask(
    "li", ask::send{served.session, served.ownership, {"r"}, "welcome back"})));
  const auto third = say(somebody());
  const auto full = pick("li", third.session);
  REQUIRE_FALSE(ok(full));
  CHECK(full.error().detail.find("capacity") != std::string::npos);
  check_invariants();
}
