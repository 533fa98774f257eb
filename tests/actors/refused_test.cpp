// What the database cannot keep, on a real nats-server and a real PostgreSQL:
// it is refused or buried, and everybody else is served.
#include "tests/actors/live_node.hpp"

#include <array>

using namespace switchboard;
using switchboard::test::live_node;
using switchboard::test::somebody_on;

namespace {

struct bad_content : live_node {
  std::size_t buried_for(const contact& who) {
    const auto all = look->dead_letters(1000);
    must(all);
    std::size_t n = 0;
    for (const auto& x : *all)
      n += x.subject.find(who.user) != std::string::npos ? 1 : 0;
    return n;
  }

  void publish(const std::string& to, const std::string& bytes,
               const headers& with) {
    std::promise<result<void>> stored;
    wire->publish_stored(to, bytes, with,
                         [&](const result<void>& x) { stored.set_value(x); });
    must(stored.get_future().get());
  }
};

} // namespace

TEST_CASE_METHOD(bad_content,
                 "a reply with a NUL is refused and the session goes on",
                 "[live][refused]") {
  sign_in();
  const auto who = somebody_on("web");
  must(post(who, R"({"text":"hi"})"));
  const auto opened = accept_from(who);
  const auto send = [&](const std::string& id, const std::string& body) {
    return ask(ask::send{opened.session, opened.ownership, {id}, body});
  };
  const auto bad = send("a-1", std::string("a\0b", 3));
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().code == errc::malformed);
  const auto good = send("a-2", "good");
  must(good);
  must(post(somebody_on("web"), R"({"text":"somebody else"})"));
  const auto lines = look->entries(opened.session, 0, 100);
  must(lines);
  CHECK(lines->back().body == "good");
  CHECK(lines->back().seq == good->seq);
  check_invariants();
}

TEST_CASE_METHOD(bad_content,
                 "of two replies at once only the bad one is refused",
                 "[live][refused]") {
  sign_in();
  const auto who = somebody_on("web");
  must(post(who, R"({"text":"hi"})"));
  const auto opened = accept_from(who);
  std::array<std::promise<result<receipt>>, 20> told;
  for (std::size_t i = 0; i < told.size(); ++i)
    running->face().ask(
      {agent},
      ask::send{opened.session,
                opened.ownership,
                {"a-" + std::to_string(i)},
                i % 7 == 3 ? std::string("\0", 1)
                           : "line " + std::to_string(i)},
      [&, i](const result<receipt>& x) { told.at(i).set_value(x); });
  std::int32_t last = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto got = told.at(i).get_future().get();
    CHECK(got.has_value() == (i % 7 != 3));
    if (!got)
      continue;
    CHECK(got->seq > last); // In their order.
    last = got->seq;
  }
  check_invariants();
}

TEST_CASE_METHOD(bad_content,
                 "bytes that are no text are buried, and the lane goes on",
                 "[live][refused]") {
  const auto who = somebody_on("web");
  publish(subject::in(who), "\xff\xfe{", {{"Nats-Msg-Id", "web:\xff\xfe"}});
  publish(subject::in(who), R"({"text":"after"})", {});
  CHECK(eventually([&] {
    const auto lines = look->history(who, now() + std::chrono::hours{1}, 10);
    return lines && !lines->empty();
  }));
  CHECK(eventually([&] { return buried_for(who) == 1; }));
  start(); // And is not read again.
  publish(subject::in(who), R"({"text":"later"})", {});
  CHECK(eventually([&] {
    const auto lines = look->history(who, now() + std::chrono::hours{1}, 10);
    std::size_t said = 0;
    for (const auto& x : *lines)
      said += x.what.kind == entry_kind::customer ? 1 : 0;
    return said == 2;
  }));
  CHECK(buried_for(who) == 1);
  check_invariants();
}
