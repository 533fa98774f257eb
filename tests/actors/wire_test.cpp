#include "actors/cluster/archive.hpp"
#include "actors/cluster/wire.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

namespace {

/// What an older version of this program knew of a thing, and what a newer one
/// does.
struct old_thing {
  std::int32_t number = 0;
};
struct new_thing {
  std::int32_t number = 0;
  std::string text = "default";
};

template <class A>
void fields(A& a, old_thing& x) {
  a(x.number);
}
template <class A>
void fields(A& a, new_thing& x) {
  a(x.number, x.text);
}

template <class T>
std::string packed(const T& x) {
  wire::packer to;
  to(x, std::int64_t{-7});
  return to.take();
}

/// There and back.
wire::parcel sent(letter what) {
  const auto got = wire::decode_parcel(
    wire::encode(wire::parcel{5, {"n1"}, 9, std::move(what)}));
  REQUIRE(got.has_value());
  CHECK(got->slot == 5);
  CHECK(got->from.text == "n1");
  CHECK(got->number == 9);
  return *got;
}

} // namespace

TEST_CASE("a new member keeps its default when an old node writes", "[wire]") {
  const auto bytes = packed(old_thing{42});
  wire::unpacker from{bytes};
  new_thing x;
  std::int64_t after = 0;
  from(x, after);
  CHECK(from.good());
  CHECK(x.number == 42);
  CHECK(x.text == "default");
  CHECK(after == -7);
}

TEST_CASE("a new member is skipped when an old node reads", "[wire]") {
  const auto bytes = packed(new_thing{42, "new"});
  wire::unpacker from{bytes};
  old_thing x;
  std::int64_t after = 0;
  from(x, after);
  CHECK(from.good());
  CHECK(x.number == 42);
  CHECK(after == -7);
}

TEST_CASE("a job for a session arrives as it left", "[wire]") {
  const session::transfer_asked ask{{"li"}, 3, {{}, queue_id{"tech"}}, "vip"};
  const auto got = sent(for_session{{77}, job{ask, {}}, 2});
  const auto& to = std::get<for_session>(got.what);
  CHECK(to.session.value == 77);
  CHECK(to.hops == 2);
  const auto& what = std::get<session::transfer_asked>(to.what.what);
  CHECK(what.agent.text == "li");
  CHECK(what.ownership == 3);
  CHECK_FALSE(what.target.agent);
  REQUIRE(what.target.queue);
  CHECK(what.target.queue->text == "tech");
  CHECK(what.note == "vip");
}

TEST_CASE("a customer's message arrives as it left", "[wire]") {
  inbound said{.id = {"m-1"},
               .from = {"web", "u1"},
               .content = "您好",
               .sent_at = time_point{duration{1234567}},
               .metadata = {{"a", "b"}, {"c", ""}}};
  said.want = {{"tech"}, "zh", {"refund"}, urgency_class::vip};
  const auto got = sent(from_gateway{job{session::customer_said{said}, {}}});
  CHECK(
    std::get<session::customer_said>(std::get<from_gateway>(got.what).what.what)
      .what
    == said);
}

