// Agents, queues and customers as every store keeps them.
#include "tests/persistence/stores.hpp"

using namespace switchboard;
using namespace switchboard::test;

namespace {

template <class Backend>
struct people : store_contract<Backend> {
  const contact web{"web", "u1"};
  const contact mail{"mail", "u1@example.com"};
  const contact chat{"wechat", "open-1"};
};

} // namespace

#define STORE_TEST(name)                                                       \
  TEMPLATE_TEST_CASE_METHOD(people, name, "[store]", in_memory, in_postgres)

STORE_TEST("an agent's profile is read back as it was put") {
  const agent::profile who{.display_name = "李 'Li'",
                           .languages = {{"zh", 5}, {"en", 2}},
                           .skills = {{"returns", 4}},
                           .queues = {{"vip"}, {"default"}},
                           .channels = {"web", "wechat"},
                           .capacity = 2500};
  must(this->to->put_agent({"li"}, who));
  must(this->to->put_agent({"ann"}, {.display_name = "Ann"}));
  auto all = must(this->to->agents());
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == agent_id{"ann"});
  CHECK(all[1].who == who);
  CHECK(all[1].active == 0);
  CHECK(all[1].now == agent::presence::offline);
  must(this->to->put_agent({"li"}, {.display_name = "Li", .capacity = 1000}));
  all = must(this->to->agents());
  REQUIRE(all.size() == 2);
  CHECK(all[1].who == agent::profile{.display_name = "Li", .capacity = 1000});
}

STORE_TEST("presence is written by the owner of the agent's slot only") {
  must(this->to->put_agent({"li"}, {.display_name = "Li"}));
  const auto now = [&] { return must(this->to->agents()).at(0).now; };
  batch b;
  b.presences = {{.slot = 3,
                  .epoch = 1,
                  .agent = {"li"},
                  .now = agent::presence::on_break,
                  .reason = "lunch"}};
  must(this->to->append(this->n2, b));
  CHECK(now() == agent::presence::offline);
  must(this->to->append(this->n1, b));
  CHECK(now() == agent::presence::on_break);
  must(this->to->put_agent({"li"}, {.display_name = "Li"}));
  CHECK(now() == agent::presence::on_break); // An edit is no sign-off.
}

STORE_TEST("there is a default queue, and queues are read back as put") {
  using namespace std::chrono_literals;
  REQUIRE(must(this->to->queues()).size() == 1);
  CHECK(must(this->to->queues())[0].id == queue_id{"default"});
  must(this->to->put_queue({.id = {"vip"},
                            .display_name = "VIP",
                            .rules = {.offer_time = 5s,
                                      .exclusion_time = 1s,
                                      .transfer_time = 2s,
                                      .wrap_up_time = 3s,
                                      .accept_automatically = true}}));
  session::waiting_rules waiting{
    .language = "zh",
    .skills = {"law"},
    .urgency = urgency_class::vip,
    .target = 45s,
    .hours = {.zone = "Europe/Berlin",
              .week = {parse_weekly("Mon-Fri 09:00-18:00").value(),
                       parse_weekly("Sat 10:00-14:00").value()},
              .days = {parse_special("2026-12-25").value(),
                       parse_special("2026-12-24 09:00-13:00").value()}},
    .when_closed = session::closed_hours::receiver,
    .closed_text = "我们九点开门。",
    .overflow_time = 120s,
    .overflow = {{"default"}},
    .receiver = {{"li"}},
    .probe_time = 300s,
    .probe_answer_time = 30s,
    .probe_text = "Hello?"};
  must(this->to->put_queue(
    {.id = {"zz"}, .display_name = "", .rules = {.waiting = waiting}}));
  CHECK(must(this->to->queues())[2].rules.waiting == waiting);
  const auto all = must(this->to->queues());
  REQUIRE(all.size() == 3);
  CHECK(all[1].rules.waiting == session::waiting_rules{});
  CHECK(all[1].display_name == "VIP");
  CHECK(all[1].rules.offer_time == 5s);
  CHECK(all[1].rules.exclusion_time == 1s);
  CHECK(all[1].rules.transfer_time == 2s);
  CHECK(all[1].rules.wrap_up_time == 3s);
  CHECK(all[1].rules.accept_automatically);
}

