// Customers on sockets, agents at desks, real nodes and servers.
#include "actors/domain/membership.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "gateways/visitor/protocol.hpp"
#include "persistence/postgres/postgres_leases.hpp"
#include "tests/support/house.hpp"
#include "tests/support/show.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <functional>
#include <set>

using namespace switchboard;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

/// Two nodes, a gateway each: agents sit at the first, customers come to the
/// one they like.
struct town {
  town() {
    REQUIRE(first.look->put_agent(
      {"mia"}, {.display_name = "Mia", .capacity = 100'000}));
    auto options = first.servers.options("n2");
    options.name = {"n2"};
    auto made = node::start(options);
    REQUIRE(made);
    second = std::move(*made);
    open_second();
    book = make_postgres_leases(first.servers.postgres.conninfo(), "test");
    REQUIRE(test::becomes(
      [&] { return owned_by("n2") > 16 && owned_by("n2") < 48; }));
  }

  void open_second() {
    door = make_gateway(
             {.verifier = first.verifier.get(), .actors = &second->face()})
             .value();
  }

  std::string owner_of(slot_number slot) const {
    const auto seen = book->look();
    REQUIRE(seen);
    for (const auto& x : seen->places)
      if (x.slot == slot)
        return x.owner.text;
    return "";
  }

  int owned_by(const std::string& node) const {
    const auto seen = book->look();
    int count = 0;
    if (seen)
      for (const auto& x : seen->places)
        count += x.owner.text == node ? 1 : 0;
    return count;
  }

  /// A user whose session lives on this node.
  std::string user_on(const std::string& node) const {
    for (;;) {
      const auto user = "u" + random_secret(6);
      if (owner_of(subject::slot_of(contact{"web", user})) == node)
        return user;
    }
  }

  test::house first;
  std::unique_ptr<node> second;
  std::unique_ptr<gateway> door;
  std::unique_ptr<lease_book> book;
};

/// A customer's page: keeps what it was shown, and what it has.
struct page {
  page(const town& in, const gateway& at, std::string user)
    : town_(in), at_(at), user_(std::move(user)) {}

  void connect() {
    line = std::make_unique<ws_client>(
      ws_client::connect(
        {.port = at_.port(),
         .subprotocol = std::string(visitor_protocol::subprotocol)})
        .value());
    json::object how{{"token", town_.first.token_of(user_, role::visitor)}};
    if (last > 0)
      how["resume"] = json::object{{"session", session}, {"seq", last}};
    say("connect", std::move(how));
    REQUIRE_THAT(test::receive_with(*line, R"("result":)"),
                 Catch::Contains(user_));
  }

  void say(const std::string& verb, json::object what) {
    json::object x{{"id", ++commands}};
    x[verb] = std::move(what);
    REQUIRE(line->send(json::serialize(x)));
  }

  void write(const std::string& body) {
    say("send",
        {{"client_id", "c" + std::to_string(++written)}, {"body", body}});
  }

  /// Reads until this is true, bounded.
  bool reads(const std::function<bool()>& that) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!that() && !line->closed()
           && std::chrono::steady_clock::now() < until)
      if (const auto text = line->receive(100ms))
        take(json::parse(*text).as_object());
    return that();
  }

  bool sees(const std::string& body) {
    return reads([&] { return shown.contains(body); });
  }

  void take(const json::object& x) {
    const auto* push = x.if_contains("push");
    if (push == nullptr)
      return;
    if (const auto* name = push->as_object().if_contains("agent"))
      agent = json::value_to<std::string>(name->at("name"));
    if (const auto* over = push->as_object().if_contains("closed"))
      closed.insert(json::value_to<std::string>(over->at("session")));
    const auto* entry = push->as_object().if_contains("entry");
    if (entry == nullptr)
      return;
    const auto of = json::value_to<std::string>(entry->at("session"));
    const auto seq = entry->at("seq").as_int64();
    const auto body = json::value_to<std::string>(entry->at("body"));
    if (of != session)
      last = 0;
    if (seq <= last)
      ++broken;
    session = of;
    last = seq;
    if (!shown.insert(body).second)
      ++doubled;
  }

  std::unique_ptr<ws_client> line;
  std::set<std::string> shown;
  std::set<std::string> closed;
  std::string session;
  std::string agent;
  std::int64_t last = 0;
  int commands = 0;
  int written = 0;
  int broken = 0;
  int doubled = 0;

private:
  const town& town_;
  const gateway& at_;
  std::string user_;
};

/// An agent who takes what is offered.
struct desk {
  explicit desk(const town& in) : line(in.first.desk("mia")) {}

