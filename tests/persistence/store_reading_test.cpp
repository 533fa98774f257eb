// What a store gives back: lanes' offsets, the outbox, decisions, lists and the
// history of a person.
#include "tests/persistence/stores.hpp"

#include <algorithm>

using namespace switchboard;
using namespace switchboard::test;

namespace {

template <class Backend>
struct reading : store_contract<Backend> {
  void mark(std::uint64_t offset, const std::string& stream,
            std::int64_t epoch = 1) {
    batch b;
    b.watermarks = {{3, epoch, offset, stream}};
    must(this->to->append(this->n1, b));
  }

  /// Where slot 3 would be read on; costs an epoch.
  claimed_slot position() {
    return must(this->to->claim(this->n1, "first life")).at(3);
  }

  std::vector<std::string> pending(std::int32_t max = 100) {
    std::vector<std::string> all;
    for (const auto& x :
         must(this->to->pending_outbox(std::vector<slot_number>{3, 4}, max)))
      all.push_back(x.dedupe_id);
    return all;
  }

  lines said(const contact& who, time_point before, std::int32_t max) {
    lines all;
    for (const auto& x : must(this->to->history(who, before, max)))
      all.push_back(x.channel + ' ' + x.what.body);
    return all;
  }

  conversation talk{.id = {1001}, .who = {"web", "u1"}};
};

outbox_row outgoing(const conversation& of, std::int32_t seq) {
  return {.slot = of.slot,
          .dedupe_id = to_string(of.id) + '-' + std::to_string(seq),
          .session = of.id,
          .seq = seq,
          .subject = "sb.v1.out.web.u1",
          .with = {{"a", "ü \" \\"}, {"content-type", "application/json"}},
          .payload = R"({"text":"您好"})"};
}

} // namespace

#define STORE_TEST(name)                                                       \
  TEMPLATE_TEST_CASE_METHOD(reading, name, "[store]", in_memory, in_postgres)

// -- offsets ------------------------------------------------------------------

STORE_TEST("an offset only moves on, unless the stream is another") {
  this->mark(10, "stream-a");
  this->mark(7, "stream-a");
  auto at = this->position();
  CHECK(at.offset == 10);
  CHECK(at.stream == "stream-a");
  this->mark(3, "stream-b", at.epoch);
  at = this->position();
  CHECK(at.offset == 3);
  CHECK(at.stream == "stream-b");
}

STORE_TEST("an offset of a lost slot is not written") {
  this->mark(10, "s", 7);
  CHECK(this->position().offset == 0);
}

STORE_TEST("a dead letter is buried once, and only by the owner") {
  const dead_letter letter{.slot = 3,
                           .epoch = 1,
                           .subject = "sb.v1.in.web.u1",
                           .reason = "malformed: not JSON",
                           .with = {{"Nats-Msg-Id", "web:1"}},
                           .payload = std::string("\xff\0raw", 5),
                           .offset = 12};
  auto late = letter;
  late.epoch = 0;
  late.offset = 13;
  batch b;
  b.dead = {letter, letter, late};
  must(this->to->append(this->n1, b));
  must(this->to->append(this->n1, b));
  const auto all = must(this->to->dead_letters(10));
  REQUIRE(all.size() == 1);
  CHECK(all[0].subject == letter.subject);
  CHECK(all[0].reason == letter.reason);
  CHECK(all[0].with == letter.with);
  CHECK(all[0].payload == letter.payload);
  CHECK(all[0].offset == 12);
}

// -- outbox -------------------------------------------------------------------

STORE_TEST("what must leave stays until it is said to be done") {
  auto w = this->talk.says({{"m-1", "a"}, {"m-2", "b"}});
  w.out = {outgoing(this->talk, 2), outgoing(this->talk, 1)};
  REQUIRE(this->write(w) == verdict::committed);
  const auto rows =
    must(this->to->pending_outbox(std::vector<slot_number>{3}, 10));
  REQUIRE(rows.size() == 2);
  auto first = rows[0];
  std::sort(first.with.begin(), first.with.end()); // Their order means nothing.
  CHECK(first == outgoing(this->talk, 1));
  CHECK(this->pending(1) == lines{"1001-1"});
  batch done;
  done.outbox_done = {"1001-1", "unknown"};
  must(this->to->append(this->n1, done));
  CHECK(this->pending() == lines{"1001-2"});
  batch given_up;
  given_up.outbox_dead = {"1001-2"};
  must(this->to->append(this->n1, given_up));
  CHECK(this->pending().empty());
}

