// Who is asked, for how long, and what follows, end to end: customers over
// NATS, agents over WebSocket, on a real nats-server and a real PostgreSQL.
#include "tests/support/service.hpp"

#include "tests/support/house.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace switchboard;
using namespace std::chrono_literals;
using test::owned;
using test::serve;
using test::service;
using test::ws_desk;

namespace {

namespace json = boost::json;

json::object with(json::object x, const std::string& key, json::value value) {
  x[key] = std::move(value);
  return x;
}

std::string code_of(const json::object& answer) {
  const auto* problem = answer.if_contains("error");
  return problem ? std::string(problem->at("code").as_string()) : "none";
}

json::object accepting(const json::object& offer) {
  return {{"session", offer.at("session")}, {"offer", offer.at("offer")}};
}

/// The presence that the screen is told.
void sees(ws_desk& at, const std::string& state) {
  at.push("presence", [&](const json::object& x) {
    return x.at("state").as_string() == state;
  });
}

std::vector<std::int64_t> waits_of(const service& in,
                                   const std::string& session) {
  const auto records = in.look->decisions(*parse_session_id(session));
  REQUIRE(records.has_value());
  std::vector<std::int64_t> all;
  for (const auto& x : *records)
    all.push_back(json::parse(x).at("wait_ms").as_int64());
  return all;
}

} // namespace

TEST_CASE_METHOD(service, "the server ends an offer that nobody answers",
                 "[live][desk]") {
  know("li");
  open({.offer_time = 300ms});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto offer = li.push_of(customer.session, "offer");
  // The screen does nothing at all.
  li.push_of(customer.session, "offer.end", "timed_out");
  const auto late = li.ask("offer.accept", accepting(offer));
  CHECK(code_of(late) == "stale_owner");
  const auto offered = logged(customer.session, "offered");
  const auto over = logged(customer.session, "timed_out");
  CHECK(over.at - offered.at >= 300ms);
  check_invariants();
}

TEST_CASE_METHOD(service,
                 "who declined is passed over, and asked again for want of "
                 "others, with the wait from the first line on",
                 "[live][desk]") {
  know("li");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  for (auto i = 0; i < 3; ++i) { // Nobody else is there: no dead end.
    const auto offer = li.push_of(customer.session, "offer");
    li.told("offer.decline", with(accepting(offer), "reason", "lunch"));
    CHECK(logged(customer.session, "declined", i + 1).body == "lunch");
  }
  li.push_of(customer.session, "offer");
  const auto all = waits_of(*this, customer.session);
  REQUIRE(all.size() >= 3);
  CHECK(std::is_sorted(all.begin(), all.end()));
  check_invariants();
}

TEST_CASE_METHOD(service, "who declined is not asked while another is there",
                 "[live][desk]") {
  know("li");
  know("ann");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto offer = li.push_of(customer.session, "offer");
  auto ann = sign_in("ann");
  li.told("offer.decline", with(accepting(offer), "reason", ""));
  const auto next = ann.push_of(customer.session, "offer");
  ann.told("offer.decline", with(accepting(next), "reason", ""));
  // Now all are excluded, and the first exclusion lapses first.
  li.push_of(customer.session, "offer");
  check_invariants();
}

TEST_CASE_METHOD(service, "two offers unheard, and one click brings them back",
                 "[live][desk]") {
  know("li");
  open({.offer_time = 1500ms});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  sees(li, "not_responding");
  logged(customer.session, "timed_out", 2);
  CHECK_FALSE(has_logged(customer.session, "assigned"));
  li.told("presence", {{"state", "online"}});
  const auto again = li.push("offer", [](const json::object& x) {
    return x.at("offer").as_int64() == 3;
  });
  li.told("offer.accept", accepting(again));
  check_invariants();
}

TEST_CASE_METHOD(service,
                 "without a first reply: a reminder, the supervisors, another",
                 "[live][desk]") {
  know("li");
  know("ann");
  open({.first_reply_time = 300ms});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  li.push_of(customer.session, "reminder");
  const auto event = [&](const std::string& name) {
    return "sb.v1.evt.session." + name + '.' + customer.session;
  };
  events->wait(event("reply_due"));
  // Supervisors hear of it where everybody does.
  CHECK(events->wait(event("reply_overdue")).body.at("agent").as_string()
        == named("li").text);
  auto ann = sign_in("ann");
  events->wait(event("reply_missed"));
  li.push_of(customer.session, "session", "reply_missed");
  const auto late = li.ask(
    "send", with(with(owned(mine), "client_id", "late"), "body", "here I am"));
  CHECK(code_of(late) == "stale_owner");
  const auto hers = serve(ann, customer.session);
  ann.told("send",
           with(with(owned(hers), "client_id", "1"), "body", "I am here"));
  CHECK(
    out->wait("sb.v1.out.web." + customer.user).body.at("content").as_string()
    == "I am here");
  check_invariants();
}

