#include "bus/codec.hpp"

#include "bus/subject.hpp"

#include "tests/support/show.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace switchboard;

namespace {

const contact who{"web", "u1"};

inbound full() {
  inbound x;
  x.id = {"m-1"};
  x.from = who;
  x.content = "我要退款";
  x.sent_at = time_point{duration{1'700'000'000'123}};
  x.metadata = {{"page", "/cart"}};
  x.want.queue = {"after-sale"};
  x.want.language = "zh";
  x.want.skills = {"refund"};
  x.want.urgency = urgency_class::vip;
  x.phone = "+8613800138000";
  x.email = "a@example.org";
  return x;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char c : bytes) {
    text += "0123456789abcdef"[c >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text;
}

error refused(std::string_view bytes, std::string_view id = "") {
  const auto got = codec::decode_inbound(bytes, who, id);
  REQUIRE_FALSE(got);
  return got.error();
}

} // namespace

TEST_CASE("the bytes of v1 never change", "[codec]") {
  CHECK(hex(codec::encode(full()))
        == "0a036d2d311203776562"
           "1a0275312"
           "20ce68891e8a681e98080e6acbe"
           "28fbd095ffbc31320d0a04706167"
           "6512052f63617274820"
           "10a61667465722d73616c65"
           "8a01027a689201067265667"
           "56e64980101a2010e2b383631"
           "33383030313338303030aa010d61406578616d706c652e6f7267");
  CHECK(
    codec::encode_json(full())
    == R"({"msgId":"m-1","channel":"web","userId":"u1","content":"我要退款",)"
       R"("timestamp":"1700000000123","metadata":{"page":"/cart"},)"
       R"("queue":"after-sale","language":"zh","skills":["refund"],)"
       R"("urgency":"URGENCY_VIP","verifiedPhone":"+8613800138000",)"
       R"("verifiedEmail":"a@example.org"})");
}

TEST_CASE("what was encoded is decoded to the same", "[codec]") {
  const auto bytes =
    GENERATE(codec::encode(full()), codec::encode_json(full()));
  const auto got = codec::decode_inbound(bytes, who, "");
  REQUIRE(got);
  CHECK(*got == full());
}

TEST_CASE("the shorthand and both spellings of names are read", "[codec]") {
  const auto hi = codec::decode_inbound(R"({"text":"hi"})", who, "");
  REQUIRE(hi);
  CHECK(hi->content == "hi");
  CHECK(hi->id.empty());
  CHECK(hi->want == needs{});
  const auto snake = codec::decode_inbound(
    R"({"msg_id":"7","user_id":"u1","content":"x","timestamp":5,)"
    R"("urgency":3,"language":"zh-Hant-TW","unknown":[1],"queue":null})",
    who, "");
  REQUIRE(snake);
  CHECK(snake->id.text == "7");
  CHECK(snake->sent_at.time_since_epoch().count() == 5);
  CHECK(snake->want.urgency == urgency_class::relaxed);
  CHECK(snake->want.language == "zh");
}

TEST_CASE("the header's id wins, with or without its channel", "[codec]") {
  const std::string x = R"({"msgId":"inner","text":"hi"})";
  CHECK(codec::decode_inbound(x, who, "web:9")->id.text == "9");
  CHECK(codec::decode_inbound(x, who, "9")->id.text == "9");
  CHECK(codec::decode_inbound(x, who, "app:9")->id.text == "app:9");
  CHECK(codec::decode_inbound(x, who, "")->id.text == "inner");
}

TEST_CASE("a refusal names the field", "[codec]") {
  struct row {
    std::string bytes;
    errc code;
    std::string names;
  };
  std::string pairs;
  for (std::size_t i = 0; i <= metadata_fields_max; ++i)
    pairs += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":\"v\"";
  std::string skills = "\"s\"";
  for (int i = 0; i < 16; ++i)
    skills += ",\"s\"";
  const auto json = [](std::string x) { return R"({"text":"x",)" + x + "}"; };
  const auto t = GENERATE_COPY(values<row>({
    {"", errc::malformed, "payload"},
    {"{", errc::malformed, "JSON"},
    {"{}", errc::malformed, "content"},
    {R"({"text":7})", errc::malformed, "text"},
    {R"({"text":"a\u0000b"})", errc::malformed, "content"},
    {"{\"text\":\"\xff\"}", errc::malformed, "JSON"},
    {"\x22\x01\xff", errc::malformed, "content"},
    {"\x12\x01\xc0", errc::malformed, "channel"},
    {"hello", errc::malformed, "payload"},
    {json(R"("channel":"app")"), errc::malformed, "channel"},
    {json(R"("userId":"u2")"), errc::malformed, "user_id"},
    {json(R"("timestamp":-1)"), errc::malformed, "timestamp"},
    {json(R"("timestamp":"x")"), errc::malformed, "timestamp"},
    {json(R"("timestamp":1.5)"), errc::malformed, "timestamp"},
    {json(R"("timestamp":253402300800000)"), errc::malformed, "timestamp"},
    {json(R"("urgency":4)"), errc::malformed, "urgency"},
    {json(R"("urgency":"soon")"), errc::malformed, "urgency"},
    {json(R"("metadata":{"a":1})"), errc::malformed, "metadata.a"},
    {json(R"("metadata":{"":"a"})"), errc::malformed, "metadata"},
    {json("\"metadata\":{" + pairs + "}"), errc::too_large, "metadata"},
    {json(R"("skills":"refund")"), errc::malformed, "skills"},
    {json("\"skills\":[" + skills + "]"), errc::too_large, "skills"},
    {json(R"("language":"z h")"), errc::malformed, "language"},
    {json(R"("verifiedPhone":"138")"), errc::malformed, "verified_phone"},
    {json(R"("verifiedEmail":"a@")"), errc::malformed, "verified_email"},
    {json("\"msgId\":\"" + std::string(129, 'x') + "\""), errc::too_large,
     "msg_id"},
    {R"({"text":")" + std::string(content_bytes_max + 1, 'x') + "\"}",
     errc::too_large, "content"},
    {std::string(payload_bytes_max + 1, '{'), errc::too_large, "payload"},
  }));
  const auto e = refused(t.bytes);
  CAPTURE(e.detail);
  CHECK(e.code == t.code);
  CHECK(e.detail.find(t.names) != std::string::npos);
}

