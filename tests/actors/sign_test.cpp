#include "actors/sign.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

TEST_CASE("a customer's typing and reading are understood") {
  const auto typing = read_sign("sb.v1.typing.web.u1", "");
  REQUIRE(typing.has_value());
  CHECK(typing->who == contact{"web", "u1"});
  CHECK_FALSE(typing->what.read.has_value());
  const auto read = read_sign("sb.v1.read.wechat.b_5oKo", R"({"seq":5})");
  REQUIRE(read.has_value());
  CHECK(read->who == contact{"wechat", "\xE6\x82\xA8"});
  CHECK(read->what.read == 5);
}

TEST_CASE("a sign that says nothing sensible is refused") {
  const auto [subject, bytes] = GENERATE(table<std::string, std::string>(
    {{"sb.v1.typing.Web.u1", ""},
     {"sb.v1.typing.web", ""},
     {"sb.v2.typing.web.u1", ""},
     {"sb.v1.read.web.u1", ""},
     {"sb.v1.read.web.u1", "5"},
     {"sb.v1.read.web.u1", "{}"},
     {"sb.v1.read.web.u1", R"({"seq":0})"},
     {"sb.v1.read.web.u1", R"({"seq":"5"})"},
     {"sb.v1.read.web.u1", R"({"seq":3000000000})"}}));
  CAPTURE(subject, bytes);
  const auto got = read_sign(subject, bytes);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::malformed);
}