  /// The next push of this kind that concerns the user.
  json::value next(const std::string& what, const std::string& user) {
    for (;;) {
      const auto text = test::receive_with(line, user);
      REQUIRE_FALSE(text.empty());
      if (text.starts_with(R"({"push":{")" + what + '"'))
        return json::parse(text).at("push").at(what);
    }
  }

  void take(const std::string& user) {
    const auto offer = next("offer", user);
    session = json::value_to<std::string>(offer.at("session"));
    say("offer.accept",
        {{"session", session}, {"offer", offer.at("offer").as_int64()}});
    ownership = next("session", user).at("ownership").as_int64();
  }

  void say(const std::string& verb, json::object what) {
    json::object x{{"id", ++commands}};
    x[verb] = std::move(what);
    REQUIRE(line.send(json::serialize(x)));
  }

  void answer(const std::string& body) {
    say("send", {{"session", session},
                 {"ownership", ownership},
                 {"client_id", "a" + std::to_string(++written)},
                 {"body", body}});
    REQUIRE_THAT(
      test::receive_with(line, R"("id":)" + std::to_string(commands) + ","),
      Catch::Contains("result"));
  }

  ws_client line;
  std::string session;
  std::int64_t ownership = 0;
  int commands = 100;
  int written = 0;
};

void converse(const town& t, const gateway& at, const std::string& user) {
  page customer{t, at, user};
  customer.connect();
  customer.write("hello from " + user);
  REQUIRE(customer.sees("hello from " + user));
  desk mia{t};
  mia.take(user);
  mia.answer("good day");
  REQUIRE(customer.sees("good day"));
  // She was added a moment ago: the node may hear her name later than her.
  CHECK(customer.reads([&] { return customer.agent == "Mia"; }));

  // Signs, both ways.
  customer.say("typing", {});
  CHECK_FALSE(test::receive_with(mia.line, R"("typing":{)").empty());
  mia.say("typing", {{"session", mia.session}});
  CHECK_FALSE(test::receive_with(*customer.line, R"("typing":{)").empty());
  customer.say("read", {{"seq", customer.last}});
  CHECK_FALSE(test::receive_with(mia.line, R"("read":{)").empty());

  // What a colleague is told is not the customer's business.
  mia.say(
    "note",
    {{"session", mia.session}, {"client_id", "n1"}, {"body", "a secret note"}});
  mia.answer("one");
  REQUIRE(customer.sees("one"));

  // Away for a while: what was said meanwhile is there afterwards, once.
  customer.line->cut();
  for (int i = 0; i < 250; ++i)
    REQUIRE_THAT(t.first.post("sb.v1.post.web." + user,
                              R"({"text":"while away )" + std::to_string(i)
                                + R"(","msg_id":"w)" + std::to_string(i)
                                + "\"}"),
                 Catch::Contains("seq"));
  customer.connect();
  REQUIRE(customer.sees("while away 249"));
  CHECK(customer.shown.size() == 253);
  mia.answer("and live again");
  REQUIRE(customer.sees("and live again"));
  CHECK_FALSE(customer.shown.contains("a secret note"));
  CHECK(customer.broken == 0);
  CHECK(customer.doubled == 0);

  // The same again is recognised; another page of the customer sees all.
  customer.written = 0;
  customer.write("hello from " + user);
  CHECK_THAT(test::receive_with(*customer.line, "duplicate"),
             Catch::Contains(R"("seq":1,"duplicate":true)"));
  page other{t, at, user};
  other.connect();
  REQUIRE(other.sees("and live again"));
  CHECK(other.shown == customer.shown);
  CHECK(other.broken == 0);

  // History, backwards, without notes and events.
  customer.say("history", {{"session", customer.session}, {"limit", 200}});
  const auto lines =
    json::parse(test::receive_with(*customer.line, R"("entries")"))
      .at("result")
      .at("entries")
      .as_array();
  CHECK(lines.size() == 200);
  CHECK(lines.back().at("body").as_string() == "and live again");

  mia.say("close", {{"session", mia.session},
                    {"ownership", mia.ownership},
                    {"disposition", ""}});
  REQUIRE(customer.reads([&] { return !customer.closed.empty(); }));
  const auto before = customer.session;
  customer.written = 50;
  customer.write("one more thing");
  REQUIRE(customer.sees("one more thing"));
  CHECK(customer.session != before);
}

} // namespace

TEST_CASE("customers converse over sockets, on whatever node their session is",
          "[visitor][live]") {
  town t;
  SECTION("their gateway's own") {
    converse(t, *t.first.door, t.user_on("n1"));
  }
  SECTION("another one") {
    converse(t, *t.first.door, t.user_on("n2"));
    converse(t, *t.door, t.user_on("n1"));
  }
  SECTION("one that dies: another takes the session, the socket stays") {
    const auto user = t.user_on("n2");
    page customer{t, *t.first.door, user};
    customer.connect();
    customer.write("hello");
    REQUIRE(customer.sees("hello"));
    desk mia{t};
    mia.take(user);
    mia.answer("good day");
    REQUIRE(customer.sees("good day"));
    t.door.reset();
    t.second.reset();
    REQUIRE(test::becomes([&] { return t.owned_by("n1") == 65; }));
    customer.write("still there?");
    REQUIRE(customer.sees("still there?"));
    mia.answer("of course");
    REQUIRE(customer.sees("of course"));
    CHECK(customer.broken == 0);
    CHECK(customer.doubled == 0);
  }
  SECTION("they are told their place in the line, also when they come back") {
    page first{t, *t.first.door, t.user_on("n2")};
    page second{t, *t.first.door, t.user_on("n1")};
    first.connect();
    first.write("hello");
    CHECK_THAT(test::receive_with(*first.line, R"("queue":{)"),
               Catch::Contains(R"("position":1)"));
    second.connect();
    second.write("hello, too");
    CHECK_THAT(test::receive_with(*second.line, R"("queue":{)"),
               Catch::Contains(R"("position":2)"));
    second.line->cut();
    second.connect();
    CHECK_THAT(test::receive_with(*second.line, R"("queue":{)"),
               Catch::Contains(R"("position":2)"));
  }
  SECTION("nobody resumes the conversation of somebody else") {
    page customer{t, *t.first.door, t.user_on("n2")};
    customer.connect();
    customer.write("private");
    REQUIRE(customer.sees("private"));
    page thief{t, *t.first.door, t.user_on("n1")};
    thief.session = customer.session;
    thief.last = 0;
    thief.connect();
    thief.say("history", {{"session", customer.session}});
    CHECK_THAT(test::receive_with(*thief.line, R"("id":2)"),
               Catch::Contains("forbidden"));
    thief.line->cut();
    thief.last = 1;
    thief.connect();
    CHECK(test::closed_with(*thief.line) == 4403);
    CHECK_FALSE(thief.shown.contains("private"));
  }
  t.first.check_invariants();
}
