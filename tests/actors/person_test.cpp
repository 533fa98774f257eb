// One person on two channels, on a real nats-server and a real PostgreSQL.
#include "tests/actors/live_node.hpp"

using namespace switchboard;
using switchboard::test::live_node;
using switchboard::test::somebody_on;

namespace {

struct one_person : live_node {
  one_person() : live_node(in_china()) {}

  static node::options in_china() {
    auto how = servers().options();
    how.persons.country = "86";
    return how;
  }

  /// "13800138000" in many spellings, but each test its own.
  std::string number = "138" + digits(8);
  contact web = somebody_on("web");
  contact chat = somebody_on("wechat");

  static std::string digits(std::size_t count) {
    std::string all;
    for (const auto c : random_secret(count))
      if (all.size() < count)
        all.push_back(static_cast<char>('0' + c % 10));
    return all;
  }

  std::string proving(const std::string& text, const std::string& phone) {
    return R"({"text":")" + text + R"(","metadata":{"verified_phone":")" + phone
           + R"("}})";
  }

  customer_id customer_of(session_id of) {
    const auto row = look->session(of);
    must(row);
    return row->has_value() ? (*row)->customer : customer_id{};
  }

  std::vector<std::string> lines_seen(session_id of) {
    std::vector<std::string> all;
    for (const auto& x : person(of))
      if (x.what.kind == entry_kind::customer)
        all.push_back(x.channel + ' ' + x.what.body);
    return all;
  }
};

using lines = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(one_person,
                 "an agent sees what a person wrote on another channel",
                 "[live][person]") {
  sign_in();
  const auto first = post(web, proving("from the web", "+86 " + number));
  must(first);
  accept_from(web);
  REQUIRE(eventually([&] { return !customer_of(first->session).empty(); }));
  const auto second = post(chat, proving("from the chat", '0' + number));
  must(second);
  const auto opened = accept_from(chat);
  REQUIRE(eventually([&] { return !customer_of(second->session).empty(); }));
  CHECK(customer_of(first->session) == customer_of(second->session));
  CHECK(opened.customer == customer_of(first->session));
  CHECK(lines_seen(second->session)
        == lines{"web from the web", "wechat from the chat"});
  CHECK(lines_seen(first->session) == lines_seen(second->session));
  check_invariants();
}

TEST_CASE_METHOD(one_person, "a separated contact stays apart",
                 "[live][person]") {
  sign_in();
  must(post(web, proving("one", number)));
  accept_from(web);
  const auto second = post(chat, proving("two", number));
  must(second);
  accept_from(chat);
  REQUIRE(eventually([&] {
    return lines_seen(second->session) == lines{"web one", "wechat two"};
  }));
  const auto own = look->separate(chat);
  must(own);
  CHECK(lines_seen(second->session) == lines{"wechat two"});
  start();
  screen = std::make_shared<test::watching_screen>();
  screen->has(second->session, 1000);
  sign_in();
  must(post(chat, proving("three", number)));
  const auto looked_up = [&] {
    const auto open = look->contacts(*own);
    return open && open->size() == 1;
  };
  CHECK(eventually(looked_up));
  CHECK(lines_seen(second->session) == lines{"wechat two", "wechat three"});
}

TEST_CASE_METHOD(one_person,
                 "somebody who proves nothing is joined with nobody",
                 "[live][person]") {
  sign_in();
  const auto first =
    post(web, R"({"text":"hi","metadata":{"phone":"+8613800138000"}})");
  must(first);
  const auto opened = accept_from(web);
  CHECK(opened.customer.empty());
  CHECK(lines_seen(first->session) == lines{"web hi"});
  CHECK(customer_of(first->session).empty());
}

TEST_CASE_METHOD(one_person,
                 "an address proven in the middle of a conversation counts",
                 "[live][person]") {
  sign_in();
  const auto first = post(web, R"({"text":"hi"})");
  must(first);
  accept_from(web);
  CHECK(customer_of(first->session).empty());
  must(post(web, proving("it is me", number)));
  CHECK(eventually([&] { return !customer_of(first->session).empty(); }));
}