STORE_TEST("a refused write leaves nothing in the outbox") {
  auto w = this->talk.says({{"m-1", "a"}});
  w.epoch = 5;
  w.out = {outgoing(this->talk, 1)};
  CHECK(this->write(w) == verdict::fenced);
  CHECK(this->pending().empty());
}

STORE_TEST("only the rows of the slots asked for are pending") {
  auto w = this->talk.says({{"m-1", "a"}});
  w.out = {outgoing(this->talk, 1)};
  this->write(w);
  CHECK(
    must(this->to->pending_outbox(std::vector<slot_number>{5}, 10)).empty());
}

// -- decisions ----------------------------------------------------------------

STORE_TEST("a decision is kept with its session, whole") {
  const auto why = std::make_shared<decision>(decision{
    .session = {1001},
    .trigger = "session_waiting",
    .policy = 3,
    .at = at_ms(5),
    .want = {.queue = {"vip"}, .language = "zh", .skills = {"returns"}},
    .wait_ms = 1234,
    .urgency = 1'500'000,
    .waiting = 2,
    .candidates = {{.agent = {"li"},
                    .verdicts = {"capacity: load 3000 + 1000 > 3000"},
                    .language = 1,
                    .match = -7,
                    .load = 3000,
                    .capacity = 3000},
                   {.agent = {"ann"}, .rank = 1}},
    .candidates_left_out = 4,
    .chosen = {"ann"},
    .margin = 17,
    .tie_rule = "longest idle",
    .inputs_hash = 0xFFFF'FFFF'FFFF'FFFFu,
    .load = 500});
  auto w = this->talk.says({{"m-1", "a"}});
  w.decisions = {why};
  this->write(w);
  const auto all = must(this->to->decisions({1001}));
  REQUIRE(all.size() == 1);
  CHECK(must(decision_from_json(all[0])) == *why);
  CHECK(must(this->to->decisions({1002})).empty());
}

// -- sessions -----------------------------------------------------------------

STORE_TEST("every phase of a session survives being stored") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 9000}));
  must(this->to->put_agent({"ann"}, {.display_name = "Ann", .capacity = 9000}));
  const session::reservation asked{{"ann"}, 4, at_ms(1)};
  for (const session::phase& at : std::vector<session::phase>{
         session::queued{}, session::offered{asked}, session::active{{"li"}},
         session::held{{"li"}},
         session::transferring{{"li"}, {agent_id{"ann"}, {}}, at_ms(2), asked},
         session::transferring{{"li"}, {{}, queue_id{"vip"}}, at_ms(2), {}},
         session::wrap_up{{"li"}, at_ms(3)}}) {
    const auto w = this->talk.becomes(at);
    REQUIRE(this->write(w) == verdict::committed);
    const auto open =
      must(this->to->open_sessions(std::vector<slot_number>{3, 4}));
    REQUIRE(open.size() == 1);
    CHECK(open[0].at == at);
    CHECK(open[0].last_seq == w.state.last_seq);
    CHECK(must(this->to->session({1001}))->phase == session::name_of(at));
  }
  this->write(this->talk.becomes(session::closed{}));
  CHECK(must(this->to->open_sessions(std::vector<slot_number>{3})).empty());
}

STORE_TEST("the whole state of a session survives being stored") {
  auto w = this->talk.says({{"m-1", "a"}});
  w.state.customer = {"cus_1"};
  w.state.want = {{"vip"}, "zh", {"returns", "refund"}, urgency_class::urgent};
  w.state.ownership = 5;
  w.state.offers = 6;
  w.state.rounds = 7;
  w.state.load = 500;
  w.state.previous = agent_id{"ann"};
  w.state.excluded = {{{"li"}, at_ms(9)}};
  w.state.waiting_since = w.entries[0].at;
  this->write(w);
  const auto open = must(this->to->open_sessions(std::vector<slot_number>{3}));
  REQUIRE(open.size() == 1);
  CHECK(open[0] == w.state);
}

