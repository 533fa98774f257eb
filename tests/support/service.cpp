#include "tests/support/service.hpp"

#include "config/child_process.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/house.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace switchboard::test {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 10s;

std::string text_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

template <class T>
T must(result<T> x) {
  if (!x)
    FAIL(to_string(x.error().code) << ": " << x.error().detail);
  return std::move(*x);
}

} // namespace

// -- a desk -------------------------------------------------------------------

bool ws_desk::read() {
  const auto line = line_.receive(50ms);
  if (!line)
    return false;
  auto x = json::parse(*line).as_object();
  if (const auto* push = x.if_contains("push")) {
    if (push->as_object().contains("ping"))
      static_cast<void>(line_.send(R"({"pong":{}})"));
    pushes_.push_back(push->as_object());
  } else if (const auto* id = x.if_contains("id")) {
    answers_[id->as_int64()] = x;
  }
  return true;
}

json::object
ws_desk::push(const std::string& kind,
              const std::function<bool(const json::object&)>& fits) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::size_t looked_at = 0;
  do {
    for (; looked_at < pushes_.size(); ++looked_at) {
      const auto* x = pushes_[looked_at].if_contains(kind);
      if (!x || (fits && !fits(x->as_object())))
        continue;
      const auto found = x->as_object();
      pushes_.erase(pushes_.begin() + static_cast<std::ptrdiff_t>(looked_at));
      return found;
    }
    read();
  } while (std::chrono::steady_clock::now() < until);
  std::string seen;
  for (const auto& x : pushes_)
    seen += json::serialize(x) + '\n';
  FAIL("no such push '" << kind << "' among\n" << seen);
  return {};
}

json::object ws_desk::push_of(const std::string& session,
                              const std::string& kind,
                              const std::string& reason) {
  return push(kind, [&](const json::object& x) {
    return text_at(x, "session") == session
           && (reason.empty() || text_at(x, "reason") == reason);
  });
}

json::object ws_desk::ask(const std::string& verb, json::object what) {
  const auto id = ++commands_;
  const auto sent = line_.send(
    json::serialize(json::object{{"id", id}, {verb, std::move(what)}}));
  REQUIRE(sent.has_value());
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!answers_.contains(id) && std::chrono::steady_clock::now() < until)
    read();
  if (!answers_.contains(id))
    FAIL("no answer to " << verb);
  return answers_.at(id);
}

json::object ws_desk::told(const std::string& verb, json::object what) {
  const auto got = ask(verb, std::move(what));
  INFO(json::serialize(got));
  REQUIRE(got.contains("result"));
  return got.at("result").as_object();
}

json::object serve(ws_desk& at, const std::string& session) {
  const auto offer = at.push_of(session, "offer");
  at.told("offer.accept", {{"session", session}, {"offer", offer.at("offer")}});
  return at.push("session", [&](const json::object& x) {
    return text_at(x, "session") == session && text_at(x, "state") == "open";
  });
}

json::object owned(const json::object& opened) {
  return {{"session", opened.at("session")},
          {"ownership", opened.at("ownership")}};
}

// -- what is published --------------------------------------------------------

listener::listener(bus& on, const std::string& pattern) {
  subscription_ = must(on.subscribe(pattern, "", [this](const bus::packet& x) {
    boost::system::error_code ec;
    auto body = json::parse(std::string(x.bytes), ec);
    if (ec || !body.is_object())
      return;
    const std::lock_guard lock{mutex_};
    heard_.push_back({std::string(x.subject), std::move(body.get_object()),
                      x.header("ce-type")});
  }));
}

std::vector<listener::heard> listener::all() const {
  const std::lock_guard lock{mutex_};
  return heard_;
}

listener::heard
listener::wait(const std::string& subject,
               const std::function<bool(const json::object&)>& fits) {
  heard found;
  const auto there = becomes([&] {
    for (const auto& x : all())
      if (x.subject == subject && (!fits || fits(x.body))) {
        found = x;
        return true;
      }
    return false;
  });
  if (!there)
    FAIL("nothing like that was published on " << subject);
  return found;
}

