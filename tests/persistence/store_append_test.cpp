// The append as every store must do it: all or nothing for each session, in
// order, once, and only by the owner of the slot.
#include "tests/persistence/stores.hpp"

using namespace switchboard;
using namespace switchboard::test;

namespace {

template <class Backend>
struct appending : store_contract<Backend> {
  conversation talk{.id = {1001}, .who = {"web", "u1"}};
  conversation other{.id = {1002}, .who = {"web", "u2"}};
};

session::reservation offer_to(const std::string& agent, std::int64_t number) {
  return {{agent}, number, at_ms(60'000)};
}

} // namespace

#define STORE_TEST(name)                                                       \
  TEMPLATE_TEST_CASE_METHOD(appending, name, "[store]", in_memory, in_postgres)

STORE_TEST("what was appended is read back as it was") {
  auto w = this->talk.says({{"m-1", "您好 'quoted' \\ \t\n"}, {"m-2", ""}});
  REQUIRE(this->write(w) == verdict::committed);
  CHECK(must(this->to->entries({1001}, 0, 10)) == w.entries);
  const auto open = must(this->to->open_sessions(std::vector<slot_number>{3}));
  REQUIRE(open.size() == 1);
  auto expected = w.state;
  expected.waiting_since = w.entries[0].at;
  CHECK(open[0] == expected);
  CHECK(this->violations() == 0);
}

STORE_TEST("entries are numbered on, and read from any place") {
  this->write(this->talk.says({{"m-1", "one"}, {"m-2", "two"}}));
  this->write(this->talk.says({{"m-3", "three"}, {"m-4", "four"}}));
  const auto some = must(this->to->entries({1001}, 1, 2));
  REQUIRE(some.size() == 2);
  CHECK(some[0].seq == 2);
  CHECK(some[1].body == "three");
  CHECK(must(this->to->entries({1001}, 4, 10)).empty());
  CHECK(must(this->to->entries({9}, 0, 10)).empty());
}

STORE_TEST("a known message id writes nothing and tells the place it has") {
  REQUIRE(this->write(this->talk.says({{"m-1", "hi"}})) == verdict::committed);
  auto again = this->talk;
  const auto got = this->append(again.says({{"m-2", "new"}, {"m-1", "hi"}}));
  CHECK(got.what == verdict::duplicate);
  const known_message place{
    .id = {"m-1"}, .where = {{1001}, 1, true}, .same_body = true};
  CHECK(got.known == std::vector{place});
  CHECK(this->bodies({1001}) == lines{"hi"});
}

STORE_TEST("a known message id with another body is told apart") {
  this->write(this->talk.says({{"m-1", "hi"}}));
  const auto got = this->append(this->talk.says({{"m-1", "something else"}}));
  REQUIRE(got.what == verdict::duplicate);
  REQUIRE(got.known.size() == 1);
  CHECK_FALSE(got.known[0].same_body);
}

STORE_TEST("all known ids of a write are named") {
  this->write(this->talk.says({{"m-1", "a"}, {"m-2", "b"}}));
  const auto got =
    this->append(this->talk.says({{"m-1", "a"}, {"m-3", "c"}, {"m-2", "b"}}));
  CHECK(got.what == verdict::duplicate);
  CHECK(got.known.size() == 2);
}

STORE_TEST("ids are unique for each contact, and for each side") {
  this->write(this->talk.says({{"1", "from u1"}}));
  CHECK(this->write(this->other.says({{"1", "from u2"}}))
        == verdict::committed);
  auto reply = this->talk.says({{"1", "from the agent"}});
  reply.entries[0].kind = entry_kind::agent;
  reply.entries[0].author = "li";
  CHECK(this->write(reply) == verdict::committed);
  CHECK(this->violations() == 0);
}

STORE_TEST("an id is remembered beyond the end of its session") {
  this->write(this->talk.says({{"m-1", "hi"}}));
  this->write(this->talk.becomes(session::closed{}));
  conversation next{.id = {1003}, .who = this->talk.who};
  const auto got = this->append(next.says({{"m-1", "hi"}}));
  CHECK(got.what == verdict::duplicate);
  REQUIRE(got.known.size() == 1);
  CHECK(got.known[0].where.session == session_id{1001});
}

STORE_TEST("one refused session does not hold up the others of its batch") {
  this->write(this->talk.says({{"m-1", "hi"}}));
  conversation third{.id = {1004}, .who = {"web", "u3"}, .epoch = 0};
  auto late = this->talk;
  late.last_seq = 5;
  batch b;
  b.sessions.push_back(this->talk.says({{"m-1", "hi"}}));
  b.sessions.push_back(this->other.says({{"m-1", "good"}}));
  b.sessions.push_back(third.says({{"m-1", "not mine"}}));
  const auto got = must(this->to->append(this->n1, b));
  REQUIRE(got.size() == 3);
  CHECK(got[0].what == verdict::duplicate);
  CHECK(got[1].what == verdict::committed);
  CHECK(got[2].what == verdict::fenced);
  CHECK(this->bodies({1002}) == lines{"good"});
  CHECK(this->bodies({1004}).empty());
}

STORE_TEST("the same batch again is recognised, not written twice") {
  batch b;
  b.sessions.push_back(this->talk.says({{"m-1", "hi"}, {"m-2", "there"}}));
  b.sessions.push_back(
    this->other.becomes(session::queued{})); // No message id.
  for (int i = 0; i < 3; ++i)
    for (const auto& x : must(this->to->append(this->n1, b)))
      CHECK(x.what == verdict::committed);
  CHECK(this->bodies({1001}) == lines{"hi", "there"});
  CHECK(this->bodies({1002}) == lines{"<queued>"});
  CHECK(this->violations() == 0);
}

STORE_TEST("a write at a wrong place of the session is stale") {
  this->write(this->talk.says({{"m-1", "one"}}));
  auto behind = this->talk;
  behind.last_seq = 0;
  CHECK(this->write(behind.says({{"m-9", "other"}})) == verdict::stale);
  auto ahead = this->talk;
  ahead.last_seq = 7;
  CHECK(this->write(ahead.says({{"m-9", "other"}})) == verdict::stale);
  CHECK(this->bodies({1001}) == lines{"one"});
}

STORE_TEST("a contact has at most one open session") {
  this->write(this->talk.says({{"m-1", "one"}}));
  conversation second{.id = {1003}, .who = this->talk.who};
  CHECK(this->write(second.says({{"m-2", "two"}})) == verdict::stale);
  this->write(this->talk.becomes(session::closed{}));
  second.last_seq = 0;
  CHECK(this->write(second.says({{"m-2", "two"}})) == verdict::committed);
  CHECK(this->violations() == 0);
}

// -- the fence ----------------------------------------------------------------

STORE_TEST("only the owner of the slot, at its epoch, writes") {
  CHECK(this->write(this->talk.says({{"m-1", "x"}}), this->n2)
        == verdict::fenced);
  for (const auto epoch : {0, 2}) {
    conversation stale{.id = {1001}, .who = {"web", "u1"}, .epoch = epoch};
    CHECK(this->write(stale.says({{"m-1", "x"}})) == verdict::fenced);
  }
  CHECK(this->bodies({1001}).empty());
}

STORE_TEST("a claim ends what was claimed before") {
  must(this->to->announce(this->n1, "second life"));
  const auto again = must(this->to->claim(this->n1, "second life"));
  REQUIRE(again.size() == 65);
  CHECK(again[3].epoch == 2);
  CHECK(this->write(this->talk.says({{"m-1", "x"}})) == verdict::fenced);
  this->talk.epoch = 2;
  this->talk.last_seq = 0;
  CHECK(this->write(this->talk.says({{"m-1", "x"}})) == verdict::committed);
}

STORE_TEST("two epochs of a slot in one batch: only the present one writes") {
  must(this->to->claim(this->n1, "first life")); // Epoch 2.
  conversation now{.id = {1001}, .who = {"web", "u1"}, .epoch = 2};
  conversation before{.id = {1002}, .who = {"web", "u2"}, .epoch = 1};
  for (const auto old_first : {true, false}) {
    batch b;
    auto good = now.says({{"", "good"}});
    auto stale = before.says({{"", "stale"}});
    b.sessions =
      old_first ? std::vector{stale, good} : std::vector{good, stale};
    b.watermarks = {{.slot = 3, .epoch = 1, .offset = 99, .stream = "s"}};
    const auto got = must(this->to->append(this->n1, b));
    CHECK(got.at(old_first ? 1 : 0).what == verdict::committed);
    CHECK(got.at(old_first ? 0 : 1).what == verdict::fenced);
  }
  CHECK(this->bodies({1002}).empty());
  CHECK(must(this->to->claim(this->n1, "first life")).at(3).offset == 0);
}

STORE_TEST("slots that somebody else owns cannot be claimed") {
  must(this->to->announce(this->n2, "other"));
  CHECK(must(this->to->claim(this->n2, "other")).empty());
  must(this->to->release(this->n1, "first life"));
  const auto all = must(this->to->claim(this->n2, "other"));
  REQUIRE(all.size() == 65);
  CHECK(all[3].epoch > 1);
  CHECK(this->write(this->talk.says({{"m-1", "x"}})) == verdict::fenced);
}

STORE_TEST("a replaced incarnation keeps no lease and claims nothing") {
  must(this->to->renew(this->n1, "first life"));
  must(this->to->announce(this->n1, "second life"));
  const auto kept = this->to->renew(this->n1, "first life");
  REQUIRE_FALSE(kept.has_value());
  CHECK(kept.error().code == errc::moved);
  CHECK(must(this->to->claim(this->n1, "first life")).empty());
  must(this->to->release(this->n1, "first life")); // Not its to give up.
  CHECK(must(this->to->claim(this->n1, "second life")).at(0).epoch == 2);
}

// -- room at agents -----------------------------------------------------------

STORE_TEST("an agent never gets more than there is room for") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 1500}));
  this->write(this->talk.says({{"m-1", "x"}}));
  this->write(this->other.says({{"m-1", "x"}}));
  CHECK(this->write(this->talk.becomes(session::offered{offer_to("li", 1)}))
        == verdict::committed);
  CHECK(this->load_of({"li"}) == 1000);
  auto refused = this->other;
  CHECK(this->write(refused.becomes(session::offered{offer_to("li", 1)}))
        == verdict::agent_full);
  CHECK(this->load_of({"li"}) == 1000);
  CHECK(this->bodies({1002}) == lines{"x"});
  CHECK(this->write(this->talk.becomes(session::active{{"li"}}))
        == verdict::committed);
  CHECK(this->load_of({"li"}) == 1000);
  CHECK(this->write(this->talk.becomes(session::closed{}))
        == verdict::committed);
  CHECK(this->load_of({"li"}) == 0);
  CHECK(this->write(this->other.becomes(session::offered{offer_to("li", 1)}))
        == verdict::committed);
  CHECK(this->violations() == 0);
}