STORE_TEST("lines without a change of state still count when it is read") {
  this->write(this->talk.says({{"m-1", "a"}}));
  auto reply = this->talk.says({{"r-1", "answer"}});
  reply.entries[0].kind = entry_kind::agent;
  this->write(reply);
  auto open = must(this->to->open_sessions(std::vector<slot_number>{3}));
  CHECK(open.at(0).last_seq == 2);
  CHECK(open.at(0).answered);
  const auto more = this->talk.says({{"m-2", "b"}, {"m-3", "c"}});
  this->write(more);
  open = must(this->to->open_sessions(std::vector<slot_number>{3}));
  CHECK(open.at(0).last_seq == 4);
  CHECK_FALSE(open.at(0).answered);
  CHECK(open.at(0).waiting_since == more.entries[0].at);
}

STORE_TEST("sessions are listed newest first, all or only the open ones") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 9000}));
  this->write(this->talk.says({{"m-1", "a"}}));
  this->write(this->talk.becomes(session::active{{"li"}}));
  this->write(this->talk.becomes(session::closed{}));
  conversation second{.id = {1002}, .who = {"web", "u2"}};
  this->write(second.says({{"m-1", "a"}, {"m-2", "b"}}));
  const auto all = must(this->to->sessions(10, false));
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == session_id{1002});
  CHECK(all[0].last_seq == 2);
  CHECK(all[0].opened_at == at_ms(1002));
  CHECK(all[1].phase == "closed");
  CHECK(all[1].agent == agent_id{"li"}); // Who had it last.
  CHECK(must(this->to->sessions(1, false)).size() == 1);
  CHECK(must(this->to->sessions(10, true)).size() == 1);
  CHECK_FALSE(must(this->to->session({7})).has_value());
}

// -- the history of a person --------------------------------------------------

STORE_TEST(
  "one person's lines are read over all their channels, oldest first") {
  conversation mail{.id = {1010}, .who = {"mail", "u@x"}, .slot = 4};
  conversation stranger{.id = {1020}, .who = {"web", "u9"}};
  this->write(this->talk.says({{"m-1", "first"}}));    // at 1002
  this->write(mail.says({{"m-1", "second"}}));         // at 1011
  this->write(stranger.says({{"m-1", "not theirs"}})); // at 1021
  CHECK(this->said(this->talk.who, at_ms(9999), 10) == lines{"web first"});
  const auto one =
    must(this->to->identify(this->talk.who, "+8613800138000", ""));
  CHECK(must(this->to->identify(mail.who, "+8613800138000", "")) == one);
  const lines both{"web first", "mail second"};
  CHECK(this->said(this->talk.who, at_ms(9999), 10) == both);
  CHECK(this->said(mail.who, at_ms(9999), 10) == both);
  CHECK(this->said(mail.who, at_ms(9999), 1) == lines{"mail second"});
  CHECK(this->said(mail.who, at_ms(1011), 10) == lines{"web first"});
  CHECK(must(this->to->session({1010}))->customer == one);
}

STORE_TEST("who served a person last is known over all their channels") {
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 9000}));
  this->write(this->talk.says({{"m-1", "a"}}));
  CHECK_FALSE(must(this->to->last_agent(this->talk.who)).has_value());
  this->write(this->talk.becomes(session::active{{"li"}}));
  this->write(this->talk.becomes(session::queued{}));
  CHECK(must(this->to->last_agent(this->talk.who))->agent == agent_id{"li"});
  const contact mail{"mail", "u@x"};
  CHECK_FALSE(must(this->to->last_agent(mail)).has_value());
  must(this->to->identify(this->talk.who, "", "u@example.com"));
  must(this->to->identify(mail, "", "u@example.com"));
  CHECK(must(this->to->last_agent(mail))->agent == agent_id{"li"});
}
