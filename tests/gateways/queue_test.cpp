// What is done for who waits, end to end: customers over NATS, agents over
// WebSocket, on a real nats-server and a real PostgreSQL.
#include "tests/support/service.hpp"

#include "tests/support/house.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace switchboard;
using namespace std::chrono_literals;
using test::becomes;
using test::owned;
using test::service;

namespace {

namespace json = boost::json;

time_point moment() {
  return std::chrono::time_point_cast<duration>(clock::now());
}

std::chrono::sys_days today() {
  return std::chrono::floor<std::chrono::days>(moment());
}

/// Closed today and tomorrow, so that midnight matters to no test.
opening_hours closed_now() {
  return {.days = {{today(), {}}, {today() + std::chrono::days{1}, {}}}};
}

/// A place whose clock is so many seconds ahead that its next full minute is
/// little more than a second away: hours know only minutes.
class place_where_it_is_nearly_time {
public:
  place_where_it_is_nearly_time()
    : opens_(std::chrono::ceil<std::chrono::seconds>(moment()) + 1s),
      ahead_(60 - opens_.time_since_epoch().count() % 60) {
    std::filesystem::create_directory(folder_.path() + "/Test");
    std::ofstream to{folder_.path() + "/Test/Soon", std::ios::binary};
    const auto counts = [](char types, char letters) {
      std::string x(24, '\0');
      x[19] = types;
      x[23] = letters;
      return x;
    };
    to << "TZif2" << std::string(15, '\0') << counts(0, 0) << "TZif2"
       << std::string(15, '\0') << counts(1, 2)
       << std::string{0, 0, 0, static_cast<char>(ahead_), 0, 0} << 'X' << '\0'
       << "\nX-0:00:" << ahead_ << '\n';
    to.close();
    setenv("TZDIR", folder_.path().c_str(), 1);
  }
  ~place_where_it_is_nearly_time() { unsetenv("TZDIR"); }
  place_where_it_is_nearly_time(const place_where_it_is_nearly_time&) = delete;
  place_where_it_is_nearly_time&
  operator=(const place_where_it_is_nearly_time&) = delete;

  [[nodiscard]] time_point opens() const { return opens_; }

  [[nodiscard]] opening_hours hours() const {
    const auto wall = opens_ + std::chrono::seconds{ahead_};
    const auto day = std::chrono::floor<std::chrono::days>(wall);
    const auto from =
      std::chrono::duration_cast<std::chrono::minutes>(wall - day);
    return {.zone = "Test/Soon",
            .days = {{day - std::chrono::days{1}, {}},
                     {day, opening_hours::span{from, 24h}}}};
  }

private:
  test::scratch_folder folder_;
  std::chrono::sys_seconds opens_;
  std::int64_t ahead_;
};

} // namespace

TEST_CASE_METHOD(service, "who comes while it is closed is told, and waits",
                 "[live][queue]") {
  know("li");
  open({.waiting = {.hours = closed_now(), .closed_text = "We are closed."}});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto told = out->wait("sb.v1.out.web." + customer.user);
  CHECK(told.body.at("content").as_string() == "We are closed.");
  CHECK(told.body.at("metadata").at("kind").as_string() == "bot");
  const auto until = logged(customer.session, "queue_closed");
  CHECK(until.body.starts_with("until "));
  CHECK(until.body.ends_with("T00:00:00.000Z"));
  say(customer, "anybody?");
  // It opens: an operator has said so.
  CHECK_FALSE(has_logged(customer.session, "offered"));
  put_queue({});
  logged(customer.session, "queue_opened");
  serve(li, customer.session);
  CHECK(got(customer).size() == 1); // Told once, however often they wrote.
  check_invariants();
}

TEST_CASE_METHOD(service, "it opens by itself, by the clock of its place",
                 "[live][queue]") {
  know("li");
  const place_where_it_is_nearly_time place;
  open({.waiting = {.hours = place.hours()}});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  serve(li, customer.session);
  const auto opened = logged(customer.session, "queue_opened");
  CHECK(opened.at >= place.opens());
  CHECK(logged(customer.session, "queue_closed").body
        == "until " + rfc3339(place.opens()));
  // To wait until it opens is not to wait in the line.
  const auto records = look->decisions(*parse_session_id(customer.session));
  REQUIRE(records.has_value());
  CHECK(json::parse(records->front()).at("wait_ms").as_int64() < 1000);
  check_invariants();
}