// -- the service --------------------------------------------------------------

private_servers& service::servers() {
  static private_servers all;
  return all;
}

service::service() : tag(random_secret(4)), secret(random_secret(32)) {
  look = make_postgres_store(servers().postgres.conninfo(), "test");
  wire = must(connect_nats(servers().nats.options("client")));
}

void service::know(const std::string& name, std::int32_t capacity) {
  know(name, {.display_name = name, .capacity = capacity});
}

void service::know(const std::string& name, agent::profile who) {
  if (who.queues.empty())
    who.queues.push_back({queue()});
  REQUIRE(look->put_agent(named(name), who).has_value());
}

void service::put_queue(const session::rules& r,
                        const std::string& name) const {
  REQUIRE(look->put_queue({{queue(name)}, name, r}).has_value());
}

void service::open(const session::rules& r, duration grace) {
  put_queue(r);
  auto how = servers().options();
  how.agent_grace = grace;
  running = must(node::start(how));
  verifier = make_token_verifier({.secret = secret}).value();
  door = must(
    make_gateway({.verifier = verifier.get(), .actors = &running->face()}));
  out = std::make_unique<listener>(*wire, "sb.v1.out.>");
  events = std::make_unique<listener>(*wire, "sb.v1.evt.>");
}

ws_desk service::sign_in(const std::string& name) const {
  const auto token =
    create_token({.secret = secret}, {named(name).text, role::agent, 1h},
                 std::chrono::time_point_cast<duration>(clock::now()))
      .value();
  ws_desk made{must(ws_client::connect({.port = door->port()}))};
  made.told("connect",
            {{"token", token}, {"device", "test"}, {"resume", json::object{}}});
  return made;
}

visitor service::somebody(const std::string& channel) const {
  return {channel, "u" + random_secret(6)};
}

std::int64_t service::say(visitor& who, const std::string& text,
                          json::object more) const {
  more["text"] = text;
  if (!more.contains("queue"))
    more["queue"] = queue();
  more["msg_id"] = random_secret(6);
  std::string bytes;
  // A node that has just started may not listen yet: say it again.
  REQUIRE(becomes([&] {
    const auto got = wire->request("sb.v1.post." + who.channel + '.' + who.user,
                                   json::serialize(more), patience);
    bytes = got ? got->bytes : "";
    return got.has_value();
  }));
  const auto receipt = json::parse(bytes).as_object();
  INFO(bytes);
  REQUIRE(receipt.contains("session"));
  who.session = text_at(receipt, "session");
  return receipt.at("seq").as_int64();
}

std::vector<json::object> service::got(const visitor& who) const {
  std::vector<json::object> all;
  for (const auto& x : out->all())
    if (x.subject == "sb.v1.out." + who.channel + '.' + who.user)
      all.push_back(x.body);
  return all;
}

entry service::logged(const std::string& session, const std::string& event,
                      int times) const {
  entry found;
  const auto there = becomes([&] {
    const auto lines = look->entries(*parse_session_id(session), 0, 1000);
    auto n = 0;
    if (lines)
      for (const auto& x : *lines)
        if (x.event == event && ++n == times) {
          found = x;
          return true;
        }
    return false;
  });
  if (!there)
    FAIL("no '" << event << "' in the log of " << session);
  return found;
}

bool service::has_logged(const std::string& session,
                         const std::string& event) const {
  const auto lines = look->entries(*parse_session_id(session), 0, 1000);
  REQUIRE(lines.has_value());
  return std::any_of(lines->begin(), lines->end(),
                     [&](const entry& x) { return x.event == event; });
}

void service::check_invariants() const {
  const auto found = look->verify();
  REQUIRE(found.has_value());
  for (const auto& x : *found) {
    INFO(x.invariant << ' ' << x.title << ' '
                     << (x.examples.empty() ? "" : x.examples[0]));
    CHECK(x.violations == 0);
  }
  CHECK(running->face().metrics().find(
          "\nswitchboard_router_lost_wakeups_total 0\n")
        != std::string::npos);
}

} // namespace switchboard::test
