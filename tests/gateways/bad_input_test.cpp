// What senders and screens get wrong, at a whole node on live servers: each is
// told what was wrong, or buried with its reason; nothing else is harmed.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "bench/report.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "gateways/agent/protocol.hpp"
#include "tests/support/house.hpp"
#include "tests/support/show.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <unistd.h>

#include <future>
#include <set>

using namespace switchboard;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

std::unique_ptr<test::house>& kept_house() {
  static std::unique_ptr<test::house> all;
  return all;
}

/// One for all cases: servers take seconds to start.
test::house& house() {
  if (!kept_house())
    kept_house() = std::make_unique<test::house>();
  return *kept_house();
}

/// CAF cannot be taken down while the process exits: its thread-local logger
/// is gone by then.
struct last_out : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testRunEnded(const Catch::TestRunStats&) override {
    kept_house().reset();
  }
};
CATCH_REGISTER_LISTENER(last_out)

/// A message that cannot be taken.
struct bad_message {
  std::string name;
  std::string to; ///< "<channel>.<user>" as written in the subject.
  std::string bytes;
  std::string code;
  std::string id{}; ///< The header Nats-Msg-Id.
};

std::string replaced(std::string text, const std::string& what,
                     const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos;
       at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string protobuf(const std::string& content) {
  return codec::encode(
    inbound{.id = {"p-1"}, .from = {"web", "u1"}, .content = content});
}

std::string metadata_of(int fields) {
  std::string all;
  for (int i = 0; i < fields; ++i)
    all += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + R"(":"v")";
  return R"({"text":"x","metadata":{)" + all + "}}";
}

std::vector<bad_message> bad_messages() {
  const auto whole = protobuf("hello, this is a whole message");
  const auto nested = R"({"text":)" + std::string(5000, '[') + "}";
  return {
    {"empty", "web.u1", "", "malformed"},
    {"an empty object", "web.u1", "{}", "malformed"},
    {"without content", "web.u1", R"({"msg_id":"7"})", "malformed"},
    {"larger than all that is taken", "web.u1",
     R"({"text":")" + std::string(payload_bytes_max, 'x') + "\"}", "too_large"},
    {"with a content that is too long", "web.u1",
     R"({"text":")" + std::string(content_bytes_max + 1, 'x') + "\"}",
     "too_large"},
    {"Protobuf that was cut", "web.u1", whole.substr(0, whole.size() - 9),
     "malformed"},
    {"Protobuf with a length that lies", "web.u1", "\x22\xff\xff\xff\xff\x0f",
     "malformed"},
    {"neither Protobuf nor JSON", "web.u1", "\x07 just some text", "malformed"},
    {"Protobuf with wrong UTF-8", "web.u1", protobuf("\xc3\x28 broken"),
     "malformed"},
    {"Protobuf with a NUL", "web.u1", protobuf("before\0after"s), "malformed"},
    {"JSON with wrong UTF-8", "web.u1", "{\"text\":\"\xff\xfe\"}", "malformed"},
    {"JSON with half a surrogate", "web.u1", R"({"text":"\ud800"})",
     "malformed"},
    {"JSON with a NUL", "web.u1", R"({"text":"a\u0000b"})", "malformed"},
    {"JSON that was cut", "web.u1", R"({"text":"hel)", "malformed"},
    {"JSON of thousands of brackets", "web.u1", nested, "malformed"},
    {"a number for a text", "web.u1", R"({"text":7})", "malformed"},
    {"a channel in capitals", "WEB.u1", R"({"text":"x"})", "malformed"},
    {"a channel that is too long", std::string(33, 'c') + ".u1",
     R"({"text":"x"})", "malformed"},
    {"a user token of no base64", "web.b_!!!", R"({"text":"x"})", "malformed"},
    {"a user token that decodes to wrong UTF-8", "web.b_wyg", R"({"text":"x"})",
     "malformed"},
    {"a user in a second spelling", "web.b_dTE", R"({"text":"x"})",
     "malformed"},
    {"a user that is too long", "web." + std::string(65, 'u'),
     R"({"text":"x"})", "malformed"},
    {"a channel that is not the subject's", "web.u1",
     R"({"text":"x","channel":"app"})", "malformed"},
    {"a user who is not the subject's", "web.u1",
     R"({"text":"x","user_id":"u2"})", "malformed"},
    {"an id that is too long", "web.u1",
     R"({"text":"x","msg_id":")" + std::string(message_id_bytes_max + 1, 'i')
       + "\"}",
     "too_large"},
    {"an id that was used for something else", "web.twice",
     R"({"text":"another","msg_id":"m-1"})", "conflict"},
    {"a header with wrong UTF-8", "web.u1", R"({"text":"x"})", "malformed",
     "\xff\xfe"},
    {"a header that is too long", "web.u1", R"({"text":"x"})", "too_large",
     std::string(message_id_bytes_max + 6, 'i')},
    {"a user that is not UTF-8", "web.\xff\xfe", R"({"text":"x"})",
     "malformed"},
    {"a long user whose UTF-8 is cut for the message",
     "web.x" + replaced(std::string(100, '*'), "*", "\xc3\xa9"),
     R"({"text":"x"})", "malformed"},
    {"an unknown urgency", "web.u1", R"({"text":"x","urgency":9})",
     "malformed"},
    {"a time after the year 9999", "web.u1",
     R"({"text":"x","timestamp":"999999999999999"})", "malformed"},
    {"too many fields", "web.u1", metadata_of(65), "too_large"},
    {"a telephone number that is none", "web.u1",
     R"({"text":"x","verified_phone":"call me"})", "malformed"},
  };
}