STORE_TEST(
  "every edit of agents and queues raises the version, a message does not") {
  auto last = must(this->to->directory_version());
  const auto raised = [&] {
    const auto before =
      std::exchange(last, must(this->to->directory_version()));
    return last > before;
  };
  must(this->to->put_agent({"li"}, {.display_name = "Li"}));
  CHECK(raised());
  must(this->to->put_agent({"li"}, {.display_name = "Li Na"}));
  CHECK(raised());
  must(this->to->put_queue({.id = {"vip"}}));
  CHECK(raised());
  conversation talk{.id = {1001}, .who = this->web};
  this->write(talk.says({{"m-1", "hi"}}));
  this->write(talk.becomes(session::active{{"li"}}));
  CHECK_FALSE(raised());
}

// -- customers ----------------------------------------------------------------

STORE_TEST("a contact without a verified address is a customer of its own") {
  const auto one = must(this->to->identify(this->web, "", ""));
  CHECK_FALSE(one.empty());
  CHECK(must(this->to->identify(this->web, "", "")) == one);
  CHECK(must(this->to->identify(this->mail, "", "")) != one);
  CHECK(must(this->to->contacts(one)) == std::vector{this->web});
}

STORE_TEST("contacts that bring the same verified address are one customer") {
  const auto one = must(this->to->identify(this->web, "+8613800138000", ""));
  CHECK(must(this->to->identify(this->chat, "+8613800138000", "")) == one);
  CHECK(must(this->to->identify(this->mail, "+1", "a@example.com")) != one);
  CHECK(must(this->to->contacts(one)) == std::vector{this->web, this->chat});
}

STORE_TEST("a customer known for long is joined when an address is verified") {
  const auto alone = must(this->to->identify(this->web, "", ""));
  const auto one = must(this->to->identify(this->mail, "", "a@example.com"));
  CHECK(alone != one);
  CHECK(must(this->to->identify(this->web, "", "a@example.com")) == one);
  CHECK(must(this->to->identify(this->web, "", "")) == one); // And stays.
}

STORE_TEST(
  "where two addresses are known to two customers the telephone wins") {
  const auto by_phone = must(this->to->identify(this->web, "+491", ""));
  const auto by_mail =
    must(this->to->identify(this->mail, "", "a@example.com"));
  CHECK(must(this->to->identify(this->chat, "+491", "a@example.com"))
        == by_phone);
  CHECK(must(this->to->contacts(by_mail)) == std::vector{this->mail});
}

STORE_TEST("a join can be undone, and is not done again by the same address") {
  const auto one = must(this->to->identify(this->web, "+491", ""));
  must(this->to->identify(this->mail, "+491", ""));
  const auto own = must(this->to->separate(this->mail));
  CHECK(own != one);
  CHECK(must(this->to->contacts(one)) == std::vector{this->web});
  CHECK(must(this->to->contacts(own)) == std::vector{this->mail});
  CHECK(must(this->to->identify(this->mail, "+491", "")) == own);
  CHECK(must(this->to->identify(this->mail, "", "")) == own);
  CHECK(must(this->to->identify(this->web, "+491", "")) == one);
}

STORE_TEST(
  "a contact that was separated is joined by an address of somebody else") {
  must(this->to->identify(this->web, "+491", ""));
  must(this->to->identify(this->mail, "+491", ""));
  must(this->to->separate(this->mail));
  const auto third = must(this->to->identify(this->chat, "", "b@example.com"));
  CHECK(must(this->to->identify(this->mail, "", "b@example.com")) == third);
}

STORE_TEST("an open session is read back with the customer of today") {
  conversation talk{.id = {1001}, .who = this->web};
  this->write(talk.says({{"m-1", "hi"}}));
  const auto one = must(this->to->identify(this->web, "+491", ""));
  const auto open = [&] {
    return must(this->to->open_sessions(std::vector<slot_number>{3})).at(0);
  };
  CHECK(open().customer == one);
  const auto own = must(this->to->separate(this->web));
  CHECK(open().customer == own);
}

STORE_TEST("nobody unknown can be separated") {
  const auto got = this->to->separate({"web", "never seen"});
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::not_found);
}

STORE_TEST("every change of a contact's customer is written down") {
  const auto one = must(this->to->identify(this->web, "", ""));
  const auto two = must(this->to->identify(this->mail, "+491", ""));
  must(this->to->identify(this->web, "+491", ""));
  const auto own = must(this->to->separate(this->web));
  const auto all = must(this->to->changes(this->web));
  REQUIRE(all.size() == 3);
  CHECK(all[0] == contact_change{{}, one, "first seen"});
  CHECK(all[1] == contact_change{one, two, "verified address"});
  CHECK(all[2] == contact_change{two, own, "separated"});
}
