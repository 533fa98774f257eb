#include "tests/gateways/print.hpp"
#include "tests/gateways/scripted_house.hpp"

using namespace switchboard;
using namespace std::chrono_literals;
using namespace switchboard::testing;
using agent_protocol::command;
using agent_protocol::connect;

TEST_CASE("an agent signs in, asks and is answered", "[gateway]") {
  house h;
  auto desk = h.desk("ada");
  CHECK(h.door->agents() == 1);
  REQUIRE(desk.send(send_text(2, "hi")));
  CHECK(desk.receive(5s)
        == R"({"id":2,"result":{"session":"1","seq":4,"duplicate":false}})");
  REQUIRE(h.actors.asked.size() == 1);
  CHECK(h.actors.asked[0].first == "ada");
  CHECK(std::get<ask::send>(h.actors.asked[0].second).body == "hi");
  h.actors.answer = fail(errc::stale_owner, "bob has it now");
  REQUIRE(desk.send(send_text(3, "hi")));
  const auto refused = desk.receive(5s);
  REQUIRE(refused);
  CHECK_THAT(*refused, Catch::Contains("\"code\":\"stale_owner\""));
  CHECK_THAT(*refused, Catch::Contains("bob has it now"));
  REQUIRE(
    desk.send(R"({"id":4,"history":{"session":"1","before":4,"limit":2}})"));
  const auto lines = desk.receive(5s);
  REQUIRE(lines);
  CHECK_THAT(*lines, Catch::Contains("line 2") && Catch::Contains("line 3")
                       && !Catch::Contains("line 1\"")
                       && !Catch::Contains("line 4"));
  REQUIRE(desk.send(R"({"id":5,"person":{"session":"1"}})"));
  CHECK_THAT(desk.receive(5s).value(), Catch::Contains("another channel"));
  REQUIRE(desk.send(R"({"id":6,"dance":{}})"));
  CHECK_THAT(desk.receive(5s).value(),
             Catch::StartsWith(R"({"id":6,"error":)"));
  REQUIRE(desk.send(R"({"id":7,"connect":{"token":"x"}})"));
  CHECK_THAT(desk.receive(5s).value(), Catch::Contains("wrong_phase"));
  desk.close();
  CHECK(h.actors.eventually([&] { return h.actors.signed_out.size() == 1; }));
}

TEST_CASE("the welcome comes first, then pushes in order", "[gateway]") {
  house h;
  h.actors.on_sign_in = [](agent_screen& screen) {
    for (int i = 1; i <= 2000; ++i)
      screen.show(push::entry_added{
        session_id{1}, {i, entry_kind::customer, "", "", "x", {}, {}}});
  };
  auto desk = h.desk("ada");
  const auto screen = h.actors.screen("ada");
  std::thread other([&] {
    for (int i = 2001; i <= 2200; ++i)
      screen->show(push::entry_added{
        session_id{1}, {i, entry_kind::customer, "", "", "x", {}, {}}});
  });
  int wrong = 0;
  for (int i = 1; i <= 2200; ++i) {
    const auto got = desk.receive(5s);
    if (!got
        || !got->starts_with(R"({"push":{"entry":{"seq":)" + std::to_string(i)
                             + ","))
      ++wrong;
  }
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("what a client resumes from reaches the actors", "[gateway]") {
  house h;
  auto client = h.dial();
  REQUIRE(client.send(agent_protocol::format(
    command{1, connect{token_of("ada"), {{session_id{5}, 9}}, ""}})));
  REQUIRE(client.receive(5s));
  CHECK(h.actors.positions["ada"] == screen_position{{session_id{5}, 9}});
}

TEST_CASE("a wrong first frame closes with a code that says why", "[gateway]") {
  house h;
  const auto first = [&](const std::string& text) {
    auto client = h.dial();
    REQUIRE(client.send(text));
    return closed_with(client);
  };
  CHECK(first("hello") == 4400);
  CHECK(first(R"({"id":1,"typing":{"session":"1"}})") == 4400);
  CHECK(first(R"({"id":1,"connect":{"token":"x.y.z"}})") == 4401);
  CHECK(first(agent_protocol::format(
          command{1, connect{token_of("ops", role::operator_), {}, ""}}))
        == 4403);
  CHECK(first(agent_protocol::format(
          command{1, connect{token_of("stranger"), {}, ""}}))
        == 4403);
  auto binary = h.dial();
  REQUIRE(binary.send_binary("hello"));
  CHECK(closed_with(binary) == 4400);
  CHECK(h.door->agents() == 0);
}

TEST_CASE("a bad or too large frame closes a desk", "[gateway]") {
  house h;
  auto desk = h.desk("ada");
  SECTION("no JSON") {
    REQUIRE(desk.send("{"));
    CHECK(closed_with(desk) == 4400);
  }
  SECTION("too large") {
    (void)desk.send(std::string(agent_protocol::frame_bytes_max + 1, ' '));
    CHECK(closed_with(desk) == 4413);
  }
  CHECK(h.actors.eventually([&] { return h.actors.signed_out.size() == 1; }));
}

TEST_CASE("only our subprotocol and allowed origins are upgraded",
          "[gateway]") {
  house h;
  ws_client::options how;
  how.port = h.door->port();
  how.subprotocol = "chat";
  CHECK(ws_client::connect(how).error().code == errc::malformed);
  how.subprotocol = "";
  CHECK(ws_client::connect(how).error().code == errc::malformed);
  how.subprotocol = "chat, switchboard.v1.json";
  CHECK(ws_client::connect(how));
  how.origin = "https://evil.example";
  const auto refused = ws_client::connect(how);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::forbidden);
  CHECK_THAT(refused.error().detail, Catch::Contains("problem:forbidden"));
  how.origin = "http://127.0.0.1:" + std::to_string(how.port);
  CHECK(ws_client::connect(how));
}