bus::header_list headers_of(const bad_message& x) {
  if (x.id.empty())
    return {};
  return {{"Nats-Msg-Id", x.id}};
}

std::string field(const std::string& object, std::string_view name) {
  boost::system::error_code ec;
  const auto value = boost::json::parse(object, ec);
  if (ec || !value.is_object())
    return "not an object: " + object.substr(0, 200);
  const auto* x = value.get_object().if_contains(name);
  return x && x->is_string() ? std::string(x->get_string()) : "";
}

/// What has no place in a reply, or in a log: the payload.
bool shows_payload(const std::string& answer, const std::string& payload) {
  return payload.size() > 40 && answer.find(payload) != std::string::npos;
}

/// @returns the place of a good message: the node still serves
receipt say(const std::string& user, const std::string& text) {
  const auto got = codec::decode_receipt(
    house().post(subject::post({"web", user}), R"({"text":")" + text + "\"}"));
  REQUIRE(got);
  return *got;
}

std::int64_t memory_now() {
  return bench::memory_of(getpid()).now;
}

} // namespace

TEST_CASE("on the direct lane every bad message is answered with its problem",
          "[live][bad]") {
  auto& h = house();
  say("between", "first");
  REQUIRE(codec::decode_receipt(
    h.post("sb.v1.post.web.twice", R"({"text":"one","msg_id":"m-1"})")));
  std::int32_t seq = 2; // "queued"
  for (const auto& x : bad_messages()) {
    INFO(x.name);
    const auto answer = h.post("sb.v1.post." + x.to, x.bytes, headers_of(x));
    CHECK(field(answer, "code") == x.code);
    CHECK(field(answer, "detail").size() > 10);
    CHECK_FALSE(shows_payload(answer, x.bytes));
    // What comes between bad messages is neither lost nor delayed.
    CHECK(say("between", "good").seq == ++seq);
  }
  h.check_invariants();
}

TEST_CASE("a subject without a contact, or with too much, is told so at once",
          "[live][bad]") {
  auto& h = house();
  for (const auto* to : {"sb.v1.post.web", "sb.v1.post.web.u1.more"}) {
    INFO(to);
    CHECK(h.post(to, R"({"text":"x"})").starts_with("unavailable"));
  }
  for (const auto* to : {"sb.v1.in.web", "sb.v1.in.web.u1.more"}) {
    INFO(to);
    std::promise<result<void>> told;
    h.wire->publish_stored(to, R"({"text":"x"})", {},
                           [&](const result<void>& x) { told.set_value(x); });
    CHECK_FALSE(told.get_future().get());
  }
}

