// Tokens that somebody else has signed with a private key of theirs, made here
// by OpenSSL as an identity provider makes them.
#include "gateways/auth/token.hpp"
#include "tests/gateways/print.hpp"

#include <catch2/catch.hpp>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>

using namespace switchboard;

namespace {

using key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

const time_point noon{std::chrono::hours{24 * 365 * 50}};

key make_key(const std::string& algorithm) {
  return {algorithm == "RS256" ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"),
          EVP_PKEY_free};
}

std::string public_pem(const key& of) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> to{BIO_new(BIO_s_mem()),
                                                     BIO_free};
  REQUIRE(PEM_write_bio_PUBKEY(to.get(), of.get()) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(to.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string base64url(const std::string& bytes) {
  constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const auto c : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFFFF;
    for (held += 8; held >= 6; held -= 6)
      out += letters[bits >> (held - 6) & 63];
  }
  if (held > 0)
    out += letters[bits << (6 - held) & 63];
  return out;
}

/// RFC 7518, 3.4: the two numbers of an ECDSA signature, 32 bytes each, where
/// OpenSSL writes ASN.1.
std::string plain_signature(const std::string& asn1) {
  const auto* at = reinterpret_cast<const unsigned char*>(asn1.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair{
    d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(asn1.size())),
    ECDSA_SIG_free};
  REQUIRE(pair);
  std::array<unsigned char, 64> out{};
  REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out.data(), 32) == 32);
  REQUIRE(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out.data() + 32, 32)
          == 32);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string sign(const key& with, const std::string& algorithm,
                 const std::string& text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> how{
    EVP_MD_CTX_new(), EVP_MD_CTX_free};
  REQUIRE(
    EVP_DigestSignInit(how.get(), nullptr, EVP_sha256(), nullptr, with.get())
    == 1);
  std::string out(512, '\0');
  auto size = out.size();
  REQUIRE(EVP_DigestSign(
            how.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
            reinterpret_cast<const unsigned char*>(text.data()), text.size())
          == 1);
  out.resize(size);
  return algorithm == "ES256" ? plain_signature(out) : out;
}

std::string token(const key& with, const std::string& algorithm,
                  const std::string& claims) {
  const auto text = base64url(R"({"alg":")" + algorithm + R"(","typ":"JWT"})")
                    + '.' + base64url(claims);
  return text + '.' + base64url(sign(with, algorithm, text));
}

std::string claims(time_point until) {
  return R"({"iss":"switchboard","aud":"switchboard","sub":"ada",)"
         R"("role":"agent","exp":)"
         + std::to_string(until.time_since_epoch().count() / 1000) + '}';
}

} // namespace

TEST_CASE("a token signed with the private half of our public key is taken",
          "[token]") {
  const auto algorithm = GENERATE(std::string("RS256"), std::string("ES256"));
  CAPTURE(algorithm);
  const auto theirs = make_key(algorithm);
  token_options how;
  how.public_key = public_pem(theirs);
  const auto verifier = make_token_verifier(how).value();
  const auto until = noon + std::chrono::hours{1};
  const auto good = token(theirs, algorithm, claims(until));

  SECTION("and names its bearer") {
    const auto got = verifier->verify(good, noon);
    REQUIRE(got);
    CHECK(got->subject == "ada");
    CHECK(got->as == role::agent);
    CHECK(got->until == until);
  }
  SECTION("but not for ever") {
    CHECK_FALSE(verifier->verify(good, until + std::chrono::minutes{1}));
  }
  SECTION("but not with another claim under the same signature") {
    const auto more =
      token(theirs, algorithm, claims(until + std::chrono::hours{99}));
    const auto body = good.find('.');
    const auto end = good.rfind('.');
    CHECK_FALSE(verifier->verify(good.substr(0, body)
                                   + more.substr(body, more.rfind('.') - body)
                                   + good.substr(end),
                                 noon));
  }
  SECTION("but not from somebody else's key") {
    const auto other = make_key(algorithm);
    CHECK_FALSE(verifier->verify(token(other, algorithm, claims(until)), noon));
  }
  SECTION("but not under the name of the other algorithm") {
    const auto stated = algorithm == "RS256" ? "ES256" : "RS256";
    const auto text =
      base64url(std::string(R"({"alg":")") + stated + R"(","typ":"JWT"})") + '.'
      + base64url(claims(until));
    CHECK_FALSE(verifier->verify(
      text + '.' + base64url(sign(theirs, algorithm, text)), noon));
  }
  SECTION("but not as an HMAC with the public key as its secret") {
    token_options forged;
    forged.secret = how.public_key;
    const auto fake =
      create_token(forged, {"ada", role::agent, std::chrono::hours{1}}, noon);
    REQUIRE(fake);
    CHECK_FALSE(verifier->verify(*fake, noon));
  }
}

TEST_CASE("a service with both keys takes tokens of either", "[token]") {
  const auto theirs = make_key("ES256");
  token_options how;
  how.public_key = public_pem(theirs);
  how.secret = "0123456789abcdef0123456789abcdef";
  const auto verifier = make_token_verifier(how).value();
  CHECK(verifier->verify(
    token(theirs, "ES256", claims(noon + std::chrono::hours{1})), noon));
  const auto ours = create_token(how, {"ada"}, noon);
  REQUIRE(ours);
  CHECK(verifier->verify(*ours, noon));
}
