#include "gateways/http/gateway.hpp"

#include "config/child_process.hpp"
#include "gateways/agent/protocol.hpp"
#include "gateways/http/ws_client.hpp"
#include "tests/gateways/fake_front.hpp"
#include "tests/gateways/print.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace switchboard;
using namespace std::chrono_literals;
using agent_protocol::command;
using agent_protocol::connect;
using switchboard::testing::fake_front;

namespace {

token_options keys() {
  token_options out;
  out.secret = "0123456789abcdef0123456789abcdef";
  return out;
}

std::string token_of(const std::string& who, role as = role::agent) {
  return create_token(keys(), {who, as, 1h},
                      std::chrono::time_point_cast<duration>(clock::now()))
    .value();
}

gateway_limits quick() {
  gateway_limits out;
  out.request_time = 200ms;
  out.sign_in_time = 200ms;
  out.close_time = 500ms;
  out.commands_burst = 100;
  return out;
}

/// A gateway in front of scripted actors.
struct house {
  explicit house(gateway_limits limits = quick(), std::size_t threads = 1) {
    gateway_options how;
    how.limits = limits;
    how.threads = threads;
    how.verifier = verifier.get();
    how.actors = &actors;
    door = make_gateway(how).value();
  }

  ws_client dial(int receive_buffer_bytes = 0) const {
    ws_client::options how;
    how.port = door->port();
    how.receive_buffer_bytes = receive_buffer_bytes;
    auto got = ws_client::connect(how);
    REQUIRE(got);
    return std::move(*got);
  }

  /// A client that is signed in.
  ws_client desk(const std::string& who, const std::string& device = "",
                 int receive_buffer_bytes = 0) const {
    auto out = dial(receive_buffer_bytes);
    REQUIRE(out.send(
      agent_protocol::format(command{1, connect{token_of(who), {}, device}})));
    const auto welcome = out.receive(5s);
    REQUIRE(welcome);
    INFO(*welcome);
    REQUIRE(welcome->starts_with(R"({"id":1,"result":{"agent":")" + who));
    return out;
  }

  fake_front actors;
  std::unique_ptr<token_verifier> verifier =
    make_token_verifier(keys()).value();
  std::unique_ptr<gateway> door;
};

/// Reads until the server closes. @returns the close code
std::uint16_t closed_with(ws_client& client) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!client.closed() && std::chrono::steady_clock::now() < until)
    (void)client.receive(1s);
  REQUIRE(client.closed());
  return client.close_code();
}

std::string send_text(std::int64_t id, const std::string& body) {
  return agent_protocol::format(
    command{id, agent_ask{ask::send{session_id{1}, 2, {"c"}, body}}});
}

bool becomes(const std::function<bool()>& that) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!that() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(2ms);
  return that();
}

} // namespace

TEST_CASE("the operators' pages answer", "[gateway]") {
  const house h;
  const auto port = h.door->port();
  CHECK(http_get(port, "/livez")->body == "ok\n");
  CHECK(http_get(port, "/version")->body.find("0.1.0") != std::string::npos);
  const auto page = http_get(port, "/").value();
  CHECK(page.status == 200);
  CHECK(page.headers.at("content-type") == "text/html; charset=utf-8");
  CHECK(page.headers.at("content-security-policy").find("nonce-")
        != std::string::npos);
  CHECK(page.body.find("@NONCE@") == std::string::npos);
  // Embedded to the last byte, backslashes and all.
  CHECK_THAT(page.body, Catch::EndsWith("</script>\n</body>\n</html>\n")
                          && Catch::Contains("split(\"\\n\")"));
  const auto head = http_request_once(port, "HEAD", "/livez").value();
  CHECK(head.status == 200);
  CHECK(head.body.empty());
}

TEST_CASE("readiness fails with the failing checks, and while draining",
          "[gateway]") {
  house h;
  const auto port = h.door->port();
  CHECK(http_get(port, "/readyz")->status == 200);
  CHECK(http_get(port, "/readyz?verbose")->body.find("[+] bus ok")
        != std::string::npos);
  h.actors.healthy = false;
  const auto bad = http_get(port, "/readyz").value();
  CHECK(bad.status == 503);
  CHECK(bad.body.find("[-] database failed: connection refused")
        != std::string::npos);
  CHECK(bad.body.find("bus") == std::string::npos);
  h.actors.healthy = true;
  h.door->drain();
  CHECK(http_get(port, "/readyz")->status == 503);
  CHECK(http_get(port, "/livez")->status == 200);
  ws_client::options how;
  how.port = port;
  const auto refused = ws_client::connect(how);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::unavailable);
}