STORE_TEST("two grants of one batch do not fill the same place twice") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 1000}));
  this->write(this->talk.says({{"m-1", "x"}}));
  this->write(this->other.says({{"m-1", "x"}}));
  batch b;
  b.sessions = {this->talk.becomes(session::offered{offer_to("li", 1)}),
                this->other.becomes(session::offered{offer_to("li", 1)})};
  const auto got = must(this->to->append(this->n1, b));
  CHECK(got.at(0).what == verdict::committed);
  CHECK(got.at(1).what == verdict::agent_full);
  CHECK(this->load_of({"li"}) == 1000);
  CHECK(this->violations() == 0);
}

STORE_TEST("a repeated batch takes room once") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 1000}));
  this->write(this->talk.says({{"m-1", "x"}}));
  const auto w = this->talk.becomes(session::offered{offer_to("li", 1)});
  CHECK(this->write(w) == verdict::committed);
  CHECK(this->write(w) == verdict::committed);
  CHECK(this->load_of({"li"}) == 1000);
}

STORE_TEST("a write that begins like another is no repeat of it") {
  auto again = this->talk;
  REQUIRE(this->write(this->talk.says({{"m-1", "one"}})) == verdict::committed);
  const auto more = again.says({{"m-1", "one"}, {"m-2", "two"}});
  CHECK(this->write(more) == verdict::stale);
  CHECK(this->bodies({1001}) == lines{"one"});
}

STORE_TEST("nobody is an agent without being set up") {
  this->write(this->talk.says({{"m-1", "x"}}));
  CHECK(this->write(this->talk.becomes(session::offered{offer_to("who", 1)}))
        == verdict::agent_full);
}

STORE_TEST("a transfer holds a place at both until it is settled") {
  for (const auto* id : {"li", "ann"})
    must(this->to->put_agent({id}, {.display_name = id, .capacity = 1000}));
  this->write(this->talk.says({{"m-1", "x"}}));
  this->write(this->talk.becomes(session::active{{"li"}}));
  this->write(this->talk.becomes(
    session::transferring{.from = {"li"},
                          .target = {.agent = agent_id{"ann"}},
                          .until = at_ms(60'000),
                          .asked = offer_to("ann", 2)}));
  CHECK(this->load_of({"li"}) == 1000);
  CHECK(this->load_of({"ann"}) == 1000);
  CHECK(this->violations() == 0);
  this->write(this->talk.becomes(session::active{{"ann"}}));
  CHECK(this->load_of({"li"}) == 0);
  CHECK(this->load_of({"ann"}) == 1000);
  CHECK(this->violations() == 0);
}