TEST_CASE("a proposal brings its decision record", "[wire]") {
  decision why;
  why.session = {5};
  why.chosen = {"li"};
  why.candidates.push_back({.agent = {"li"}, .match = 900'000, .rank = 1});
  const auto got =
    sent(for_agent{{"li"},
                   agent::event{agent::proposed{
                     {5}, 1000, true, std::make_shared<const decision>(why)}}});
  const auto& what = std::get<agent::proposed>(
    std::get<agent::event>(std::get<for_agent>(got.what).what));
  CHECK(what.pick);
  REQUIRE(what.why);
  CHECK(*what.why == why);
}

TEST_CASE("a screen's push and an answer arrive as they left", "[wire]") {
  push::entry_added line{{9}, {.seq = 4, .body = "hi", .id = {"c-1"}}};
  const auto shown =
    wire::decode_shown(wire::encode(wire::shown{1, 2, line, "why"}));
  REQUIRE(shown.has_value());
  CHECK(shown->binding == 2);
  REQUIRE(shown->what);
  CHECK(std::get<push::entry_added>(*shown->what).line == line.line);
  const auto good =
    wire::decode_answer(wire::encode(wire::answer{8, receipt{{9}, 4, true}}));
  REQUIRE(good.has_value());
  REQUIRE(good->what.has_value());
  CHECK(*good->what == receipt{{9}, 4, true});
  const auto bad = wire::decode_answer(
    wire::encode(wire::answer{8, fail(errc::stale_owner, "gone")}));
  REQUIRE(bad.has_value());
  REQUIRE(bad->what.has_error());
  CHECK(bad->what.error() == fail(errc::stale_owner, "gone"));
}

TEST_CASE("what concerns a customer's screens arrives as it left", "[wire]") {
  const contact who{"web", "u1"};
  const auto here = sent(visitor_here{who, "n2/ab", {}, 1});
  CHECK(std::get<visitor_here>(here.what).who == who);
  CHECK(std::get<visitor_here>(here.what).home == "n2/ab");
  CHECK(std::get<visitor_here>(here.what).hops == 1);
  const auto gone = sent(visitor_gone{who, "n2/ab", 0});
  CHECK(std::get<visitor_gone>(gone.what).home == "n2/ab");
  const auto sign = sent(for_visitor{who, visit::read{{9}, 4}, 0});
  const auto& read =
    std::get<visit::read>(std::get<for_visitor>(sign.what).what);
  CHECK(read.session.value == 9);
  CHECK(read.seq == 4);
  const entry line{.seq = 4, .body = "hi", .id = {"c-1"}};
  const auto said = wire::decode_visited(
    wire::encode(wire::visited{who, visit::said{{9}, line}}));
  REQUIRE(said.has_value());
  CHECK(said->who == who);
  CHECK(std::get<visit::said>(said->what).what == line);
  const auto stands = wire::decode_visited(
    wire::encode(wire::visited{who, visit::standing{{9}, 7, "Li"}}));
  REQUIRE(stands.has_value());
  CHECK(std::get<visit::standing>(stands->what).last_seq == 7);
  CHECK(std::get<visit::standing>(stands->what).agent == "Li");
  const auto place = wire::decode_visited(wire::encode(wire::visited{
    who,
    visit::place{{9}, 3, std::chrono::seconds{60}, std::chrono::seconds{90}}}));
  REQUIRE(place.has_value());
  CHECK(std::get<visit::place>(place->what).position == 3);
  CHECK(std::get<visit::place>(place->what).wait_min
        == std::chrono::seconds{60});
  CHECK(std::get<visit::place>(place->what).wait_max
        == std::chrono::seconds{90});
}

TEST_CASE("the reply of a letter is found and replaced", "[wire]") {
  int called = 0;
  letter x = for_agent{
    {"li"}, asked{ask::pick{{3}}, [&](const result<receipt>&) { ++called; }}};
  wire::reply_of(x)(receipt{});
  CHECK(called == 1);
  wire::set_reply(x, [&](const result<receipt>&) { called += 10; });
  wire::reply_of(x)(receipt{});
  CHECK(called == 11);
  CHECK_FALSE(wire::reply_of(letter{agent_claims{{3}, {"li"}}}));
}

TEST_CASE("no bytes of another node bring the reader down", "[wire]") {
  router::session_waiting waits;
  waits.session = {3};
  waits.channel = "web";
  waits.excluded = {{"a"}, {"b"}};
  const auto good = wire::encode(wire::parcel{5, {"n1"}, 9, for_router{waits}});
  for (std::size_t n = 0; n < good.size(); ++n)
    static_cast<void>(wire::decode_parcel(good.substr(0, n)));
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const auto c : {0, 1, 127, 128, 255}) {
      auto bad = good;
      bad[i] = static_cast<char>(c);
      static_cast<void>(wire::decode_parcel(bad));
    }
  CHECK_FALSE(wire::decode_parcel("").has_value());
  CHECK_FALSE(wire::decode_parcel("\x02").has_value());
}
