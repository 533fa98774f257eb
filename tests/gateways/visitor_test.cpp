// The customers' connection in front of scripted actors.
#include "gateways/visitor/protocol.hpp"
#include "tests/gateways/print.hpp"
#include "tests/gateways/scripted_house.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace std::chrono_literals;
using namespace std::string_literals;
using switchboard::testing::becomes;
using switchboard::testing::closed_with;
using switchboard::testing::quick;
using switchboard::testing::token_of;

namespace {

std::string connect_text(const std::string& token,
                         const std::string& resume = "{}") {
  return R"({"id":1,"connect":{"token":")" + token + R"(","resume":)" + resume
         + "}}";
}

/// Customers at the door of scripted actors.
struct house : switchboard::testing::house {
  using switchboard::testing::house::house;

  ws_client dial(int receive_buffer_bytes = 0) const {
    ws_client::options how;
    how.port = door->port();
    how.subprotocol = std::string(visitor_protocol::subprotocol);
    how.receive_buffer_bytes = receive_buffer_bytes;
    auto got = ws_client::connect(how);
    REQUIRE(got);
    return std::move(*got);
  }

  ws_client customer(const std::string& who,
                     int receive_buffer_bytes = 0) const {
    auto out = dial(receive_buffer_bytes);
    REQUIRE(out.send(connect_text(token_of(who, role::visitor))));
    const auto welcome = out.receive(5s);
    REQUIRE(welcome);
    INFO(*welcome);
    REQUIRE(welcome->starts_with(R"({"id":1,"result":{"user":")" + who));
    return out;
  }
};

std::string said(ws_client& client, const std::string& command) {
  REQUIRE(client.send(command));
  return client.receive(5s).value_or("nothing");
}

entry line(std::int32_t seq, entry_kind kind, const std::string& body) {
  entry x;
  x.seq = seq;
  x.kind = kind;
  x.author = "li";
  x.body = body;
  return x;
}

} // namespace

TEST_CASE("a customer signs in, writes, reads back and is shown replies",
          "[visitor]") {
  house h;
  auto u1 = h.customer("u1");
  CHECK(becomes([&] { return h.door->visitors() == 1; }));
  CHECK(said(u1, R"({"id":2,"send":{"client_id":"c1","body":"hello"}})")
        == R"({"id":2,"result":{"session":"77","seq":3,"duplicate":false}})");
  REQUIRE(h.actors.posted.size() == 1);
  CHECK(h.actors.posted[0].from == contact{"web", "u1"});
  CHECK(h.actors.posted[0].id.text == "c1");
  CHECK(h.actors.posted[0].content == "hello");
  CHECK(said(u1, R"({"id":3,"typing":{}})") == R"({"id":3,"result":{}})");
  CHECK(said(u1, R"({"id":4,"read":{"seq":3}})") == R"({"id":4,"result":{}})");
  CHECK(h.actors.signs.size() == 2);
  CHECK(h.actors.signs[1].second == 3);
  const auto lines =
    said(u1, R"({"id":5,"history":{"session":"77","before":5,"limit":2}})");
  CHECK_THAT(lines, Catch::Contains(R"("seq":3)")
                      && Catch::Contains(R"("seq":4)")
                      && !Catch::Contains(R"("seq":5)"));
  h.actors.visitor("u1")->show(visit::said{
    {77}, for_customer(line(4, entry_kind::agent, "how may I help?"))});
  const auto entry = u1.receive(5s).value_or("");
  CHECK_THAT(entry, Catch::Contains(R"({"push":{"entry":{"seq":4)")
                      && Catch::Contains("how may I help?")
                      && !Catch::Contains("author"));
  h.actors.visitor("u1")->show(visit::standing{{77}, 4, "Li"});
  CHECK(u1.receive(5s) == R"({"push":{"agent":{"session":"77","name":"Li"}}})");
  h.actors.visitor("u1")->show(visit::typing{{77}});
  CHECK(u1.receive(5s) == R"({"push":{"typing":{"session":"77"}}})");
  h.actors.visitor("u1")->show(visit::place{{77}, 3, 60s, 90s});
  CHECK(u1.receive(5s)
        == R"({"push":{"queue":{"session":"77","position":3,)"
           R"("wait_min_s":60,"wait_max_s":90}}})");
  h.actors.visitor("u1")->show(visit::closed{{77}});
  CHECK(u1.receive(5s) == R"({"push":{"closed":{"session":"77"}}})");
  u1.close();
  CHECK(u1.close_code() == 1000);
  CHECK(h.actors.eventually([&] { return h.actors.left.size() == 1; }));
  CHECK(becomes([&] { return h.door->visitors() == 0; }));
  CHECK(becomes([&] { return h.door->connections() == 0; }));
}

TEST_CASE("what is not visible to customers carries nothing but its number",
          "[visitor]") {
  auto note = line(4, entry_kind::note, "a difficult one");
  note.id.text = "n1";
  note = for_customer(note);
  CHECK_FALSE(visible(note));
  CHECK(note.body.empty());
  CHECK(note.author.empty());
  CHECK(note.id.empty());
  CHECK(note.seq == 4);
}

TEST_CASE("a customer resumes where they were", "[visitor]") {
  house h;
  auto u1 = h.dial();
  REQUIRE(u1.send(connect_text(token_of("u1", role::visitor),
                               R"({"session":"77","seq":2})")));
  const auto welcome = u1.receive(5s).value_or("");
  CHECK_THAT(welcome, Catch::Contains(R"("session":"77","last_seq":3)"));
  CHECK(h.actors.came[0].second == visit::position{{77}, 2});
}

TEST_CASE("each door takes only its own tokens, and says which is right",
          "[visitor]") {
  house h;
  auto agent = h.dial();
  REQUIRE(agent.send(connect_text(token_of("li", role::agent))));
  CHECK_THAT(agent.receive(5s).value_or(""),
             Catch::Contains("agents connect with switchboard.v1.json"));
  CHECK(closed_with(agent) == 4403);
  auto desk = ws_client::connect({.port = h.door->port()}).value();
  REQUIRE(desk.send(R"({"id":1,"connect":{"token":")"
                    + token_of("u1", role::visitor) + R"("}})"));
  CHECK_THAT(desk.receive(5s).value_or(""),
             Catch::Contains("connect with switchboard.customer.v1.json"));
  CHECK(closed_with(desk) == 4403);
  const auto page =
    http_request_once(
      h.door->port(), "GET", "/v1/sessions/1/entries",
      {{"Authorization", "Bearer " + token_of("u1", role::visitor)}})
      .value();
  CHECK(page.status == 403);
  const auto post =
    http_request_once(
      h.door->port(), "POST", "/v1/messages",
      {{"Authorization", "Bearer " + token_of("u1", role::visitor)}},
      R"({"channel":"web","user":"u2","text":"hi"})")
      .value();
  CHECK(post.status == 403);
  CHECK(h.actors.posted.empty());
}