TEST_CASE("on the buffered lane every bad message is buried with its reason",
          "[live][bad]") {
  auto& h = house();
  const contact good{"web", "good-" + random_secret(4)};
  const auto publish = [&](const std::string& to, const std::string& bytes,
                           const bus::header_list& with = {}) {
    std::promise<result<void>> stored;
    h.wire->publish_stored(to, bytes, with,
                           [&](const result<void>& x) { stored.set_value(x); });
    REQUIRE(stored.get_future().get());
  };
  std::mutex mutex;
  std::multiset<std::string> copies; ///< By the last token: the code.
  const auto listening =
    h.wire->subscribe("sb.v1.dlq.SB_IN.*", "", [&](const bus::packet& x) {
      const std::lock_guard lock{mutex};
      copies.insert(std::string(x.subject.substr(x.subject.rfind('.') + 1)));
    });
  REQUIRE(listening);
  // A machine that is too busy answers 'overloaded', and then it is not known.
  REQUIRE(test::becomes([&] {
    return codec::decode_receipt(
             h.post("sb.v1.post.web.twice", R"({"text":"one","msg_id":"m-1"})"))
      .has_value();
  }));
  const auto all = bad_messages();
  for (const auto& x : all) {
    publish("sb.v1.in." + x.to, x.bytes, headers_of(x));
    publish(subject::in(good), R"({"text":"in between"})");
  }
  const auto buried = [&](const std::string& where) {
    const auto done = run_process(
      {.command = {"psql", h.servers.postgres.conninfo(), "-qtAc",
                   "SELECT count(*) FROM dead_letter WHERE " + where}});
    REQUIRE(done.exit_code == 0);
    return std::stoull(done.output);
  };
  CHECK(test::becomes([&] { return buried("true") >= all.size(); }));
  CHECK(buried("true") == all.size());
  std::multiset<std::string> expected;
  for (const auto& x : all) {
    INFO(x.name);
    expected.insert(x.code);
    // The letter keeps the bytes as they came.
    std::string hex;
    for (const unsigned char c : x.bytes.substr(0, 1000)) {
      constexpr std::string_view digits = "0123456789abcdef";
      hex += {digits[c >> 4], digits[c & 15]};
    }
    // What is not UTF-8 is kept only as far as the database can.
    const auto ascii = std::all_of(x.to.begin(), x.to.end(),
                                   [](signed char c) { return c > 0; });
    CHECK(buried("subject LIKE '%.in." + (ascii ? x.to : "web.%")
                 + "' AND length(payload) = " + std::to_string(x.bytes.size())
                 + " AND substr(payload, 1, 1000) = '\\x" + hex
                 + "' AND reason LIKE '" + x.code + ": %'")
          >= 1);
  }
  CHECK(test::becomes([&] {
    const std::lock_guard lock{mutex};
    return copies.size() >= expected.size();
  }));
  {
    const std::lock_guard lock{mutex};
    CHECK(copies == expected);
  }
  // Nothing between them was lost.
  CHECK(test::becomes([&] {
    const auto lines = h.look->history(
      good, std::chrono::time_point_cast<duration>(clock::now()) + 1h, 1000);
    return lines && lines->size() == all.size() + 1; // "queued"
  }));
  say("after", "still here");
  h.check_invariants();
}

TEST_CASE("a flood of bad messages takes no memory that stays", "[live][bad]") {
  auto& h = house();
  const auto huge = std::string(payload_bytes_max - 100, '\xff');
  const auto before = memory_now();
  std::atomic<int> answered{0};
  const auto inbox = h.wire->subscribe("_INBOX.flood", "",
                                       [&](const bus::packet&) { ++answered; });
  REQUIRE(inbox);
  std::int64_t highest = 0;
  int sent = 0;
  for (int i = 0; i < 2000; ++i) { // Half a gigabyte.
    const auto gone = h.wire->publish_request(
      "sb.v1.post.web.f" + std::to_string(i % 100), "_INBOX.flood", huge);
    sent += gone ? 1 : 0;
    if (i % 50 == 0) {
      // The flood is the node's to bear, not the buffer's of this client.
      CHECK(test::becomes([&] { return answered + 200 > sent; }));
      highest = std::max(highest, memory_now());
    }
  }
  CHECK(sent > 1000);
  CHECK(test::becomes([&] { return answered == sent; }));
  CHECK(highest - before < test::memory_bound(256 << 20));
  say("after", "still here");
}

// -- the socket ---------------------------------------------------------------

