#include "config/child_process.hpp"
#include "tests/gateways/print.hpp"
#include "tests/gateways/scripted_house.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace switchboard;
using namespace std::chrono_literals;
using namespace switchboard::testing;

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