TEST_CASE("what a customer gets wrong is answered with what to do",
          "[visitor]") {
  struct bad {
    const char* command;
    const char* says;
  };
  const std::vector<bad> all{
    {R"({"id":2,"send":{"client_id":"c"}})", "body is missing"},
    {R"({"id":2,"send":{"body":"x"}})", "client_id is missing"},
    {R"({"id":2,"send":{"client_id":"","body":"x"}})", "must not be empty"},
    {R"({"id":2,"send":{"client_id":"c","body":""}})", "must not be empty"},
    {R"({"id":2,"send":{"client_id":7,"body":"x"}})", "must be a string"},
    {R"({"id":2,"send":{"client_id":"c","body":"\u0000"}})", "U+0000"},
    {R"({"id":2,"send":[]})", "must be an object"},
    {R"({"id":2,"history":{}})", "session is missing"},
    {R"({"id":2,"history":{"session":"x"}})", "must be a session's number"},
    {R"({"id":2,"history":{"session":"77","limit":0}})", "from 1 to 200"},
    {R"({"id":2,"history":{"session":"77","limit":201}})", "from 1 to 200"},
    {R"({"id":2,"history":{"session":"404"}})", "no such session"},
    {R"({"id":2,"read":{}})", "seq is missing"},
    {R"({"id":2,"read":{"seq":0}})", "whole number from 1"},
    {R"({"id":2,"read":{"seq":1.5}})", "whole number from 1"},
    {R"({"id":2,"offer.accept":{}})", "no command of this name"},
    {R"({"id":2,"send":{},"read":{}})", "one command, not several"},
    {R"({"id":2})", "holds no command"},
    {R"({"id":2,"connect":{"token":"x"}})", "signed in already"},
    {R"({"id":2,"connect":{}})", "token is missing"},
  };
  house h;
  auto u1 = h.customer("u1");
  for (const auto& x : all) {
    INFO(x.command);
    const auto got = said(u1, x.command);
    CHECK_THAT(got, Catch::StartsWith(R"({"id":2,"error":{)")
                      && Catch::Contains(x.says));
  }
  const auto large = said(u1, R"({"id":2,"send":{"client_id":"c","body":")"
                                + std::string(65537, 'x') + R"("}})");
  CHECK_THAT(large, Catch::Contains("too_large"));
  CHECK(h.actors.posted.empty());
  CHECK_FALSE(u1.closed());
}