namespace {

struct bad_frame {
  std::string name;
  std::string text;
  std::string code;         ///< Of the error; empty: the connection ends.
  std::uint16_t close_code; ///< 0: it stays.
};

/// `%` stands for the session that li has, `#` for its ownership, `~` for the
/// one before.
std::vector<bad_frame> bad_frames() {
  const auto long_text = std::string(content_bytes_max + 1, 'x');
  std::string many;
  for (int i = 0; i < 257; ++i)
    many += "{\"pong\":{}}\n";
  return {
    {"empty", "", "", 4400},
    {"only blanks", " \n \n", "", 4400},
    {"not JSON", "hello", "", 4400},
    {"an array", "[1,2]", "", 4400},
    {"JSON that was cut", R"({"id":7,"send":{)", "", 4400},
    {"thousands of brackets", std::string(5000, '['), "", 4400},
    {"without an id", R"({"typing":{"session":"%"}})", "", 4400},
    {"an id that no number holds", R"({"id":1e99,"typing":{"session":"%"}})",
     "", 4400},
    {"more commands than the pace allows", many, "", 4429},
    {"larger than a frame may be", std::string(300 * 1024, ' '), "", 4413},
    {"wrong UTF-8", "{\"id\":7,\"send\":{\"body\":\"\xff\"}}", "", 1007},
    {"no command", R"({"id":7})", "malformed", 0},
    {"an unknown command", R"({"id":7,"explode":{}})", "malformed", 0},
    {"two commands at once", R"({"id":7,"hold":{},"pick":{}})", "malformed", 0},
    {"a command that is no object", R"({"id":7,"send":"hi"})", "malformed", 0},
    {"a command without its fields", R"({"id":7,"send":{}})", "malformed", 0},
    {"a session that is no number",
     R"({"id":7,"send":{"session":"x","ownership":1,"client_id":"a","body":"b"}})",
     "malformed", 0},
    {"a NUL in what is said",
     R"({"id":7,"send":{"session":"%","ownership":#,"client_id":"a","body":"\u0000"}})",
     "malformed", 0},
    {"too much at once",
     R"({"id":7,"send":{"session":"%","ownership":#,"client_id":"a","body":")"
       + long_text + "\"}}",
     "too_large", 0},
    {"an ownership of long ago",
     R"({"id":7,"send":{"session":"%","ownership":~,"client_id":"a","body":"late"}})",
     "stale_owner", 0},
    {"an ownership that will never be",
     R"({"id":7,"close":{"session":"%","ownership":9000000000000000000}})",
     "stale_owner", 0},
    {"a session that nobody knows",
     R"({"id":7,"send":{"session":"12345","ownership":1,"client_id":"a","body":"b"}})",
     "stale_owner", 0},
    {"an id that was used for something else",
     R"({"id":7,"send":{"session":"%","ownership":#,"client_id":"used","body":"other"}})",
     "conflict", 0},
    {"an offer that was never made",
     R"({"id":7,"offer.accept":{"session":"%","offer":99}})", "stale_owner", 0},
    {"a presence that nobody can ask for",
     R"({"id":7,"presence":{"state":"not_responding"}})", "malformed", 0},
    {"to sign in twice", R"({"id":7,"connect":{"token":"x"}})", "wrong_phase",
     0},
    {"history of more than is given",
     R"({"id":7,"history":{"session":"%","limit":100000}})", "malformed", 0},
  };
}

/// li has a session; ann is there, too.
struct desks {
  desks() {
    auto& h = house();
    li.emplace(h.desk("li"));
    const auto user = "c" + random_secret(6);
    REQUIRE(codec::decode_receipt(h.post(
      subject::post({"web", user}), R"({"text":"hello","queue":"desk-li"})")));
    const auto offer = test::receive_with(*li, R"("offer":{)");
    REQUIRE_FALSE(offer.empty());
    session = part(offer, R"("session":")");
    REQUIRE(li->send(R"({"id":2,"offer.accept":{"session":")" + session
                     + R"(","offer":)" + part(offer, R"("offer":)", 1) + "}}"));
    const auto opened = test::receive_with(*li, R"("state":"open")");
    ownership = std::stoll(part(opened, R"("ownership":)"));
    CHECK(send(*li, 3, ownership, "used", "what was meant").find("result")
          != std::string::npos);
  }

  /// What stands after the `nth` `key`, up to the next sign of JSON.
  static std::string part(const std::string& text, const std::string& key,
                          int nth = 0) {
    auto at = text.find(key);
    while (nth-- > 0)
      at = text.find(key, at + 1);
    REQUIRE(at != text.npos);
    at += key.size();
    return text.substr(at, text.find_first_of("\",}", at) - at);
  }

  [[nodiscard]] std::string send(ws_client& by, int id, std::int64_t as_owner,
                                 const std::string& client_id,
                                 const std::string& body) const {
    REQUIRE(by.send(agent_protocol::format(agent_protocol::command{
      id, agent_ask{ask::send{
            *parse_session_id(session), as_owner, {client_id}, body}}})));
    return test::receive_with(by, "{\"id\":" + std::to_string(id));
  }

  std::optional<ws_client> li;
  std::string session;
  std::int64_t ownership = 0;
};

} // namespace