TEST_CASE_METHOD(service, "a lost connection: offers at once, sessions later",
                 "[live][desk]") {
  know("li");
  know("ann");
  open({}, 600ms);
  auto li = sign_in("li");
  auto served = somebody();
  say(served);
  serve(li, served.session);
  auto ringing = somebody();
  say(ringing);
  li.push_of(ringing.session, "offer");
  auto ann = sign_in("ann");
  li.cut();
  // The offer goes on at once; the session waits for its agent, in vain.
  const auto withdrawn = logged(ringing.session, "withdrawn");
  serve(ann, ringing.session);
  const auto lost = logged(served.session, "agent_lost");
  CHECK(lost.at - withdrawn.at >= 400ms);
  const auto hers = serve(ann, served.session);
  CHECK(hers.at("phase").as_string() == "active");
  check_invariants();
}

TEST_CASE_METHOD(service, "who comes back in time goes on", "[live][desk]") {
  know("li");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto before = serve(li, customer.session);
  li.cut();
  auto again = sign_in("li");
  const auto after = again.push_of(customer.session, "session");
  CHECK(after.at("ownership") == before.at("ownership"));
  again.told("send",
             with(with(owned(after), "client_id", "1"), "body", "back"));
  CHECK_FALSE(has_logged(customer.session, "agent_lost"));
  check_invariants();
}

TEST_CASE_METHOD(service, "a warm transfer brings a note, a cold one none",
                 "[live][desk]") {
  const auto warm = GENERATE(true, false);
  know("li");
  know("ann");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  auto ann = sign_in("ann");
  li.told("transfer", with(with(owned(mine), "target",
                                json::object{{"agent", named("ann").text}}),
                           "note", warm ? "knows tax law" : ""));
  const auto offer = ann.push_of(customer.session, "offer");
  // Until somebody has accepted, its sender keeps the conversation.
  li.told("send",
          with(with(owned(mine), "client_id", "1"), "body", "a moment"));
  ann.told("offer.accept", accepting(offer));
  const auto hers = ann.push_of(customer.session, "session");
  CHECK(hers.at("ownership").as_int64() > mine.at("ownership").as_int64());
  li.push_of(customer.session, "session", "transferred");
  if (warm)
    CHECK(ann
            .push("entry",
                  [](const json::object& x) {
                    return x.at("kind").as_string() == "note";
                  })
            .at("body")
            .as_string()
          == "knows tax law");
  ann.told("send", with(with(owned(hers), "client_id", "2"), "body", "hello"));
  const auto lines = look->entries(*parse_session_id(customer.session), 0, 100);
  REQUIRE(lines.has_value());
  const auto notes =
    std::count_if(lines->begin(), lines->end(),
                  [](const entry& x) { return x.kind == entry_kind::note; });
  CHECK(notes == (warm ? 1 : 0));
  check_invariants();
}

TEST_CASE_METHOD(service, "a transfer that nobody takes returns to its sender",
                 "[live][desk]") {
  know("li");
  know("ann", {.display_name = "Ann", .queues = {{queue("other")}}});
  put_queue({.transfer_time = 400ms}, "other");
  open({.transfer_time = 400ms});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  const auto transfer = [&](const json::object& target) {
    li.told("transfer", with(with(owned(mine), "target", target), "note", ""));
  };
  SECTION("as nobody is there") {
    transfer({{"queue", queue("other")}});
    logged(customer.session, "transfer_returned");
  }
  SECTION("as they decline") {
    auto ann = sign_in("ann");
    transfer({{"agent", named("ann").text}});
    const auto offer = ann.push_of(customer.session, "offer");
    ann.told("offer.decline", with(accepting(offer), "reason", "busy"));
    logged(customer.session, "transfer_returned");
  }
  li.told("send", with(with(owned(mine), "client_id", "1"), "body", "I help"));
  check_invariants();
}

TEST_CASE_METHOD(service, "who is busy may pick one of those who wait",
                 "[live][desk]") {
  know("li");
  know("ann");
  open({});
  auto li = sign_in("li");
  auto ann = sign_in("ann");
  for (auto* each : {&li, &ann}) {
    each->told("presence", {{"state", "busy"}, {"reason", "paperwork"}});
    sees(*each, "busy");
  }
  auto customer = somebody();
  say(customer);
  events->wait("sb.v1.evt.session.place." + customer.session);
  li.told("pick", {{"session", customer.session}});
  CHECK(li.push_of(customer.session, "session").at("phase").as_string()
        == "active");
  CHECK(code_of(ann.ask("pick", {{"session", customer.session}}))
        == "wrong_phase");
  check_invariants();
}

