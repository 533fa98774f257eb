#include "config/log_line.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <random>

using namespace switchboard;
using namespace std::chrono_literals;

TEST_CASE("an event is one line of JSON with its session in a field", "[log]") {
  CHECK(log_line(1'795'333'327'125ms, "warning", "session 7: queued seq=1")
        == R"({"time":"2026-11-22T07:42:07.125Z","level":"warning",)"
           R"("session":"7","message":"session 7: queued seq=1"})"
           "\n");
  CHECK(log_line(0ms, "info", "agent li: on \"break\"\nnow")
        == R"({"time":"1970-01-01T00:00:00.000Z","level":"info","agent":"li",)"
           R"("message":"agent li: on \"break\"\nnow"})"
           "\n");
  // A sentence that only begins with the same word is about nobody.
  CHECK(
    log_line(0ms, "info", "session keys are new: look").find(R"("session":)")
    == std::string::npos);
}

TEST_CASE("whatever a message holds, its line stays one line and valid JSON",
          "[log]") {
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    std::string message{round % 2 == 0 ? "session 7: " : ""};
    for (auto left = random() % 24; left > 0; --left)
      message +=
        static_cast<char>(random() % 4 == 0 ? random() % 32 : random() % 256);
    const auto line = log_line(0ms, "info", message);
    CAPTURE(round, line);
    REQUIRE(line.find('\n') == line.size() - 1);
    boost::system::error_code ec;
    const auto read = boost::json::parse(line, ec);
    REQUIRE(!ec);
    REQUIRE(read.at("message").is_string());
  }
  // A whole character is kept, a broken one is marked.
  CHECK(log_line(0ms, "info", "\xE6\x82\xA8\xE6\x82")
          .find("\xE6\x82\xA8\xEF\xBF\xBD")
        != std::string::npos);
}
