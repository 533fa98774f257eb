#include "gateways/visitor/protocol.hpp"

#include "gateways/agent/fields.hpp"

#include <array>

namespace switchboard::visitor_protocol {

namespace {

namespace json = boost::json;
using agent_protocol::command_reader;
using agent_protocol::fields;
using agent_protocol::format_time;

// -- one reader for each command ----------------------------------------------

request read_connect(fields& f) {
  connect out;
  out.token = f.text("token", token_bytes_max, true);
  const auto* from = f.any("resume");
  if (from == nullptr)
    return out;
  if (!from->is_object())
    return f.wrong("resume", "must be {\"session\":id,\"seq\":number}"), out;
  // A screen that has nothing yet says {}.
  if (from->get_object().empty())
    return out;
  fields inner{from->get_object(), "connect: resume"};
  out.resume.session = inner.session();
  out.resume.seq = inner.seq("seq");
  if (inner.problem())
    f.wrong("resume", "must be {\"session\":id,\"seq\":number}");
  return out;
}

request read_send(fields& f) {
  send out;
  out.client_id.text = f.text("client_id", message_id_bytes_max, true);
  out.body = f.text("body", content_bytes_max, true);
  return out;
}

request read_history(fields& f) {
  history out;
  out.session = f.session();
  out.limit =
    static_cast<std::int32_t>(f.number("limit", 1, history_limit_max, 50));
  if (f.any("before") != nullptr)
    out.before = f.seq("before");
  return out;
}

request read_typing(fields&) {
  return typing{};
}

request read_read(fields& f) {
  return read{
    static_cast<std::int32_t>(f.number("seq", 1, (std::int64_t{1} << 31) - 1))};
}

request read_pong(fields&) {
  return pong{};
}

constexpr std::array readers{
  command_reader<request>{"connect", read_connect},
  command_reader<request>{"send", read_send},
  command_reader<request>{"history", read_history},
  command_reader<request>{"typing", read_typing},
  command_reader<request>{"read", read_read},
  command_reader<request>{"pong", read_pong},
};

// -- pushes -------------------------------------------------------------------

struct named {
  std::string_view name;
  json::object body;
};

json::object to_json(const entry& x) {
  json::object out{{"seq", x.seq},
                   {"kind", switchboard::to_string(x.kind)},
                   {"at", format_time(x.at)}};
  if (!x.id.empty())
    out["id"] = x.id.text;
  out["body"] = x.body;
  return out;
}

named describe(const visit::said& x) {
  auto out = to_json(x.what);
  out["session"] = to_string(x.session);
  return {"entry", std::move(out)};
}

named describe(const visit::standing& x) {
  return {"agent", {{"session", to_string(x.session)}, {"name", x.agent}}};
}

named describe(const visit::closed& x) {
  return {"closed", {{"session", to_string(x.session)}}};
}

named describe(const visit::typing& x) {
  return {"typing", {{"session", to_string(x.session)}}};
}

named describe(const visit::read& x) {
  return {"read", {{"session", to_string(x.session)}, {"seq", x.seq}}};
}

named describe(const visit::place& x) {
  json::object to{{"session", to_string(x.session)}, {"position", x.position}};
  if (x.wait_max > duration{0}) {
    to["wait_min_s"] = x.wait_min.count() / 1000;
    to["wait_max_s"] = x.wait_max.count() / 1000;
  }
  return {"queue", std::move(to)};
}

std::string result_text(std::int64_t id, json::object what) {
  json::object out{{"id", id}};
  out["result"] = std::move(what);
  return json::serialize(out);
}

} // namespace

std::vector<parsed> parse_frame(std::string_view frame) {
  return agent_protocol::parse_commands<command>(frame, readers,
                                                 frame_bytes_max);
}

std::string_view name_of(const request& what) noexcept {
  // The order is that of `request`; told apart from the agents' commands.
  static constexpr std::array<std::string_view, std::variant_size_v<request>>
    names{"customer.connect", "customer.send", "customer.history",
          "customer.typing",  "customer.read", "customer.pong"};
  return names[what.index()];
}

std::string format(const visit_push& what) {
  auto [name, body] =
    std::visit([](const auto& x) { return describe(x); }, what);
  json::object inner;
  inner[name] = std::move(body);
  json::object out;
  out["push"] = std::move(inner);
  return json::serialize(out);
}

std::string format_welcome(std::int64_t id, const identity& who,
                           const receipt& now, time_point at) {
  json::object out{{"user", who.subject},
                   {"channel", channel},
                   {"token_until", format_time(who.until)},
                   {"now", format_time(at)}};
  if (now.session.value != 0) {
    out["session"] = to_string(now.session);
    out["last_seq"] = now.seq;
  }
  return result_text(id, std::move(out));
}

std::string format_lines(std::int64_t id, session_id of,
                         const std::vector<entry>& what) {
  json::array lines;
  lines.reserve(what.size());
  for (const auto& x : what)
    lines.push_back(to_json(x));
  json::object out{{"session", to_string(of)}};
  out["entries"] = std::move(lines);
  return result_text(id, std::move(out));
}

bool droppable(const visit_push& what) noexcept {
  return std::holds_alternative<visit::typing>(what)
         || std::holds_alternative<visit::read>(what)
         || std::holds_alternative<visit::place>(what);
}

} // namespace switchboard::visitor_protocol
