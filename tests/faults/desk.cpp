#include "tests/faults/desk.hpp"

#include "gateways/auth/token.hpp"

#include <boost/json.hpp>

namespace switchboard::faults {

namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr auto receipt_max = 2s;
constexpr auto reconnect_pause = 50ms;
constexpr int answers_per_session = 15;
/// Without a word for so long it asks for one, and leaves if there is none.
constexpr auto probe_after = 1500ms;
constexpr auto silence_max = 4s;

std::string text_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

std::int64_t number_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_int64() ? x->get_int64() : 0;
}

} // namespace

desk::desk(options how, ledger& answers)
  : how_(std::move(how)), answers_(answers), thread_([this] { work(); }) {
  // nop
}

std::string desk::first_broken() const {
  const std::lock_guard lock{mutex_};
  return first_broken_;
}

void desk::wrong(const std::string& what) {
  ++broken_;
  const std::lock_guard lock{mutex_};
  if (first_broken_.empty())
    first_broken_ = "agent " + how_.agent + ": " + what;
}

void desk::stop() {
  ending_ = true;
  if (thread_.joinable())
    thread_.join();
}

void desk::work() {
  while (!ending_) {
    auto made =
      ws_client::connect({.port = how_.ports[node_++ % how_.ports.size()],
                          .patience = std::chrono::duration_cast<duration>(
                            std::chrono::seconds{3})});
    if (made)
      serve(*made);
    else
      std::this_thread::sleep_for(reconnect_pause);
  }
}

void desk::serve(ws_client& to) {
  const auto token =
    create_token({.secret = how_.secret}, {.subject = how_.agent},
                 std::chrono::time_point_cast<duration>(clock::now()));
  asked_.clear();
  std::erase_if(open_, [](const auto& x) { return x.second.ended; });
  json::object resume;
  for (auto& [id, x] : open_) {
    x.here = false;
    x.asked = 0;
    resume[id] = x.last;
  }
  ++connections_;
  say(to, "connect",
      {{"token", *token}, {"device", "faults"}, {"resume", std::move(resume)}});
  heard_at_ = probed_at_ = steady_clock::now();
  while (!ending_ && !to.closed()) {
    const auto now = steady_clock::now();
    if (const auto line = to.receive(duration{50})) {
      heard_at_ = probed_at_ = now;
      react(to, *line);
    } else if (now - heard_at_ > silence_max) {
      to.cut(); // The node is frozen, or nobody answers through it.
      return;
    } else if (now - probed_at_ > probe_after) {
      probed_at_ = now;
      say(to, "presence", {{"state", "online"}});
    }
    for (auto& [id, x] : open_)
      answer(to, id, x);
  }
  if (ending_)
    to.close();
}

std::int64_t desk::say(ws_client& to, std::string_view verb,
                       json::object what) {
  const auto id = ++commands_;
  static_cast<void>(to.send(
    json::serialize(json::object{{"id", id}, {verb, std::move(what)}})));
  return id;
}

void desk::react(ws_client& to, const std::string& line) {
  boost::system::error_code ec;
  const auto value = json::parse(line, ec);
  if (ec || !value.is_object()) {
    wrong("not an object: " + line);
    return;
  }
  const auto& all = value.get_object();
  if (const auto* push = all.if_contains("push"))
    shown(to, push->as_object());
  else
    told(to, number_at(all, "id"), all);
}

void desk::shown(ws_client& to, const json::object& push) {
  if (push.contains("ping")) {
    static_cast<void>(to.send(R"({"pong":{}})"));
  } else if (const auto* offer = push.if_contains("offer")) {
    const auto& x = offer->as_object();
    say(to, "offer.accept",
        {{"session", text_at(x, "session")}, {"offer", number_at(x, "offer")}});
  } else if (const auto* session = push.if_contains("session")) {
    opened(session->as_object());
  } else if (const auto* entry = push.if_contains("entry")) {
    added(entry->as_object());
  } else if (const auto* presence = push.if_contains("presence")) {
    const auto now = text_at(presence->as_object(), "state");
    if (now != "online" && now != "busy")
      say(to, "presence", {{"state", "online"}});
  }
}

void desk::opened(const json::object& session) {
  const auto id = text_at(session, "session");
  const auto state = text_at(session, "state");
  auto& x = open_[id]; // Its entries follow from where we said that we are.
  x.ended = state == "closed";
  if (x.ended) {
    x.here = false;
    return;
  }
  x.ownership = number_at(session, "ownership");
  if (state != "open")
    return;
  x.here = true;
  x.asked = 0;
}

void desk::added(const json::object& entry) {
  auto& x = open_[text_at(entry, "session")];
  const auto seq = number_at(entry, "seq");
  if (!x.here || seq != x.last + 1)
    wrong("session " + text_at(entry, "session") + ": " + std::to_string(seq)
          + " after " + std::to_string(x.last)
          + (x.here ? "" : ", which is not on the screen"));
  x.last = seq;
  const auto [at, fresh] = seen_.emplace(
    std::pair{text_at(entry, "session"), seq}, text_at(entry, "body"));
  if (!fresh && at->second != text_at(entry, "body"))
    wrong("session " + text_at(entry, "session") + ": " + std::to_string(seq)
          + " has two contents");
  if (text_at(entry, "kind") != "customer")
    return;
  auto answer_id = "re-" + text_at(entry, "body");
  if (!answers_.holds(answer_id))
    x.lines.push_back(std::move(answer_id));
}

/// Sends the first answer that has no receipt, and again when none comes.
void desk::answer(ws_client& to, const std::string& id, conversation& with) {
  const auto now = steady_clock::now();
  while (!with.lines.empty() && answers_.holds(with.lines.front()))
    with.lines.pop_front();
  if (!with.here || with.lines.empty()
      || (with.asked > 0 && now - with.asked_at < receipt_max))
    return;
  with.asked = say(to, "send",
                   {{"session", id},
                    {"ownership", with.ownership},
                    {"client_id", with.lines.front()},
                    {"body", with.lines.front()}});
  with.asked_at = now;
  asked_[with.asked] = id;
}

void desk::told(ws_client& to, std::int64_t id, const json::object& reply) {
  if (const auto* error = reply.if_contains("error"))
    ++refusals_[text_at(error->as_object(), "code")];
  const auto at = asked_.find(id);
  if (at == asked_.end())
    return;
  const auto session = at->second;
  asked_.erase(at);
  const auto found = open_.find(session);
  const auto* got = reply.if_contains("result");
  if (found == open_.end() || !got || found->second.asked != id)
    return; // Sent again in time.
  auto& x = found->second;
  const auto number = parse_session_id(text_at(got->as_object(), "session"));
  if (!number || x.lines.empty()) {
    wrong("a receipt for nothing: " + json::serialize(*got));
    return;
  }
  answers_.keep(
    x.lines.front(),
    {*number, static_cast<std::int32_t>(number_at(got->as_object(), "seq"))});
  x.lines.pop_front();
  x.asked = 0;
  if (++x.answers % answers_per_session == 0)
    say(to, "close",
        {{"session", session},
         {"ownership", x.ownership},
         {"disposition", "solved"}});
}

} // namespace switchboard::faults
