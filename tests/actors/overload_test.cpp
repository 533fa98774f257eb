// More than a node can do at the moment: who asks is told so at once, memory
// stays bounded, and nothing that was accepted is lost.
#include "bench/report.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "tests/support/house.hpp"
#include "tests/support/show.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <unistd.h>

#include <atomic>
#include <csignal>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

constexpr int admitted_max = 2000;
constexpr int direct_messages = 20'000;
constexpr int buffered_messages = 3000;

/// PostgreSQL stands still as long as this lives.
class frozen {
public:
  explicit frozen(local_postgres& server) : server_(server) {
    server_.signal(SIGSTOP);
  }
  ~frozen() { server_.signal(SIGCONT); }
  frozen(const frozen&) = delete;
  frozen& operator=(const frozen&) = delete;

private:
  local_postgres& server_;
};

std::int64_t count(const test::house& h, const std::string& what) {
  const auto done =
    run_process({.command = {"psql", h.servers.postgres.conninfo(), "-qtAc",
                             "SELECT count(*) FROM " + what}});
  REQUIRE(done.exit_code == 0);
  return std::stoll(done.output);
}

/// What a crowd of senders is told.
struct told {
  std::atomic<int> receipts{0};
  std::atomic<int> overloaded{0};
  std::atomic<int> others{0};

  void take(const bus::packet& x) {
    if (codec::decode_receipt(x.bytes))
      ++receipts;
    else if (x.bytes.find(R"("code":"overloaded")") != std::string_view::npos)
      ++overloaded;
    else
      ++others;
  }
};

void post_all(const test::house& h, const std::string& inbox) {
  const std::string text(1000, 'x');
  for (int i = 0; i < direct_messages; ++i) {
    const inbound what{.id = {"d-" + std::to_string(i)},
                       .from = {"web", "u" + std::to_string(i % 500)},
                       .content = text};
    const auto sent = h.wire->publish_request(subject::post(what.from), inbox,
                                              codec::encode(what));
    REQUIRE(sent);
  }
}

void publish_all(const test::house& h) {
  std::atomic<int> stored{0};
  for (int i = 0; i < buffered_messages; ++i) {
    const inbound what{.id = {"b-" + std::to_string(i)},
                       .from = {"app", "u" + std::to_string(i % 100)},
                       .content = "kept"};
    h.wire->publish_stored(subject::in(what.from), codec::encode(what), {},
                           [&](const result<void>& x) { stored += x ? 1 : 0; });
  }
  REQUIRE(test::becomes([&] { return stored == buffered_messages; }));
}

} // namespace

TEST_CASE(
  "with the database frozen senders are told 'overloaded', and what was "
  "accepted is kept",
  "[live][overload]") {
  test::house h{[](node::options& how) {
    how.in_flight_max = admitted_max;
    // Nobody who freezes the database may lose the slots by it: a node without
    // its lease would give another answer.
    how.leases.lease_time = 60s;
    how.leases.restraint_time = 50s;
  }};
  told heard;
  const auto inbox = h.wire->subscribe(
    "_INBOX.crowd", "", [&](const bus::packet& x) { heard.take(x); });
  REQUIRE(inbox);
  {
    const frozen still{h.servers.postgres};
    const auto before = bench::memory_of(getpid()).now;
    post_all(h, "_INBOX.crowd");
    CHECK(test::becomes(
      [&] { return heard.overloaded == direct_messages - admitted_max; }));
    CHECK(heard.receipts == 0); // Nothing is confirmed before its commit.
    CHECK(heard.others == 0);
    publish_all(h);
    CHECK(bench::memory_of(getpid()).now - before
          < test::memory_bound(128 << 20));
    // The node itself does not stand still.
    CHECK(http_get(h.door->port(), "/livez")->status == 200);
    CHECK(http_get(h.door->port(), "/metrics")->status == 200);
  }
  CHECK(test::becomes([&] { return heard.receipts == admitted_max; }));
  CHECK(count(h, "entry WHERE source_id LIKE 'd-%'") == admitted_max);
  // The buffered lane was paused, and reads on.
  CHECK(test::becomes([&] {
    return count(h, "entry WHERE source_id LIKE 'b-%'") == buffered_messages;
  }));
  CHECK(heard.others == 0);
  CHECK(codec::decode_receipt(
    h.post("sb.v1.post.web.later", R"({"text":"and now?"})")));
  h.check_invariants();
}

TEST_CASE("a screen that does not read is cut off, holds up nobody, and misses "
          "nothing when it is back",
          "[live][overload]") {
  test::house h;
  auto made =
    ws_client::connect({.port = h.door->port(), .receive_buffer_bytes = 4096});
  REQUIRE(made);
  auto& slow = *made;
  const auto sign_in = [&](ws_client& to, const std::string& resume) {
    REQUIRE(to.send(R"({"id":1,"connect":{"token":")" + h.token_of("li")
                    + R"(","resume":{)" + resume + "}}}"));
  };
  sign_in(slow, "");
  const auto first =
    h.post("sb.v1.post.web.big", R"({"text":"hello","queue":"desk-li"})");
  const auto place = codec::decode_receipt(first);
  REQUIRE(place);
  const auto session = to_string(place->session);
  const auto offer =
    boost::json::parse(test::receive_with(slow, R"("offer":{)"));
  REQUIRE(slow.send(
    R"({"id":2,"offer.accept":{"session":")" + session + R"(","offer":)"
    + boost::json::serialize(offer.at("push").at("offer").at("offer")) + "}}"));
  REQUIRE_FALSE(test::receive_with(slow, R"("state":"open")").empty());
  // From here on it reads nothing: the customer does not notice.
  const auto line = R"({"text":")" + std::string(60'000, 'y') + "\"}";
  std::int32_t last = 0;
  for (int i = 0; i < 200; ++i) {
    const auto got = codec::decode_receipt(h.post("sb.v1.post.web.big", line));
    REQUIRE(got);
    last = got->seq;
  }
  CHECK(test::closed_with(slow) == 4429);
  auto back = h.dial();
  sign_in(back, '"' + session + "\":3");
  std::int32_t seen = 3;
  while (seen < last) {
    const auto next = test::receive_with(back, R"("entry":{)");
    INFO("seen " << seen << " of " << last << ", close code "
                 << back.close_code());
    REQUIRE_FALSE(next.empty());
    REQUIRE(boost::json::parse(next).at("push").at("entry").at("seq").as_int64()
            == seen + 1);
    ++seen;
  }
  h.check_invariants();
}
