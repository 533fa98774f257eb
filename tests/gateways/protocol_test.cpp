#include "gateways/agent/protocol.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace switchboard;
using namespace switchboard::agent_protocol;

namespace {

const time_point noon{std::chrono::milliseconds{1'795'262'400'123}};

parsed parse_one(const std::string& text) {
  auto all = parse_frame(text);
  REQUIRE(all.size() == 1);
  return all.front();
}

} // namespace

TEST_CASE("every command survives being written and read", "[protocol]") {
  using c = agent::presence;
  const session_id s{9'007'199'254'740'993}; // No double can hold it.
  const std::vector<request> all{
    connect{"t.o.k", {{s, 4}, {session_id{2}, 0}}, "tab-1"},
    agent_ask{ask::send{s, 3, {"c1"}, "line\nwith \"quotes\" 你好"}},
    agent_ask{ask::note{s, {"c2"}, "careful"}},
    agent_ask{ask::accept{s, 5}},
    agent_ask{ask::decline{s, 5, "lunch"}},
    agent_ask{ask::presence{c::busy, "call", c::on_break}},
    agent_ask{ask::transfer{s, 3, {agent_id{"bob"}, {}}, "knows tax"}},
    agent_ask{ask::transfer{s, 3, {{}, queue_id{"tech"}}, ""}},
    agent_ask{ask::hold{s, 3}},
    agent_ask{ask::resume{s, 3}},
    agent_ask{ask::close{s, 3, "solved"}},
    agent_ask{ask::wrapped_up{s, "solved"}},
    agent_ask{ask::pick{s}},
    agent_ask{ask::typing{s}},
    agent_ask{ask::read{s, 12}},
    history{s, 4, {}, 50},
    history{s, 0, 40, 50},
    person{s, noon, 20},
    person{s, {}, 20},
    pong{},
  };
  std::set<std::string_view> names;
  for (const auto& what : all) {
    const auto text = format(command{7, what});
    INFO(text);
    const auto got = parse_one(text);
    REQUIRE(std::holds_alternative<command>(got));
    CHECK(std::get<command>(got).id == 7);
    CHECK(format(std::get<command>(got)) == text);
    CHECK(text.find("\"" + std::string(name_of(what)) + "\"")
          != std::string::npos);
    names.insert(name_of(what));
  }
  CHECK(names.size() == std::variant_size_v<agent_ask> + 4);
}

TEST_CASE("every push reads as documented", "[protocol]") {
  const session_id s{42};
  const contact who{"web", "u1"};
  needs want;
  want.language = "zh";
  want.skills = {"tax"};
  struct row {
    agent_push what;
    std::string text;
    bool may_drop;
  };
  const std::vector<row> rows{
    {push::offer{s, 5, noon, who, want, "hi", "speaks zh"},
     R"({"push":{"offer":{"session":"42","offer":5,"until":"2026-11-21T12:00:00.123Z","from":{"channel":"web","user":"u1"},"want":{"queue":"default","urgency":"normal","language":"zh","skills":["tax"]},"preview":"hi","why":"speaks zh"}}})",
     false},
    {push::offer_ended{s, 5, "timed out"},
     R"({"push":{"offer.end":{"session":"42","offer":5,"reason":"timed out"}}})",
     false},
    {push::session_opened{s, 3, "active", who, customer_id{"c9"}, {}, 8, true},
     R"({"push":{"session":{"state":"open","session":"42","ownership":3,"phase":"active","from":{"channel":"web","user":"u1"},"want":{"queue":"default","urgency":"normal"},"last_seq":8,"answered":true,"customer":"c9"}}})",
     false},
    {push::session_changed{s, 4, "held"},
     R"({"push":{"session":{"state":"owner","session":"42","ownership":4,"phase":"held"}}})",
     false},
    {push::session_ended{s, "closed"},
     R"({"push":{"session":{"state":"closed","session":"42","reason":"closed"}}})",
     false},
    {push::entry_added{s,
                       {9, entry_kind::agent, "", "ada", "hi", {"m1"}, noon}},
     R"({"push":{"entry":{"seq":9,"kind":"agent","at":"2026-11-21T12:00:00.123Z","author":"ada","id":"m1","body":"hi","session":"42"}}})",
     false},
    {push::typing{s, ""}, R"({"push":{"typing":{"session":"42","author":""}}})",
     true},
    {push::read{s, 5}, R"({"push":{"read":{"session":"42","seq":5}}})", true},
    {push::presence{agent::presence::online, "", agent::presence::on_break},
     R"({"push":{"presence":{"state":"online","next":"break"}}})", true},
    {push::queue_lines{{{queue_id{"tech"}, 3, noon}}},
     R"({"push":{"queue":{"waiting":3,"lines":[{"queue":"tech","waiting":3,"oldest":"2026-11-21T12:00:00.123Z"}]}}})",
     true},
    {push::reminder{s, noon},
     R"({"push":{"reminder":{"session":"42","waiting_since":"2026-11-21T12:00:00.123Z"}}})",
     false},
  };
  CHECK(rows.size() == std::variant_size_v<agent_push>);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].what.index() == i);
    CHECK(format(rows[i].what) == rows[i].text);
    CHECK(droppable(rows[i].what) == rows[i].may_drop);
  }
}

