#include "gateways/auth/token.hpp"
#include "tests/gateways/print.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";
const time_point noon{std::chrono::hours{24 * 365 * 50}};

token_options options() {
  token_options out;
  out.secret = secret;
  return out;
}

std::string token_of(const token_options& how, duration lifetime,
                     role as = role::agent) {
  return create_token(how, {"ada", as, lifetime}, noon).value();
}

result<identity> check(const std::string& token, time_point at = noon) {
  return make_token_verifier(options()).value()->verify(token, at);
}

std::string why_not(const std::string& token, time_point at = noon) {
  const auto got = check(token, at);
  REQUIRE(!got);
  CHECK(got.error().code == errc::unauthorized);
  CHECK(got.error().detail.find(token.empty() ? "?" : token)
        == std::string::npos);
  return got.error().detail;
}

} // namespace

TEST_CASE("a token that we made names its bearer and role", "[token]") {
  const auto as =
    GENERATE(role::agent, role::supervisor, role::operator_, role::visitor);
  const auto got = check(token_of(options(), std::chrono::minutes{1}, as));
  REQUIRE(got);
  CHECK(got->subject == "ada");
  CHECK(got->as == as);
  CHECK(got->until == noon + std::chrono::minutes{1});
}

TEST_CASE("an expired token is refused with its age, after a leeway",
          "[token]") {
  const auto token = token_of(options(), std::chrono::minutes{1});
  CHECK(check(token, noon + std::chrono::seconds{89}));
  CHECK(why_not(token, noon + std::chrono::seconds{90})
        == "token expired 30 seconds ago");
  CHECK(why_not(token, noon + std::chrono::minutes{6})
        == "token expired 5 minutes ago");
}

TEST_CASE("a token of another key, issuer or audience is refused", "[token]") {
  auto other = options();
  other.secret = "ffffffffffffffffffffffffffffffff";
  CHECK(why_not(token_of(other, std::chrono::hours{1})).find("not signed")
        != std::string::npos);
  other = options();
  other.issuer = "somebody";
  CHECK(why_not(token_of(other, std::chrono::hours{1}))
        == "token was not issued by 'switchboard'");
  other = options();
  other.audience = "somebody";
  CHECK(why_not(token_of(other, std::chrono::hours{1}))
        == "token is not meant for 'switchboard'");
}

TEST_CASE("a tampered token is refused", "[token]") {
  const auto good = token_of(options(), std::chrono::hours{1});
  for (std::size_t i = 0; i < good.size(); i += 7) {
    auto bad = good;
    // The last bits of base64 carry nothing, so change a character by far.
    bad[i] = bad[i] == 'A' ? 'Q' : 'A';
    if (bad == good)
      continue;
    CHECK_FALSE(check(bad));
  }
}

TEST_CASE("a token without a signature is refused", "[token]") {
  // {"alg":"none"} . {"sub":"ada","role":"agent","exp":...}
  const auto bare = GENERATE(
    std::string(
      "eyJhbGciOiJub25lIn0."
      "eyJzdWIiOiJhZGEiLCJyb2xlIjoiYWdlbnQiLCJleHAiOjk5OTk5OTk5OTl9."),
    std::string("eyJhbGciOiJub25lIn0."
                "eyJzdWIiOiJhZGEiLCJyb2xlIjoiYWdlbnQiLCJleHAiOjk5OTk5OTk5OTl9"),
    std::string("eyJhbGciOiJOb05lIn0."
                "eyJzdWIiOiJhZGEiLCJyb2xlIjoiYWdlbnQiLCJleHAiOjk5OTk5OTk5OTl9."
                "AAAA"));
  why_not(bare);
}

TEST_CASE("a public key never serves as the secret of an HMAC", "[token]") {
  token_options theirs;
  theirs.secret = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END "
                  "PUBLIC KEY-----\n";
  const auto token = token_of(theirs, std::chrono::hours{1});
  REQUIRE(make_token_verifier(theirs).value()->verify(token, noon));
  token_options ours;
  ours.public_key = theirs.secret;
  CHECK_FALSE(make_token_verifier(ours).value()->verify(token, noon));
}

TEST_CASE("what is no token at all is refused", "[token]") {
  const auto text = GENERATE(
    std::string(""), std::string("x"), std::string("..."), std::string("a.b.c"),
    std::string("e30.e30.e30"), std::string(5000, 'a'), std::string("a\0b", 3),
    std::string("\xff\xfe.\xff.\xff"));
  const auto got = check(text);
  REQUIRE(!got);
  CHECK(got.error().code == errc::unauthorized);
}

TEST_CASE("a secret that is too short is refused with advice", "[token]") {
  auto how = options();
  how.secret = "short";
  CHECK(make_token_verifier(how).error().detail.find("at least 32")
        != std::string::npos);
  CHECK(create_token(how, {"ada"}, noon).error().code == errc::malformed);
  how.secret.clear();
  CHECK(make_token_verifier(how).error().code == errc::malformed);
}
