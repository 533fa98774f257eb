#include "gateways/agent/send_queue.hpp"
#include "gateways/http/rate_limit.hpp"
#include "gateways/http/routes.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace std::chrono_literals;

TEST_CASE("a rate limit allows its burst, then its rate", "[limits]") {
  rate_limit pace{10, 5};
  rate_limit::time now{1h};
  for (int i = 0; i < 5; ++i)
    CHECK(pace.take(now));
  CHECK_FALSE(pace.take(now));
  CHECK_FALSE(pace.take(now + 99ms));
  CHECK(pace.take(now + 100ms));
  CHECK_FALSE(pace.take(now + 100ms));
  // After a rest the burst is there again, and no more than the burst.
  now += 1h;
  int taken = 0;
  while (pace.take(now))
    ++taken;
  CHECK(taken == 5);
}

TEST_CASE("a send queue joins what waits into frames of bounded size",
          "[limits]") {
  send_queue q{{100, 1000, 1000}};
  for (const auto* x : {"aaaa", "bbbb", "cccc"})
    CHECK(q.push(x, false));
  CHECK(q.take(9) == "aaaa\nbbbb");
  CHECK(q.bytes() == 4);
  q.push_front("first");
  CHECK(q.take(100) == "first\ncccc");
  CHECK(q.take(100).empty());
  CHECK(q.bytes() == 0);
  CHECK(q.push(std::string(50, 'x'), false));
  CHECK(q.take(10).size() == 50);
}

TEST_CASE("a full send queue drops what may be, then overflows for good",
          "[limits]") {
  send_queue q{{4, 1000, 1000}};
  CHECK(q.take(10).empty()); // Caught up: the small limits hold.
  CHECK(q.push("t1", true));
  CHECK(q.push("m1", false));
  CHECK(q.push("t2", true));
  CHECK(q.push("m2", false));
  CHECK(q.push("t3", true));
  CHECK(q.dropped() == 3);
  CHECK(q.objects() == 2);
  CHECK(q.push("m3", false));
  CHECK(q.push("m4", false));
  CHECK_FALSE(q.push("m5", false));
  CHECK(q.overflowed());
  CHECK(q.bytes() == 0);
  CHECK_FALSE(q.push("m6", false));
}

TEST_CASE("a send queue allows more until a new screen has caught up",
          "[limits]") {
  send_queue q{{4, 10, 50}};
  for (int i = 0; i < 10; ++i)
    CHECK(q.push("12345", false));
  CHECK_FALSE(q.push("1", false));
}

TEST_CASE("a queue lags from the moment that it is half full", "[gateway]") {
  send_queue q{{4, 10, 50}};
  CHECK(q.push(std::string(25, 'x'), false));
  CHECK_FALSE(q.lags()); // Until it ran empty it may hold 50 bytes.
  CHECK(q.push("x", false));
  CHECK(q.lags());
  while (!q.take(100).empty())
    ;
  CHECK_FALSE(q.lags());
  CHECK(q.push("12345", false));
  CHECK_FALSE(q.lags());
  CHECK(q.push("6", false));
  CHECK(q.lags());
}

TEST_CASE("only listed and own origins may connect from a browser",
          "[limits]") {
  const std::vector<std::string> allowed{"https://desk.example"};
  CHECK(origin_allowed("", "h:1", {}));
  CHECK(origin_allowed("http://h:1", "h:1", {}));
  CHECK(origin_allowed("https://desk.example", "h:1", allowed));
  CHECK(origin_allowed("https://any.example", "h:1", {"*"}));
  CHECK_FALSE(origin_allowed("https://desk.example", "h:1", {}));
  CHECK_FALSE(origin_allowed("https://desk.example.evil", "h:1", allowed));
  CHECK_FALSE(origin_allowed("http://h:2", "h:1", allowed));
  CHECK_FALSE(origin_allowed("null", "", allowed));
}

TEST_CASE("ids from outside are taken over only when they are sane",
          "[limits]") {
  CHECK(sane_id("abc-DEF_1.2") == "abc-DEF_1.2");
  CHECK(sane_id("a b").empty());
  CHECK(sane_id(std::string(65, 'a')).empty());
  CHECK(trace_id_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        == "0af7651916cd43dd8448eb211c80319c");
  CHECK(trace_id_of("00-xyz").empty());
}