TEST_CASE_METHOD(service, "nobody is transferred into a closed queue",
                 "[live][queue]") {
  put_queue({.waiting = {.hours = closed_now()}}, "night");
  know("li");
  open({});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer);
  const auto mine = serve(li, customer.session);
  const auto answer =
    li.ask("transfer", {{"session", mine.at("session")},
                        {"ownership", mine.at("ownership")},
                        {"target", {{"queue", queue("night")}}},
                        {"note", "It is late."}});
  const auto& problem = answer.at("error").as_object();
  CHECK(problem.at("code").as_string() == "wrong_phase");
  const std::string why{problem.at("detail").as_string()};
  CHECK(why.find("is closed until ") != std::string::npos);
  // Nothing of it has happened.
  CHECK_FALSE(has_logged(customer.session, "transfer_asked"));
  li.told("send", {{"session", mine.at("session")},
                   {"ownership", mine.at("ownership")},
                   {"client_id", "1"},
                   {"body", "I help"}});
  check_invariants();
}

TEST_CASE_METHOD(service, "a closed queue overflows into one that is open",
                 "[live][queue]") {
  know("ann", {.display_name = "Ann", .queues = {{queue("night")}}});
  put_queue({}, "night");
  open({.waiting = {.hours = closed_now(),
                    .when_closed = session::closed_hours::overflow,
                    .overflow = {{queue("night")}}}});
  auto ann = sign_in("ann");
  auto customer = somebody();
  say(customer);
  const auto opened = serve(ann, customer.session);
  CHECK(opened.at("want").at("queue").as_string() == queue("night"));
  CHECK(logged(customer.session, "overflowed").body
        == "queue " + queue("night"));
  check_invariants();
}

TEST_CASE_METHOD(service, "while it is closed the receiver alone is asked",
                 "[live][queue]") {
  know("li");
  know("eve", {.display_name = "Eve", .queues = {{queue("other")}}});
  open({.waiting = {.hours = closed_now(),
                    .when_closed = session::closed_hours::receiver,
                    .receiver = named("eve")}});
  auto li = sign_in("li");
  auto customer = somebody();
  say(customer, "fire!");
  logged(customer.session, "receiver_called");
  auto eve = sign_in("eve");
  serve(eve, customer.session);
  CHECK(logged(customer.session, "offered").author == named("eve").text);
  check_invariants();
}

TEST_CASE_METHOD(service, "who waits too long goes to another queue",
                 "[live][queue]") {
  know("ann", {.display_name = "Ann", .queues = {{queue("second")}}});
  put_queue({}, "second");
  open({.waiting = {.overflow_time = 400ms, .overflow = {{queue("second")}}}});
  auto ann = sign_in("ann");
  auto customer = somebody();
  say(customer);
  serve(ann, customer.session);
  const auto queued = logged(customer.session, "queued");
  const auto moved = logged(customer.session, "overflowed");
  CHECK(moved.at - queued.at >= 400ms);
  // Its wait is the whole wait.
  const auto records = look->decisions(*parse_session_id(customer.session));
  REQUIRE(records.has_value());
  CHECK(json::parse(records->front()).at("wait_ms").as_int64() >= 400);
  check_invariants();
}

TEST_CASE_METHOD(service, "in an emergency somebody else may be asked besides",
                 "[live][queue]") {
  know("li", {.display_name = "Li", .skills = {{"law", 5}}});
  know("eve", {.display_name = "Eve", .queues = {{queue("other")}}});
  open({.waiting = {.overflow_time = 300ms, .receiver = named("eve")}});
  auto eve = sign_in("eve");
  auto customer = somebody();
  say(customer, "hello", {{"skills", {"law"}}});
  const auto offer = eve.push_of(customer.session, "offer");
  auto li = sign_in("li");
  eve.told("offer.decline", {{"session", customer.session},
                             {"offer", offer.at("offer")},
                             {"reason", "asleep"}});
  // The queue's own agents may still have it.
  serve(li, customer.session);
  check_invariants();
}

