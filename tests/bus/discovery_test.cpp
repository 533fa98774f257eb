#include "bus/discovery.hpp"

#include "bus/memory/memory_bus.hpp"
#include "tests/support/show.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace std::chrono_literals;

TEST_CASE("a service answers ping, info and stats under its three names",
          "[bus][discovery]") {
  const auto b = make_memory_bus();
  const auto made =
    make_discovery(*b, {"router",
                        "n1",
                        "0.1.0",
                        "Explains choices.",
                        {{"explain", "sb.v1.svc.router.explain"}}});
  REQUIRE(made);
  (*made)->served(0, 10ns);
  const auto late = fail(errc::unavailable);
  (*made)->served(0, 20ns, &late);
  for (const std::string last : {"", ".router", ".router.n1"}) {
    CHECK(b->request("$SRV.PING" + last, "", 5s)->bytes
          == R"({"name":"router","id":"n1","version":"0.1.0","metadata":{},)"
             R"("type":"io.nats.micro.v1.ping_response"})");
    CHECK(b->request("$SRV.INFO" + last, "", 5s)->bytes
          == R"({"name":"router","id":"n1","version":"0.1.0","metadata":{},)"
             R"("type":"io.nats.micro.v1.info_response",)"
             R"("description":"Explains choices.","endpoints":[)"
             R"({"name":"explain","subject":"sb.v1.svc.router.explain",)"
             R"("queue_group":"q","metadata":{}}]})");
    const auto stats = b->request("$SRV.STATS" + last, "", 5s)->bytes;
    CAPTURE(stats);
    CHECK(stats.find(R"("num_requests":2,"num_errors":1,)"
                     R"("last_error":"503:unavailable","processing_time":30,)"
                     R"("average_processing_time":15)")
          != std::string::npos);
  }
  CHECK_FALSE(b->request("$SRV.PING.other", "", 5s));
}

TEST_CASE("a service with a bad name is refused", "[bus][discovery]") {
  const auto b = make_memory_bus();
  CHECK(make_discovery(*b, {"a.b", "n1", "0.1.0", "", {}}).error().code
        == errc::malformed);
}