TEST_CASE("every HTTP error is a problem document", "[gateway]") {
  const house h;
  const auto port = h.door->port();
  struct row {
    std::string method, target;
    http_headers headers;
    std::string body;
    int status;
    std::string code;
  };
  const http_headers agent{{"Authorization", "Bearer " + token_of("ada")}};
  const http_headers boss{
    {"Authorization", "Bearer " + token_of("ops", role::operator_)}};
  const std::vector<row> rows{
    {"GET", "/nowhere", {}, "", 404, "not_found"},
    {"POST", "/livez", {}, "", 405, "malformed"},
    {"GET", "/v1/messages", {}, "", 405, "malformed"},
    {"GET", "/v1/ws", {}, "", 426, "malformed"},
    {"GET", "/v1/sessions/1/entries", {}, "", 401, "unauthorized"},
    {"GET",
     "/v1/sessions/1/entries",
     {{"Authorization", "Basic eA=="}},
     "",
     401,
     "unauthorized"},
    {"GET", "/v1/sessions/abc/entries", agent, "", 404, "not_found"},
    {"GET", "/v1/sessions/404/entries", agent, "", 404, "not_found"},
    {"GET", "/v1/sessions/1/entries?after=x", agent, "", 400, "malformed"},
    {"POST", "/v1/messages", agent, "{}", 403, "forbidden"},
    {"POST", "/v1/messages", boss, "hello", 400, "malformed"},
    {"POST", "/v1/messages", boss, R"({"channel":"WEB"})", 400, "malformed"},
    {"POST", "/v1/messages", boss, R"({"channel":"web","user":"u"})", 400,
     "malformed"},
    {"POST", "/v1/messages", boss, std::string(300'000, ' '), 413, "too_large"},
    {"GET",
     "/livez",
     {{"X-Long", std::string(20'000, 'x')}},
     "",
     431,
     "too_large"},
  };
  for (const auto& x : rows) {
    INFO(x.method << " " << x.target);
    auto headers = x.headers;
    headers.emplace_back("X-Request-Id", "req-1");
    const auto got =
      http_request_once(port, x.method, x.target, headers, x.body);
    REQUIRE(got);
    CHECK(got->status == x.status);
    CHECK(got->headers.at("content-type") == "application/problem+json");
    CHECK(!got->headers.at("x-request-id").empty());
    CHECK_THAT(got->body, Catch::Contains("\"type\":\"urn:switchboard:problem:"
                                          + x.code + "\""));
    CHECK_THAT(got->body,
               Catch::Contains("\"status\":" + std::to_string(x.status)));
    if (x.status != 413 && x.status != 431)
      CHECK_THAT(got->body, Catch::Contains("\"request_id\":\"req-1\""));
    if (x.status == 405)
      CHECK(!got->headers.at("allow").empty());
  }
  const auto garbage = tcp_exchange(port, "\x16\x03\x01 hello\r\n\r\n", 3s);
  REQUIRE(garbage);
  CHECK_THAT(*garbage, Catch::Contains("400 Bad Request"));
}

TEST_CASE("a message over HTTP is posted under its idempotency key",
          "[gateway]") {
  house h;
  const auto got = http_request_once(
    h.door->port(), "POST", "/v1/messages",
    {{"Authorization", "bearer " + token_of("ops", role::operator_)},
     {"Idempotency-Key", "m-1"}},
    R"({"channel":"web","user":"u1","text":"hi","metadata":{"page":"/a"}})");
  REQUIRE(got);
  CHECK(got->status == 201);
  CHECK(got->body
        == R"({"session":"77","seq":3,"duplicate":false,"id":"m-1"})");
  REQUIRE(h.actors.posted.size() == 1);
  CHECK(h.actors.posted[0].id.text == "m-1");
  CHECK(h.actors.posted[0].from == contact{"web", "u1"});
  CHECK(h.actors.posted[0].content == "hi");
  CHECK(h.actors.posted[0].metadata.size() == 1);
}

TEST_CASE("entries over HTTP are read in the bearer's name", "[gateway]") {
  house h;
  const auto read = [&](const std::string& who, role as) {
    return http_get(h.door->port(), "/v1/sessions/5/entries?after=8",
                    {{"Authorization", "Bearer " + token_of(who, as)}})
      .value();
  };
  const auto got = read("ada", role::agent);
  CHECK(got.status == 200);
  CHECK_THAT(got.body,
             Catch::StartsWith(R"({"session":"5","entries":[{"seq":9,)"));
  CHECK(h.actors.history_reader == "ada");
  CHECK(read("ops", role::operator_).status == 200);
  CHECK(h.actors.history_reader.empty());
}

TEST_CASE("a request that never ends is cut off", "[gateway]") {
  const house h;
  const auto text = GENERATE(
    std::string("GET /livez HTT"),
    std::string("POST /v1/messages HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"));
  CHECK(tcp_exchange(h.door->port(), text, 3s));
}

TEST_CASE("several requests share one connection", "[gateway]") {
  const house h;
  const auto got = tcp_exchange(
    h.door->port(),
    "GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /version HTTP/1.1\r\nHost: "
    "a\r\nConnection: close\r\n\r\n",
    3s);
  REQUIRE(got);
  CHECK_THAT(*got, Catch::Contains("ok\n"));
  CHECK_THAT(*got, Catch::Contains("0.1.0"));
}

TEST_CASE("the metrics pass promtool", "[gateway]") {
  house h;
  {
    auto desk = h.desk("ada");
    REQUIRE(desk.send(send_text(2, "hi")));
    REQUIRE(desk.receive(5s));
  }
  const auto got = http_get(h.door->port(), "/metrics").value();
  CHECK(got.headers.at("content-type")
        == "text/plain; version=0.0.4; charset=utf-8");
  CHECK_THAT(got.body, Catch::Contains("switchboard_sessions"));
  CHECK_THAT(got.body, Catch::Contains(
                         "switchboard_gateway_commands_total{command=\"send\","
                         "outcome=\"ok\"} 1"));
  const auto file = std::filesystem::temp_directory_path()
                    / ("switchboard-metrics-" + random_secret(4));
  std::ofstream{file} << got.body;
  const auto run = run_process(
    {{"sh", "-c", "promtool check metrics < '" + file.string() + "'"}});
  std::filesystem::remove(file);
  INFO(run.output);
  CHECK(run.exit_code == 0);
}

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

TEST_CASE("draining sends agents away with a time to come back", "[gateway]") {
  house h;
  auto desk = h.desk("ada");
  h.door->drain();
  CHECK(closed_with(desk) == 4503);
  CHECK_THAT(desk.close_reason(), Catch::StartsWith("draining; after_ms="));
  CHECK(becomes([&] { return h.door->agents() == 0; }));
}

TEST_CASE("a gateway stops with connections open in every state", "[gateway]") {
  auto limits = quick();
  limits.drain_time = 1s;
  house h{limits, 2};
  auto desk = h.desk("ada");
  auto unsigned_client = h.dial();
  h.actors.silent = true;
  auto waiting = h.dial();
  REQUIRE(waiting.send(
    agent_protocol::format(command{1, connect{token_of("bob"), {}, ""}})));
  REQUIRE(h.actors.screen("bob"));
  std::thread stopper([&] { h.door->stop(); });
  CHECK(closed_with(desk) == 4503);
  stopper.join();
  // A push that comes late finds nobody, and does no harm.
  h.actors.screen("ada")->show(push::typing{session_id{1}, ""});
  CHECK(h.actors.eventually([&] { return !h.actors.signed_out.empty(); }));
  CHECK(!http_get(h.door->port(), "/livez"));
}

TEST_CASE("more connections than allowed are turned away", "[gateway]") {
  fake_front actors;
  const auto verifier = make_token_verifier(keys()).value();
  gateway_options how;
  how.verifier = verifier.get();
  how.actors = &actors;
  how.connections_max = 2;
  const auto door = make_gateway(how).value();
  ws_client::options to;
  to.port = door->port();
  auto one = ws_client::connect(to);
  auto two = ws_client::connect(to);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(!ws_client::connect(to));
  one->cut();
  CHECK(becomes([&] { return door->connections() == 1; }));
  CHECK(ws_client::connect(to));
}

TEST_CASE("an address that cannot be listened on is an error", "[gateway]") {
  const house h;
  gateway_options how;
  fake_front actors;
  how.verifier = h.verifier.get();
  how.actors = &actors;
  how.port = h.door->port();
  CHECK(make_gateway(how).error().code == errc::unavailable);
  how.address = "nowhere";
  CHECK(make_gateway(how).error().code == errc::malformed);
}