TEST_CASE_METHOD(desks, "on the socket every bad frame has its error or close",
                 "[live][bad]") {
  auto& h = house();
  int id = 100;
  for (const auto& x : bad_frames()) {
    INFO(x.name);
    auto text = replaced(x.text, "%", session);
    text = replaced(text, "#", std::to_string(ownership));
    text = replaced(text, "~", std::to_string(ownership - 1));
    auto screen = h.desk("li");
    REQUIRE(screen.send(text));
    if (x.close_code != 0) {
      CHECK(test::closed_with(screen) == x.close_code);
    } else {
      const auto answer = test::receive_with(screen, R"({"id":7,)");
      CHECK(answer.find(R"("error")") != std::string::npos);
      CHECK(answer.find(R"("code":")" + x.code + '"') != std::string::npos);
      // And this screen goes on working.
      ++id;
      CHECK(send(screen, id, ownership, "again-" + std::to_string(id), "ok")
              .find("result")
            != std::string::npos);
    }
  }
  // The screen that was there all the time has not noticed anything.
  CHECK(send(*li, ++id, ownership, "last", "ok").find("result")
        != std::string::npos);
  h.check_invariants();
}

TEST_CASE_METHOD(desks, "who does not own a session can neither speak nor read",
                 "[live][bad]") {
  auto ann = house().desk("ann");
  CHECK(send(ann, 7, ownership, "not-mine", "hello").find("stale_owner")
        != std::string::npos);
  REQUIRE(ann.send(R"({"id":8,"history":{"session":")" + session + "\"}}"));
  CHECK(test::receive_with(ann, R"({"id":8,)").find("forbidden")
        != std::string::npos);
  REQUIRE(ann.send(R"({"id":9,"typing":{"session":")" + session + "\"}}"));
  CHECK(test::receive_with(ann, R"({"id":9,)").find("stale_owner")
        != std::string::npos);
}

TEST_CASE_METHOD(desks, "binary frames, floods and bad tokens end a connection",
                 "[live][bad]") {
  auto& h = house();
  SECTION("binary") {
    auto screen = h.desk("li");
    REQUIRE(screen.send_binary("\x01\x02"));
    CHECK(test::closed_with(screen) == 4400);
  }
  SECTION("a flood") {
    auto screen = h.desk("li");
    for (int i = 0; i < 2000; ++i)
      if (!screen.send(R"({"id":)" + std::to_string(i) + R"(,"explode":{}})"))
        break;
    CHECK(test::closed_with(screen) == 4429);
  }
  SECTION("a token that is none") {
    auto screen = h.dial();
    REQUIRE(screen.send(R"({"id":1,"connect":{"token":"a.b.c"}})"));
    CHECK(test::closed_with(screen) == 4401);
  }
  SECTION("an agent who is not known") {
    auto screen = h.dial();
    REQUIRE(screen.send(R"({"id":1,"connect":{"token":")" + h.token_of("nobody")
                        + "\"}}"));
    CHECK(test::closed_with(screen) == 4403);
  }
  SECTION("an operator has no desk") {
    auto screen = h.dial();
    REQUIRE(screen.send(R"({"id":1,"connect":{"token":")"
                        + h.token_of("li", role::operator_) + "\"}}"));
    CHECK(test::closed_with(screen) == 4403);
  }
  SECTION("anything before signing in") {
    auto screen = h.dial();
    REQUIRE(screen.send(R"({"id":1,"pick":{"session":")" + session + "\"}}"));
    CHECK(test::closed_with(screen) == 4400);
  }
  SECTION("more sessions to resume than anybody has") {
    auto screen = h.dial();
    std::string from;
    for (int i = 1; i < 1100; ++i)
      from += (i > 1 ? ",\"" : "\"") + std::to_string(i) + "\":1";
    REQUIRE(screen.send(R"({"id":1,"connect":{"token":")" + h.token_of("li")
                        + R"(","resume":{)" + from + "}}}"));
    CHECK(test::closed_with(screen) == 4400);
  }
  // The agent's other screen is not harmed.
  CHECK(
    send(*li, 20, ownership, "after-" + random_secret(4), "ok").find("result")
    != std::string::npos);
}
