#include "actors/domain/person.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace switchboard;
using person::normal_email;
using person::normal_phone;

namespace {

struct row {
  const char* written;
  const char* normal; ///< nullptr: joins nobody.
};

std::string shown(const std::optional<std::string>& x) {
  return x.value_or("nothing");
}

/// A text that looks a little like an address.
std::string scribble(std::mt19937& dice, std::string_view of) {
  std::string to;
  const auto length = std::uniform_int_distribution<std::size_t>{0, 24}(dice);
  std::uniform_int_distribution<std::size_t> any{0, of.size() - 1};
  while (to.size() < length)
    to.push_back(of[any(dice)]);
  return to;
}

inbound said_by(const contact& who) {
  inbound x;
  x.from = who;
  return x;
}

} // namespace

TEST_CASE("a telephone number has one normal form", "[person]") {
  const row table[] = {
    {"+8613800138000", "+8613800138000"},
    {"+86 138 0013 8000", "+8613800138000"},
    {"0086-138-0013-8000", "+8613800138000"},
    {"tel:+86-138-0013-8000", "+8613800138000"},
    {"TEL:+86138 00138000;phone-context=x", "+8613800138000"},
    {"  +49 (0)30 / 1234.56  ", "+4930123456"},
    {"+44 (0) 20", nullptr},                  // Too short.
    {"+123456", nullptr},                     // 6 digits.
    {"+1234567", "+1234567"},                 // 7 digits.
    {"+123456789012345", "+123456789012345"}, // 15 digits.
    {"+1234567890123456", nullptr},           // 16 digits.
    {"+0123456789", nullptr},                 // No country begins with 0.
    {"13800138000", nullptr},                 // Of which country?
    {"", nullptr},
    {"+", nullptr},
    {"00", nullptr},
    {"+49 30 CALL ME", nullptr},
    {"+49+30123456", nullptr},
    {"+49301234567 ext 5", nullptr},
    {"ann@example.com", nullptr},
  };
  for (const auto& x : table) {
    INFO(x.written);
    CHECK(shown(normal_phone(x.written, ""))
          == (x.normal ? x.normal : "nothing"));
  }
}

TEST_CASE("a number without a country is one of the default country",
          "[person]") {
  const row table[] = {
    {"13800138000", "+8613800138000"},
    {"013800138000", "+8613800138000"},
    {"138-0013-8000", "+8613800138000"},
    {"+49 30 123456", "+4930123456"}, // Has its own.
    {"0049 30 123456", "+4930123456"},
    {"1234", nullptr},
    {"0", nullptr},
    {"", nullptr},
    {"  ", nullptr},
  };
  for (const auto& x : table) {
    INFO(x.written);
    CHECK(shown(normal_phone(x.written, "86"))
          == (x.normal ? x.normal : "nothing"));
  }
}

TEST_CASE("an e-mail address has one normal form", "[person]") {
  const row table[] = {
    {"ann@example.com", "ann@example.com"},
    {"ann@EXAMPLE.Com", "ann@example.com"},
    {"Ann.Lee+x@example.com", "Ann.Lee+x@example.com"},
    {" mailto:ann@example.com ", "ann@example.com"},
    {"MailTo:ann@example.com", "ann@example.com"},
    {"ann@example.com.", "ann@example.com"},
    {"ann@localhost", "ann@localhost"},
    {"安@例子.cn", "安@例子.cn"},
    {"", nullptr},
    {"ann", nullptr},
    {"@example.com", nullptr},
    {"ann@", nullptr},
    {"ann@@example.com", nullptr},
    {"ann@b@example.com", nullptr},
    {"ann @example.com", nullptr},
    {"ann@exa mple.com", nullptr},
    {".ann@example.com", nullptr},
    {"ann..lee@example.com", nullptr},
    {"ann@.example.com", nullptr},
    {"ann@example..com", nullptr},
    {"Ann <ann@example.com>", nullptr},
    {"a@example.com,b@example.com", nullptr},
    {"ann@example.com\n", nullptr},
  };
  for (const auto& x : table) {
    INFO(x.written);
    CHECK(shown(normal_email(x.written)) == (x.normal ? x.normal : "nothing"));
  }
  const auto local = std::string(64, 'a');
  CHECK(normal_email(local + "@example.com").has_value());
  CHECK_FALSE(normal_email(local + "a@example.com").has_value());
  CHECK_FALSE(normal_email("a@" + std::string(253, 'b')).has_value());
}

TEST_CASE("what is normal stays as it is", "[person]") {
  std::mt19937 dice{20261121};
  int phones = 0;
  int emails = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto number = scribble(dice, "+0123456789 -(0)/.;tel:0000123");
    for (const auto* country : {"", "86", "1"})
      if (const auto once = normal_phone(number, country)) {
        ++phones;
        // Also where the default country is another.
        if (normal_phone(*once, "49") != once)
          FAIL("'" << number << "' -> '" << *once << "'");
      }
    const auto mail = scribble(dice, "aBc@@..x-Z: mailto");
    if (const auto once = normal_email(mail)) {
      ++emails;
      if (normal_email(*once) != once)
        FAIL("'" << mail << "' -> '" << *once << "'");
    }
  }
  CHECK(phones > 10'000);
  CHECK(emails > 1'000);
}

TEST_CASE("what the sender verified counts before what the channel shows",
          "[person]") {
  auto x = said_by({"sms", "+49 30 111111"});
  CHECK(person::verified_in(x, {}) == person::addresses{"+4930111111", ""});
  x.metadata = {{"verified_email", "Ann@Example.com"},
                {"verified_phone", "+49 30 222222"}};
  CHECK(person::verified_in(x, {})
        == person::addresses{"+4930222222", "Ann@example.com"});
  x.phone = "+4930333333";
  x.email = "ann@example.org";
  CHECK(person::verified_in(x, {})
        == person::addresses{"+4930333333", "ann@example.org"});
}

TEST_CASE("what a customer says of themselves proves nothing", "[person]") {
  auto x = said_by({"web", "ann@example.com"});
  x.metadata = {{"email", "ann@example.com"}, {"phone", "+4930111111"}};
  x.content = "my e-mail is ann@example.com";
  CHECK(person::verified_in(x, {}).empty());
}

TEST_CASE("the users of a channel are addresses only where it is said so",
          "[person]") {
  const person::rules rules{
    .country = "86", .phone_channels = {"call"}, .email_channels = {"post"}};
  CHECK(person::verified_in(said_by({"call", "13800138000"}), rules)
        == person::addresses{"+8613800138000", ""});
  CHECK(person::verified_in(said_by({"post", "a@B.c"}), rules)
        == person::addresses{"", "a@b.c"});
  CHECK(person::verified_in(said_by({"sms", "+8613800138000"}), rules).empty());
  CHECK(person::verified_in(said_by({"call", "nobody"}), rules).empty());
}

TEST_CASE("an address that cannot be read gives way to the next", "[person]") {
  auto x = said_by({"sms", "+4930111111"});
  x.metadata = {{"verified_phone", "unknown"}};
  CHECK(person::verified_in(x, {}).phone == "+4930111111");
}