TEST_CASE("a bad command with an id is told what is wrong", "[protocol]") {
  struct row {
    const char* text;
    const char* part;
  };
  const auto [text, part] = GENERATE(
    row{R"({"id":1})", "no command"},
    row{R"({"id":1,"dance":{}})", "no command of this name"},
    row{R"({"id":1,"send":{},"note":{}})", "one command"},
    row{R"({"id":1,"send":[]})", "must be an object"},
    row{R"({"id":1,"send":{}})", "session is missing"},
    row{R"({"id":1,"send":{"session":12}})", "session must be a string"},
    row{R"({"id":1,"send":{"session":"x"}})", "session must be"},
    row{R"({"id":1,"send":{"session":"-1"}})", "session must be"},
    row{R"({"id":1,"send":{"session":"99999999999999999999"}})", "session"},
    row{R"({"id":1,"send":{"session":"1"}})", "ownership is missing"},
    row{R"({"id":1,"send":{"session":"1","ownership":1.5}})", "whole number"},
    row{R"({"id":1,"send":{"session":"1","ownership":1}})", "client_id"},
    row{R"({"id":1,"send":{"session":"1","ownership":1,"client_id":"c"}})",
        "body is missing"},
    row{
      R"({"id":1,"send":{"session":"1","ownership":1,"client_id":"c","body":""}})",
      "body must not be empty"},
    row{
      R"({"id":1,"send":{"session":"1","ownership":1,"client_id":"c","body":"a\u0000b"}})",
      "U+0000"},
    row{R"({"id":1,"presence":{"state":"asleep"}})", "state must be"},
    row{R"({"id":1,"presence":{"state":"not_responding"}})", "state must be"},
    row{R"({"id":1,"transfer":{"session":"1","ownership":1}})", "target"},
    row{
      R"({"id":1,"transfer":{"session":"1","ownership":1,"target":{"agent":"a","queue":"q"}}})",
      "target"},
    row{R"({"id":1,"read":{"session":"1","seq":-1}})", "seq must be"},
    row{R"({"id":1,"read":{"session":"1","seq":4294967296}})", "seq must be"},
    row{R"({"id":1,"history":{"session":"1","limit":0}})", "limit"},
    row{R"({"id":1,"history":{"session":"1","after":1,"before":2}})",
        "exclude"},
    row{R"({"id":1,"person":{"session":"1","before":"yesterday"}})", "time"},
    row{R"({"id":1,"connect":{}})", "token is missing"},
    row{R"({"id":1,"connect":{"token":"t","resume":[1]}})", "resume"},
    row{R"({"id":1,"connect":{"token":"t","resume":{"x":1}}})", "resume"});
  INFO(text);
  const auto got = parse_one(text);
  REQUIRE(std::holds_alternative<refusal>(got));
  const auto& why = std::get<refusal>(got);
  CHECK(why.id == 1);
  CHECK_THAT(why.why.detail, Catch::Contains(part));
  CHECK_THAT(format_error(1, why.why),
             Catch::StartsWith(R"({"id":1,"error":{"type":"urn:switchboard:)"));
}

TEST_CASE("what is no command is refused without an id", "[protocol]") {
  const auto text = GENERATE(
    std::string(""), std::string(" \n\r\n"), std::string("hello"),
    std::string("{"), std::string("[]"), std::string("7"), std::string("null"),
    std::string(R"({"send":{}})"), std::string(R"({"id":"1","send":{}})"),
    std::string(R"({"id":-1,"send":{}})"),
    std::string(R"({"id":1.5,"send":{}})"),
    std::string(R"({"id":9007199254740992,"send":{}})"),
    std::string("{\"id\":1,\"send\":{\"body\":\"\xff\"}}"),
    std::string(R"({"id":1,"send":{"body":"\ud800"}})"),
    std::string(R"({"id":1,"pong":{}} x)"), std::string(200'000, '['),
    std::string(300'000, ' '));
  const auto got = parse_one(text);
  REQUIRE(std::holds_alternative<refusal>(got));
  CHECK(!std::get<refusal>(got).id);
  CHECK(!std::get<refusal>(got).why.detail.empty());
}

TEST_CASE("a body over the limit is too large, one at the limit is not",
          "[protocol]") {
  const auto send = [](std::size_t bytes) {
    return parse_one(format(command{
      1,
      agent_ask{ask::send{session_id{1}, 1, {"c"}, std::string(bytes, 'x')}}}));
  };
  CHECK(std::holds_alternative<command>(send(content_bytes_max)));
  const auto got = send(content_bytes_max + 1);
  REQUIRE(std::holds_alternative<refusal>(got));
  CHECK(std::get<refusal>(got).why.code == errc::too_large);
}

TEST_CASE("a frame holds several commands, and not too many", "[protocol]") {
  const std::string one = "{\"id\":1,\"pong\":{}}\n";
  CHECK(parse_frame(one + "\r\n" + one + one).size() == 3);
  std::string many;
  for (std::size_t i = 0; i <= commands_per_frame_max; ++i)
    many += one;
  const auto got = parse_frame(many);
  REQUIRE(got.size() == commands_per_frame_max + 1);
  CHECK(std::holds_alternative<refusal>(got.back()));
}

TEST_CASE("no bytes crash the parser", "[protocol]") {
  std::mt19937 random{7};
  const std::string good =
    format(command{1, agent_ask{ask::transfer{
                        session_id{1}, 1, {agent_id{"a"}, {}}, "note \"x\""}}});
  for (int i = 0; i < 20'000; ++i) {
    auto bad = good;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % bad.size();
      if (random() % 3 == 0)
        bad.erase(at, 1 + random() % 5);
      else
        bad[at] = static_cast<char>(random());
      if (bad.empty())
        break;
    }
    CHECK(!parse_frame(bad).empty());
  }
}

TEST_CASE("times survive being written and read", "[protocol]") {
  CHECK(parse_time(format_time(noon)) == noon);
  CHECK(parse_time("2026-11-21T12:00:00Z")
        == noon - std::chrono::milliseconds{123});
  const auto bad =
    GENERATE("", "2026", "2026-11-21T12:00:00", "2026-02-30T12:00:00Z",
             "2026-11-21T25:00:00Z", "2026-11-21T12:00:00.1Z",
             "2026-11-21 12:00:00Z", "2026-11-21T12:00:0xZ");
  CHECK(!parse_time(bad));
}