TEST_CASE("who does not sign in is closed in time", "[gateway]") {
  house h;
  auto client = h.dial();
  CHECK(closed_with(client) == 4401);
}

TEST_CASE("who has asked to sign in is not blamed for slow actors",
          "[gateway]") {
  auto limits = quick();
  limits.sign_in_time = 50ms;
  limits.answer_time = 300ms;
  house h{limits};
  h.actors.silent = true;
  auto client = h.dial();
  REQUIRE(client.send(
    agent_protocol::format(command{1, connect{token_of("ada"), {}, ""}})));
  CHECK(closed_with(client) == 4503);
}

TEST_CASE("who is silent too long is pinged, then closed", "[gateway]") {
  auto limits = quick();
  limits.ping_time = 50ms;
  limits.dead_time = 60s;
  SECTION("a ping is seen and may be answered") {
    house h{limits};
    auto desk = h.desk("ada");
    CHECK(desk.receive(5s) == R"({"push":{"ping":{}}})");
    REQUIRE(desk.send(R"({"pong":{}})"));
    CHECK(desk.receive(5s) == R"({"push":{"ping":{}}})");
  }
  SECTION("a dead peer is let go") {
    limits.ping_time = 60s;
    limits.dead_time = 100ms;
    house h{limits};
    auto desk = h.desk("ada");
    CHECK(closed_with(desk) == 4408);
  }
}

TEST_CASE("the same device replaces its connection, another does not",
          "[gateway]") {
  house h{quick(), 2};
  auto first = h.desk("ada", "tab-1");
  auto other = h.desk("ada", "tab-2");
  auto again = h.desk("ada", "tab-1");
  CHECK(closed_with(first) == 4409);
  REQUIRE(other.send(send_text(2, "x")));
  CHECK(other.receive(5s));
  REQUIRE(again.send(send_text(2, "x")));
  CHECK(again.receive(5s));
}

TEST_CASE("a flood of commands closes the connection", "[gateway]") {
  auto limits = quick();
  limits.commands_burst = 20;
  limits.commands_per_second = 1;
  house h{limits};
  auto desk = h.desk("ada");
  for (int i = 0; i < 40; ++i)
    if (!desk.send(R"({"id":2,"typing":{"session":"1"}})"))
      break;
  CHECK(closed_with(desk) == 4429);
  CHECK(h.actors.asked.size() <= 20);
}

TEST_CASE("too many unanswered commands are refused", "[gateway]") {
  auto limits = quick();
  limits.in_flight_max = 2;
  house h{limits};
  auto desk = h.desk("ada");
  h.actors.silent = true;
  for (int i = 2; i <= 4; ++i)
    REQUIRE(desk.send(send_text(i, "x")));
  const auto got = desk.receive(5s);
  REQUIRE(got);
  CHECK_THAT(*got, Catch::StartsWith(R"({"id":4,"error":)")
                     && Catch::Contains("overloaded"));
  h.actors.held.front()(receipt{});
  CHECK(desk.receive(5s) == R"({"id":2,"result":{}})");
}

TEST_CASE("a reader that is too slow is closed and its memory freed",
          "[gateway]") {
  auto limits = quick();
  limits.send_buffer_bytes = 8 * 1024;
  limits.close_time = 5s;
  house h{limits};
  auto desk = h.desk("ada", "", 8 * 1024);
  const auto screen = h.actors.screen("ada");
  // Shown from another thread, and read by nobody.
  for (int i = 1; i <= 20'000; ++i)
    screen->show(push::entry_added{
      session_id{1},
      {i, entry_kind::customer, "", "", std::string(1000, 'x'), {}, {}}});
  CHECK(h.actors.eventually([&] { return h.actors.signed_out.size() == 1; }));
  std::size_t bytes = 0;
  while (const auto got = desk.receive(5s))
    bytes += got->size();
  CHECK(desk.close_code() == 4429);
  // 20 MB were shown; what was kept is of the order of the limits.
  CHECK(bytes < 5 * 1024 * 1024);
}