TEST_CASE_METHOD(service, "a queue asks for language, skill and urgency",
                 "[live][queue]") {
  know("li", {.display_name = "Li", .languages = {{"zh", 5}}});
  know(
    "ann",
    {.display_name = "Ann", .languages = {{"zh", 4}}, .skills = {{"law", 4}}});
  open({.waiting = {.language = "zh",
                    .skills = {"law"},
                    .urgency = urgency_class::vip,
                    .target = 10s}});
  auto li = sign_in("li");
  auto ann = sign_in("ann");
  auto customer = somebody();
  say(customer);
  const auto opened = serve(ann, customer.session);
  const auto& want = opened.at("want").as_object();
  CHECK(json::serialize(want)
        == R"({"queue":")" + queue()
             + R"(","urgency":"vip","language":"zh","skills":["law"]})");
  auto other = somebody();
  say(other, "hello", {{"language", "fr"}});
  REQUIRE(becomes([&] { return has_logged(other.session, "queued"); }));
  CHECK_FALSE(has_logged(other.session, "offered"));
}

TEST_CASE_METHOD(service, "who waits is told their place and how long it takes",
                 "[live][queue]") {
  know("li", 1000);
  open({});
  std::vector<test::visitor> line;
  for (auto i = 0; i < 3; ++i) {
    line.push_back(somebody());
    say(line.back());
  }
  const auto place_of = [](const test::visitor& x) {
    return "sb.v1.evt.session.place." + x.session;
  };
  for (auto i = 0; i < 3; ++i) {
    const auto x = events->wait(place_of(line[static_cast<std::size_t>(i)]),
                                [&](const json::object& body) {
                                  return body.at("position").as_int64() == i + 1
                                         && body.contains("wait_max_s");
                                });
    CHECK(x.type == "switchboard.session.place");
    CHECK(x.body.at("user").as_string()
          == line[static_cast<std::size_t>(i)].user);
    CHECK(x.body.at("wait_min_s").as_int64()
          <= x.body.at("wait_max_s").as_int64());
  }
  // Somebody more urgent comes: nobody is told that they fell back.
  auto urgent = somebody();
  say(urgent, "fire!", {{"urgency", "urgent"}});
  events->wait(place_of(urgent));
  auto li = sign_in("li");
  for (auto i = 0; i < 4; ++i) {
    const auto offer = li.push("offer");
    const auto session = std::string(offer.at("session").as_string());
    li.told("offer.accept",
            {{"session", session}, {"offer", offer.at("offer")}});
    const auto opened = li.push("session", [&](const json::object& x) {
      return x.at("session").as_string() == session
             && x.at("state").as_string() == "open";
    });
    auto closing = owned(opened);
    closing["disposition"] = "";
    li.told("close", std::move(closing));
  }
  for (const auto& each : line) {
    std::int64_t last = 1000;
    for (const auto& x : events->all())
      if (x.subject == place_of(each)) {
        CHECK(x.body.at("position").as_int64() <= last);
        last = x.body.at("position").as_int64();
      }
    CHECK(last < 1000);
  }
  check_invariants();
}

TEST_CASE_METHOD(service, "a silent customer is asked before an offer is spent",
                 "[live][queue]") {
  know("li");
  open({.waiting = {.probe_time = 300ms,
                    .probe_answer_time = 20s,
                    .probe_text = "Still there?"}});
  auto customer = somebody();
  say(customer);
  CHECK(
    out->wait("sb.v1.out.web." + customer.user).body.at("content").as_string()
    == "Still there?");
  logged(customer.session, "probed");
  auto li = sign_in("li");
  auto other = somebody();
  say(other); // Whoever is there is served meanwhile.
  serve(li, other.session);
  CHECK_FALSE(has_logged(customer.session, "offered"));
  say(customer, "yes!");
  serve(li, customer.session);
  check_invariants();
}

TEST_CASE_METHOD(service, "a customer who does not answer is given up",
                 "[live][queue]") {
  open({.waiting = {.probe_time = 200ms, .probe_answer_time = 300ms}});
  auto customer = somebody();
  say(customer);
  CHECK(logged(customer.session, "closed").body == "customer_silent");
  const auto gone = customer.session;
  say(customer, "I am back");
  CHECK(customer.session != gone);
  check_invariants();
}