TEST_CASE_METHOD(service, "of several who are asked the first to accept wins",
                 "[live][desk]") {
  know("li");
  know("ann");
  open({.offers_at_once = 2});
  auto li = sign_in("li");
  auto ann = sign_in("ann");
  auto customer = somebody();
  say(customer, "fire!", {{"urgency", "urgent"}});
  const auto first = li.push_of(customer.session, "offer");
  const auto second = ann.push_of(customer.session, "offer");
  ann.told("offer.accept", accepting(second));
  li.push_of(customer.session, "offer.end", "taken");
  CHECK(code_of(li.ask("offer.accept", accepting(first))) == "stale_owner");
  check_invariants();
}

TEST_CASE_METHOD(service, "a wrap-up takes half the room, and a disposition",
                 "[live][desk]") {
  know("li", 1500);
  open({.wrap_up_time = 30s, .dispositions = {"solved", "spam"}});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  CHECK(code_of(li.ask("close", with(owned(mine), "disposition", "bored")))
        == "malformed");
  auto other = somebody();
  say(other); // 1 + 1 chats are too many, 1/2 + 1 are not.
  logged(other.session, "queued");
  CHECK_FALSE(has_logged(other.session, "offered"));
  li.told("close", with(owned(mine), "disposition", ""));
  serve(li, other.session);
  CHECK(code_of(li.ask("wrap_up",
                       {{"session", customer.session}, {"disposition", ""}}))
        == "malformed");
  li.told("wrap_up",
          {{"session", customer.session}, {"disposition", "solved"}});
  CHECK(logged(customer.session, "closed").body == "solved");
  check_invariants();
}

TEST_CASE_METHOD(service, "presence has a reason, and what comes next",
                 "[live][desk]") {
  know("li");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  li.told(
    "presence",
    {{"state", "finishing"}, {"reason", "shift ends"}, {"next", "break"}});
  const auto shown = li.push("presence", [](const json::object& x) {
    return x.at("state").as_string() == "finishing";
  });
  CHECK(shown.at("reason").as_string() == "shift ends");
  CHECK(shown.at("next").as_string() == "break");
  auto other = somebody();
  say(other); // Nothing new is offered to who finishes.
  logged(other.session, "queued");
  li.told("close", with(owned(mine), "disposition", ""));
  sees(li, "break");
  CHECK_FALSE(has_logged(other.session, "offered"));
  li.told("presence", {{"state", "online"}});
  serve(li, other.session);
  check_invariants();
}

TEST_CASE_METHOD(service, "room is weighed, and who wakes up may exceed it",
                 "[live][desk]") {
  know("li", 1350);
  open({.first_reply_time = 0ms, .quiet_time = 300ms});
  auto li = sign_in("li");
  auto chat = somebody();
  say(chat);
  const auto mine = serve(li, chat.session);
  auto mail = somebody("email"); // A quarter of a chat.
  say(mail);
  const auto letter = serve(li, mail.session);
  auto second = somebody();
  say(second);
  logged(second.session, "queued");
  CHECK_FALSE(has_logged(second.session, "offered"));
  // A customer who has their answer and is silent leaves room ...
  for (const auto& x : {mine, letter})
    li.told("send",
            with(with(owned(x), "client_id", "q"), "body", "is it ok?"));
  logged(chat.session, "quiet");
  serve(li, second.session);
  // ... and is still this agent's, who is full by now.
  say(chat, "no");
  li.told("send", with(with(owned(mine), "client_id", "r"), "body", "I see"));
  auto third = somebody();
  say(third);
  CHECK(code_of(li.ask("pick", {{"session", third.session}})) != "none");
  check_invariants();
}

TEST_CASE_METHOD(service, "a decision is a CloudEvent, kept, and explained",
                 "[live][desk]") {
  const auto able = [&](const std::string& name, std::int32_t level,
                        std::int32_t capacity) {
    know(
      name,
      {.display_name = name, .skills = {{"law", level}}, .capacity = capacity});
  };
  able("li", 5, 1000);
  able("ann", 2, 3000);
  open({});
  auto li = sign_in("li");
  auto first = somebody();
  say(first, "hello", {{"skills", {"law"}}});
  serve(li, first.session); // Li is full from here on.
  auto ann = sign_in("ann");
  auto customer = somebody();
  say(customer, "hello", {{"skills", {"law"}}});
  serve(ann, customer.session);
  const auto made = events->wait("sb.v1.evt.decision.made." + customer.session);
  CHECK(made.type == "switchboard.decision.made");
  CHECK(made.body.at("chosen").as_string() == named("ann").text);
  const auto kept = look->decisions(*parse_session_id(customer.session));
  REQUIRE(kept.has_value());
  REQUIRE(kept->size() == 1);
  CHECK(json::parse(kept->front()) == json::value(made.body));
  const auto asked = wire->request(
    "sb.v1.svc.router.explain",
    json::serialize(json::object{{"session", customer.session}}), 5s);
  REQUIRE(asked.has_value());
  const auto text =
    std::string(json::parse(asked->bytes).at("text").as_string());
  INFO(text);
  CHECK(text.find("would be " + named("li").text + " if load < 0.25")
        != std::string::npos);
  check_invariants();
}
