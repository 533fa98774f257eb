#include "gateways/agent/protocol.hpp"

#include "gateways/http/problem.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdio>

namespace switchboard::agent_protocol {

namespace {

namespace json = boost::json;

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

// -- values -------------------------------------------------------------------

json::object to_json(const contact& x) {
  return {{"channel", x.channel}, {"user", x.user}};
}

json::object to_json(const needs& x) {
  json::object out{{"queue", x.queue.text},
                   {"urgency", switchboard::to_string(x.urgency)}};
  if (!x.language.empty())
    out["language"] = x.language;
  if (!x.skills.empty())
    out["skills"] = json::array(x.skills.begin(), x.skills.end());
  return out;
}

json::object to_json(const entry& x) {
  json::object out{{"seq", x.seq},
                   {"kind", switchboard::to_string(x.kind)},
                   {"at", format_time(x.at)}};
  if (!x.event.empty())
    out["event"] = x.event;
  if (!x.author.empty())
    out["author"] = x.author;
  if (!x.id.empty())
    out["id"] = x.id.text;
  out["body"] = x.body;
  return out;
}

// -- pushes -------------------------------------------------------------------

struct named {
  std::string_view name;
  json::object body;
};

named describe(const push::offer& x) {
  return {"offer",
          {{"session", to_string(x.session)},
           {"offer", x.number},
           {"until", format_time(x.until)},
           {"from", to_json(x.who)},
           {"want", to_json(x.want)},
           {"preview", x.preview},
           {"why", x.why}}};
}

named describe(const push::offer_ended& x) {
  return {"offer.end",
          {{"session", to_string(x.session)},
           {"offer", x.number},
           {"reason", x.reason}}};
}

named describe(const push::session_opened& x) {
  json::object out{
    {"state", "open"},          {"session", to_string(x.session)},
    {"ownership", x.ownership}, {"phase", x.phase},
    {"from", to_json(x.who)},   {"want", to_json(x.want)},
    {"last_seq", x.last_seq},   {"answered", x.answered}};
  if (!x.customer.empty())
    out["customer"] = x.customer.text;
  return {"session", std::move(out)};
}

named describe(const push::session_changed& x) {
  return {"session",
          {{"state", "owner"},
           {"session", to_string(x.session)},
           {"ownership", x.ownership},
           {"phase", x.phase}}};
}

named describe(const push::reminder& x) {
  return {"reminder",
          {{"session", to_string(x.session)},
           {"waiting_since", format_time(x.waiting_since)}}};
}

named describe(const push::session_ended& x) {
  return {"session",
          {{"state", "closed"},
           {"session", to_string(x.session)},
           {"reason", x.reason}}};
}

named describe(const push::entry_added& x) {
  auto out = to_json(x.line);
  out["session"] = to_string(x.session);
  return {"entry", std::move(out)};
}

named describe(const push::typing& x) {
  return {"typing", {{"session", to_string(x.session)}, {"author", x.author}}};
}

named describe(const push::read& x) {
  return {"read", {{"session", to_string(x.session)}, {"seq", x.seq}}};
}

named describe(const push::presence& x) {
  json::object out{{"state", agent::to_string(x.now)}};
  if (!x.reason.empty())
    out["reason"] = x.reason;
  if (x.next)
    out["next"] = agent::to_string(*x.next);
  return {"presence", std::move(out)};
}

named describe(const push::queue_lines& x) {
  std::int64_t waiting = 0;
  json::array lines;
  for (const auto& line : x.lines) {
    waiting += line.waiting;
    lines.push_back(json::object{{"queue", line.queue.text},
                                 {"waiting", line.waiting},
                                 {"oldest", format_time(line.oldest)}});
  }
  return {"queue", {{"waiting", waiting}, {"lines", std::move(lines)}}};
}

std::string push_text(std::string_view name, json::object body) {
  json::object inner;
  inner[name] = std::move(body);
  json::object out;
  out["push"] = std::move(inner);
  return json::serialize(out);
}

std::string result_text(std::int64_t id, json::object what) {
  json::object out{{"id", id}};
  out["result"] = std::move(what);
  return json::serialize(out);
}

// -- commands, as a client writes them ----------------------------------------

named describe(const ask::send& x) {
  return {"send",
          {{"session", to_string(x.session)},
           {"ownership", x.ownership},
           {"client_id", x.client_id.text},
           {"body", x.body}}};
}

named describe(const ask::note& x) {
  return {"note",
          {{"session", to_string(x.session)},
           {"client_id", x.client_id.text},
           {"body", x.body}}};
}

named describe(const ask::accept& x) {
  return {"offer.accept",
          {{"session", to_string(x.session)}, {"offer", x.offer}}};
}

named describe(const ask::decline& x) {
  return {"offer.decline",
          {{"session", to_string(x.session)},
           {"offer", x.offer},
           {"reason", x.reason}}};
}

named describe(const ask::presence& x) {
  return describe(push::presence{x.now, x.reason, x.next});
}

named describe(const ask::transfer& x) {
  json::object target;
  if (x.target.agent)
    target["agent"] = x.target.agent->text;
  if (x.target.queue)
    target["queue"] = x.target.queue->text;
  return {"transfer",
          {{"session", to_string(x.session)},
           {"ownership", x.ownership},
           {"target", std::move(target)},
           {"note", x.note}}};
}

named owned(std::string_view name, session_id session, std::int64_t ownership) {
  return {name, {{"session", to_string(session)}, {"ownership", ownership}}};
}

named describe(const ask::hold& x) {
  return owned("hold", x.session, x.ownership);
}

named describe(const ask::resume& x) {
  return owned("resume", x.session, x.ownership);
}

named describe(const ask::close& x) {
  auto out = owned("close", x.session, x.ownership);
  out.body["disposition"] = x.disposition;
  return out;
}

named describe(const ask::wrapped_up& x) {
  return {"wrap_up",
          {{"session", to_string(x.session)}, {"disposition", x.disposition}}};
}

named describe(const ask::pick& x) {
  return {"pick", {{"session", to_string(x.session)}}};
}

named describe(const ask::typing& x) {
  return {"typing", {{"session", to_string(x.session)}}};
}

named describe(const ask::read& x) {
  return {"read", {{"session", to_string(x.session)}, {"seq", x.seq}}};
}

named describe(const agent_ask& x) {
  return std::visit([](const auto& y) { return describe(y); }, x);
}

named describe(const connect& x) {
  json::object from;
  for (const auto& [session, seq] : x.resume)
    from[to_string(session)] = seq;
  return {
    "connect",
    {{"token", x.token}, {"device", x.device}, {"resume", std::move(from)}}};
}

named describe(const history& x) {
  json::object out{{"session", to_string(x.session)}, {"limit", x.limit}};
  if (x.before)
    out["before"] = *x.before;
  else
    out["after"] = x.after;
  return {"history", std::move(out)};
}

named describe(const person& x) {
  json::object out{{"session", to_string(x.session)}, {"limit", x.limit}};
  if (x.before)
    out["before"] = format_time(*x.before);
  return {"person", std::move(out)};
}

named describe(const pong&) {
  return {"pong", {}};
}

json::object entries_object(session_id of, const std::vector<entry>& what) {
  json::array lines;
  lines.reserve(what.size());
  for (const auto& line : what)
    lines.push_back(to_json(line));
  json::object out{{"session", to_string(of)}};
  out["entries"] = std::move(lines);
  return out;
}

} // namespace

std::string_view name_of(const request& what) noexcept {
  // The order is that of agent_ask.
  static constexpr std::array<std::string_view, std::variant_size_v<agent_ask>>
    asks{"send",     "note",   "offer.accept", "offer.decline", "presence",
         "transfer", "hold",   "resume",       "close",         "wrap_up",
         "pick",     "typing", "read"};
  return std::visit(
    overloaded{
      [](const connect&) -> std::string_view { return "connect"; },
      [](const agent_ask& x) -> std::string_view { return asks[x.index()]; },
      [](const history&) -> std::string_view { return "history"; },
      [](const person&) -> std::string_view { return "person"; },
      [](const pong&) -> std::string_view { return "pong"; },
    },
    what);
}

std::string format(const command& what) {
  auto [name, body] =
    std::visit([](const auto& x) { return describe(x); }, what.what);
  json::object out{{"id", what.id}};
  out[name] = std::move(body);
  return json::serialize(out);
}

std::string format(const agent_push& what) {
  auto [name, body] =
    std::visit([](const auto& x) { return describe(x); }, what);
  return push_text(name, std::move(body));
}

std::string format_ping() {
  return push_text("ping", {});
}

std::string format_welcome(std::int64_t id, const identity& who,
                           time_point now) {
  return result_text(id, {{"agent", who.subject},
                          {"role", switchboard::to_string(who.as)},
                          {"token_until", format_time(who.until)},
                          {"now", format_time(now)}});
}

std::string format_result(std::int64_t id, const receipt& what) {
  json::object out;
  if (what.session.value != 0)
    out = {{"session", to_string(what.session)},
           {"seq", what.seq},
           {"duplicate", what.duplicate}};
  return result_text(id, std::move(out));
}

std::string format_result(std::int64_t id, session_id of,
                          const std::vector<entry>& what) {
  return result_text(id, entries_object(of, what));
}

std::string format_result(std::int64_t id,
                          const std::vector<front::person_line>& what) {
  json::array lines;
  for (const auto& line : what) {
    auto out = to_json(line.what);
    out["session"] = to_string(line.session);
    out["channel"] = line.channel;
    lines.push_back(std::move(out));
  }
  json::object out;
  out["lines"] = std::move(lines);
  return result_text(id, std::move(out));
}

std::string format_error(std::int64_t id, const error& what) {
  // The problem is JSON already; parsing it again would only cost.
  return "{\"id\":" + std::to_string(id)
         + ",\"error\":" + switchboard::to_json(problem{what}) + "}";
}

std::string format_entries(session_id of, const std::vector<entry>& what) {
  return json::serialize(entries_object(of, what));
}

bool droppable(const agent_push& what) noexcept {
  return std::holds_alternative<push::typing>(what)
         || std::holds_alternative<push::read>(what)
         || std::holds_alternative<push::presence>(what)
         || std::holds_alternative<push::queue_lines>(what);
}

std::string format_time(time_point at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 64> text{};
  const auto size = std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace switchboard::agent_protocol