TEST_CASE("what is not this protocol ends the connection with a code",
          "[visitor]") {
  struct bad {
    std::string first; ///< Instead of connect; empty: signed in.
    std::string then;
    std::uint16_t code;
  };
  const std::vector<bad> all{
    {"not JSON", "", 4400},
    {"[]", "", 4400},
    {"7", "", 4400},
    {" \n ", "", 4400},
    {R"({"connect":{"token":"x"}})", "", 4400},
    {R"({"id":1,"send":{"client_id":"c","body":"x"}})", "", 4400},
    {R"({"id":1,"connect":{}})", "", 4400},
    {R"({"id":1,"connect":{"token":"x","resume":7}})", "", 4400},
    {R"({"id":1,"connect":{"token":"x","resume":{"session":"7"}}})", "", 4400},
    {R"({"id":1,"connect":{"token":"x"}})", "", 4401},
    {connect_text(token_of("li", role::operator_)), "", 4403},
    {connect_text(token_of(std::string(300, 'u'), role::visitor)), "", 4403},
    {std::string(9000, ' '), "", 4413},
    {"", "not JSON", 4400},
    {"", R"({"send":{"client_id":"c","body":"x"}})", 4400},
    {"", std::string(140'000, ' '), 4413},
    {"", "\xff\xfe", 4400},
  };
  house h;
  for (const auto& x : all) {
    INFO(x.first.substr(0, 80) << " | " << x.then.substr(0, 80));
    auto one = x.first.empty() ? h.customer("u1") : h.dial();
    REQUIRE(one.send(x.first.empty() ? x.then : x.first));
    CHECK(closed_with(one) == x.code);
    CHECK_FALSE(one.close_reason().empty());
  }
  auto binary = h.dial();
  REQUIRE(binary.send_binary("x"));
  CHECK(closed_with(binary) == 4400);
  CHECK(becomes([&] { return h.door->connections() == 0; }));
}

TEST_CASE("who does not sign in is shown out", "[visitor]") {
  house h;
  auto one = h.dial();
  CHECK(closed_with(one) == 4401);
}

TEST_CASE("who floods is shown out, others are not", "[visitor]") {
  house h;
  auto calm = h.customer("calm");
  auto flood = h.customer("flood");
  for (int i = 0; i < 100; ++i)
    if (!flood.send(R"({"id":2,"typing":{}})"))
      break;
  CHECK(closed_with(flood) == 4429);
  CHECK(said(calm, R"({"id":2,"typing":{}})") == R"({"id":2,"result":{}})");
  auto pings = h.customer("many");
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += R"({"id":2,"typing":{}})"s + "\n";
  REQUIRE(pings.send(many));
  CHECK(closed_with(pings) == 4429);
}

TEST_CASE("who does not read costs a bounded queue, and is shown out",
          "[visitor]") {
  auto limits = quick();
  limits.send_buffer_bytes = 4096;
  limits.visitor_outbound_objects_max = 1000;
  limits.visitor_outbound_bytes_max = 64 * 1024;
  house h{limits};
  auto slow = h.customer("slow", 4096);
  const auto screen = h.actors.visitor("slow");
  std::int32_t shown = 0;
  // What the kernels' buffers take, and then what our queue takes.
  while (h.door->visitors() == 1 && shown < 100'000)
    screen->show(visit::said{
      {77}, line(++shown, entry_kind::agent, std::string(1000, 'x'))});
  CHECK(shown < 10'000);
  CHECK(closed_with(slow) == 4429);
  CHECK(becomes([&] { return h.door->connections() == 0; }));
}

TEST_CASE("signs are dropped before lines are", "[visitor]") {
  auto limits = quick();
  limits.send_buffer_bytes = 4096;
  limits.visitor_outbound_objects_max = 50;
  house h{limits};
  auto slow = h.customer("slow", 4096);
  const auto screen = h.actors.visitor("slow");
  for (int i = 0; i < 20'000; ++i)
    screen->show(visit::typing{{77}});
  screen->show(visit::said{{77}, line(4, entry_kind::agent, "the line")});
  const auto until = std::chrono::steady_clock::now() + 10s;
  bool found = false;
  while (!found && !slow.closed() && std::chrono::steady_clock::now() < until)
    if (const auto x = slow.receive(100ms))
      found = x->find("the line") != x->npos;
  CHECK(found);
}

TEST_CASE("a customer who falls silent is pinged, and then gone", "[visitor]") {
  auto limits = quick();
  limits.ping_time = 100ms;
  limits.dead_time = 400ms;
  house h{limits};
  auto alive = h.customer("alive");
  // Never reads, so that nothing answers our pings.
  auto dead = h.customer("dead");
  int pings = 0;
  const auto until = std::chrono::steady_clock::now() + 2s;
  while (std::chrono::steady_clock::now() < until)
    if (const auto x = alive.receive(50ms);
        x && *x == R"({"push":{"ping":{}}})")
      ++pings;
  CHECK(pings >= 5);
  CHECK_FALSE(alive.closed());
  CHECK(h.actors.eventually([&] {
    return h.actors.left.size() == 1 && h.actors.left[0].first == "dead";
  }));
}

TEST_CASE("a node that goes sends customers away, and says when to return",
          "[visitor]") {
  house h;
  auto u1 = h.customer("u1");
  h.door->drain();
  CHECK(closed_with(u1) == 4503);
  CHECK_THAT(u1.close_reason(), Catch::Contains("after_ms="));
}