TEST_CASE("limits are inclusive", "[codec]") {
  const auto content = std::string(content_bytes_max, 'x');
  CHECK(codec::decode_inbound("{\"text\":\"" + content + "\"}", who, ""));
  CHECK(codec::decode_inbound(R"({"text":"x","timestamp":253402300799999})",
                              who,
                              "web:" + std::string(message_id_bytes_max, 'x')));
}

TEST_CASE("a receipt is read as it was written", "[codec]") {
  const receipt x{{123456789012345678}, 7, true};
  CHECK(codec::encode_receipt(x)
        == R"({"session":"123456789012345678","seq":7,"duplicate":true})");
  CHECK(*codec::decode_receipt(codec::encode_receipt(x)) == x);
  for (const auto* bad :
       {"", "[]", "{}", R"({"session":7,"seq":1})", R"({"session":"7"})",
        R"({"session":"7","seq":0})", R"({"session":"7","seq":2147483648})",
        R"({"session":"7","seq":1,"duplicate":1})"})
    CHECK(codec::decode_receipt(bad).error().code == errc::malformed);
}

TEST_CASE("a problem follows RFC 9457", "[codec]") {
  CHECK(codec::encode_problem(fail(errc::stale_owner, "say \"what\""))
        == R"({"type":"urn:switchboard:problem:stale_owner",)"
           R"("title":"The session has changed hands","status":409,)"
           R"("code":"stale_owner","detail":"say \"what\""})");
}

TEST_CASE("an outgoing line can be read by any channel", "[codec]") {
  entry line;
  line.seq = 3;
  line.kind = entry_kind::agent;
  line.author = "a1";
  line.body = "您好";
  line.at = time_point{duration{9}};
  CHECK(codec::encode_out({42}, who, line)
        == R"({"msgId":"42-3","channel":"web","userId":"u1","content":"您好",)"
           R"("timestamp":"9","metadata":{"kind":"agent","seq":"3",)"
           R"("session":"42"}})");
}

TEST_CASE("users that are no token are written in base64url", "[subject]") {
  CHECK(subject::user_token("u-1_A") == "u-1_A");
  CHECK(subject::user_token("b_x") == "b_Yl94");
  CHECK(subject::user_token("用户") == "b_55So5oi3");
  CHECK(subject::user_token(std::string(65, 'x')).starts_with("b_"));
  for (const std::string user : {"u1", "b_", "a.b", "用户 1", "x y z", ""})
    if (const auto back = subject::parse_user_token(subject::user_token(user)))
      CHECK(*back == user);
    else
      CHECK(user.empty());
  for (const auto* bad : {"", "b_", "a b", "b_A", "b_dTE", "b_Yl95=", "b_/w",
                          "b__w", "b_AA", "b_Yl9z.x"})
    CHECK_FALSE(subject::parse_user_token(bad));
}

TEST_CASE("an ingress subject is read or refused with a reason", "[subject]") {
  const auto got = subject::parse_ingress("sb.v1.slot.7.in.web.b_55So5oi3");
  REQUIRE(got);
  CHECK(got->by == subject::lane::in);
  CHECK(got->slot == 7);
  CHECK(got->from == contact{"web", "用户"});
  for (const auto* bad : {"", "sb.v1.post.web.u1", "sb.v1.slot.64.in.web.u1",
                          "sb.v1.slot.-1.in.web.u1", "sb.v1.slot.x.in.web.u1",
                          "sb.v1.slot.7.cmd.web.u1", "sb.v1.slot.7.in.Web.u1",
                          "sb.v1.slot.7.in.web", "sb.v1.slot.7.in.web.u1.x",
                          "sb.v1.slot.7.in.web.a+b"})
    CHECK(subject::parse_ingress(bad).error().code == errc::malformed);
}

TEST_CASE("every subject is spelled as documented", "[subject]") {
  CHECK(subject::post({"web", "u1"}) == "sb.v1.post.web.u1");
  CHECK(subject::in({"web", "a.b"}) == "sb.v1.in.web.b_YS5i");
  CHECK(subject::out({"web", "u1"}) == "sb.v1.out.web.u1");
  CHECK(subject::slot_post_pattern(7) == "sb.v1.slot.7.post.>");
  CHECK(subject::slot_in_pattern(63) == "sb.v1.slot.63.in.>");
  CHECK(subject::event("session", "assigned", "9")
        == "sb.v1.evt.session.assigned.9");
  CHECK(subject::dead_letter("SB_IN", "malformed")
        == "sb.v1.dlq.SB_IN.malformed");
  CHECK(subject::service("router", "explain") == "sb.v1.svc.router.explain");
}
