#include "gateways/agent/protocol.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace switchboard::agent_protocol {

namespace {

namespace json = boost::json;

/// Reads the fields of one command. The first thing wrong is remembered, and
/// everything after it reads as empty, so a command's reader is a plain list.
class fields {
public:
  fields(const json::object& from, std::string_view command)
    : from_(from), command_(command) {}

  std::string text(std::string_view name, std::size_t bytes_max,
                   bool needed = false) {
    const auto* found = from_.if_contains(name);
    if (found == nullptr || found->is_null()) {
      if (needed)
        wrong(name, "is missing");
      return {};
    }
    if (!found->is_string())
      return wrong(name, "must be a string"), std::string{};
    const std::string_view value = found->get_string();
    if (needed && value.empty())
      wrong(name, "must not be empty");
    // PostgreSQL's text holds every character but this one.
    if (value.find('\0') != std::string_view::npos)
      wrong(name, "must not contain the character U+0000");
    if (value.size() > bytes_max)
      wrong(name, "is longer than " + std::to_string(bytes_max) + " bytes",
            errc::too_large);
    return std::string(value);
  }

  session_id session() {
    const auto found = parse_session_id(text("session", 32, true));
    if (!found)
      wrong("session", "must be a session's number, written as a string");
    return found.value_or(session_id{});
  }

  /// A number, or the same as a string.
  std::int64_t number(std::string_view name, std::int64_t least,
                      std::int64_t most,
                      std::optional<std::int64_t> otherwise = {}) {
    const auto* found = from_.if_contains(name);
    if (found == nullptr || found->is_null()) {
      if (!otherwise)
        wrong(name, "is missing");
      return otherwise.value_or(least);
    }
    const auto value = whole_number(*found);
    if (!value || *value < least || *value > most) {
      wrong(name, "must be a whole number from " + std::to_string(least)
                    + " to " + std::to_string(most));
      return least;
    }
    return *value;
  }

  std::int64_t ownership() {
    return number("ownership", 0, std::numeric_limits<std::int64_t>::max());
  }

  std::int32_t seq(std::string_view name,
                   std::optional<std::int64_t> otherwise = {}) {
    return static_cast<std::int32_t>(
      number(name, 0, std::numeric_limits<std::int32_t>::max(), otherwise));
  }

  std::optional<agent::presence> presence(std::string_view name, bool needed) {
    const auto value = text(name, 32, needed);
    if (value.empty())
      return std::nullopt;
    const auto found = agent::parse_presence(value);
    // The last two are what we say of an agent, not what an agent can ask for.
    if (!found || *found == agent::presence::not_responding)
      wrong(name, "must be online, busy, break, finishing or offline");
    return found;
  }

  const json::value* any(std::string_view name) const {
    const auto* found = from_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }

  void wrong(std::string_view name, const std::string& how,
             errc code = errc::malformed) {
    if (!error_)
      error_ = fail(code, std::string(command_) + ": " + std::string(name) + " "
                            + how);
  }

  const std::optional<error>& problem() const { return error_; }

  static std::optional<std::int64_t> whole_number(const json::value& x) {
    if (x.is_int64())
      return x.get_int64();
    if (!x.is_string())
      return std::nullopt;
    const std::string_view text = x.get_string();
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc{} || stop != end)
      return std::nullopt;
    return value;
  }

private:
  const json::object& from_;
  std::string_view command_;
  std::optional<error> error_;
};

// -- one reader for each command ----------------------------------------------

request read_connect(fields& f) {
  connect out;
  out.token = f.text("token", token_bytes_max, true);
  out.device = f.text("device", device_bytes_max);
  const auto* from = f.any("resume");
  if (from == nullptr)
    return out;
  if (!from->is_object())
    return f.wrong("resume", "must be an object of session: seq"), out;
  if (from->get_object().size() > resume_sessions_max)
    return f.wrong("resume", "has too many sessions", errc::too_large), out;
  for (const auto& [key, value] : from->get_object()) {
    const auto session = parse_session_id(std::string_view(key));
    const auto seq = fields::whole_number(value);
    if (!session || !seq || *seq < 0
        || *seq > std::numeric_limits<std::int32_t>::max())
      return f.wrong("resume", "must be an object of session: seq"), out;
    out.resume[*session] = static_cast<std::int32_t>(*seq);
  }
  return out;
}

request read_send(fields& f) {
  ask::send out;
  out.session = f.session();
  out.ownership = f.ownership();
  out.client_id.text = f.text("client_id", message_id_bytes_max, true);
  out.body = f.text("body", content_bytes_max, true);
  return agent_ask{std::move(out)};
}

request read_note(fields& f) {
  ask::note out;
  out.session = f.session();
  out.client_id.text = f.text("client_id", message_id_bytes_max, true);
  out.body = f.text("body", content_bytes_max, true);
  return agent_ask{std::move(out)};
}

std::int64_t offer_of(fields& f) {
  return f.number("offer", 0, std::numeric_limits<std::int64_t>::max());
}

request read_accept(fields& f) {
  ask::accept out;
  out.session = f.session();
  out.offer = offer_of(f);
  return agent_ask{out};
}

request read_decline(fields& f) {
  ask::decline out;
  out.session = f.session();
  out.offer = offer_of(f);
  out.reason = f.text("reason", reason_bytes_max);
  return agent_ask{std::move(out)};
}

request read_presence(fields& f) {
  ask::presence out{f.presence("state", true).value_or(agent::presence{})};
  out.reason = f.text("reason", reason_bytes_max);
  out.next = f.presence("next", false);
  return agent_ask{std::move(out)};
}

request read_transfer(fields& f) {
  ask::transfer out;
  out.session = f.session();
  out.ownership = f.ownership();
  out.note = f.text("note", content_bytes_max);
  const auto* target = f.any("target");
  if (target == nullptr || !target->is_object()) {
    f.wrong("target", "must be {\"agent\":id} or {\"queue\":id}");
    return agent_ask{std::move(out)};
  }
  fields inner{target->get_object(), "transfer: target"};
  const auto agent = inner.text("agent", 128);
  const auto queue = inner.text("queue", 128);
  if (inner.problem() || agent.empty() == queue.empty())
    f.wrong("target", "must be {\"agent\":id} or {\"queue\":id}");
  else if (!agent.empty())
    out.target.agent = agent_id{agent};
  else
    out.target.queue = queue_id{queue};
  return agent_ask{std::move(out)};
}

template <class Ask>
request read_owned(fields& f) {
  Ask out;
  out.session = f.session();
  out.ownership = f.ownership();
  return agent_ask{std::move(out)};
}

request read_close(fields& f) {
  ask::close out;
  out.session = f.session();
  out.ownership = f.ownership();
  out.disposition = f.text("disposition", reason_bytes_max);
  return agent_ask{std::move(out)};
}

request read_wrap_up(fields& f) {
  ask::wrapped_up out;
  out.session = f.session();
  out.disposition = f.text("disposition", reason_bytes_max);
  return agent_ask{std::move(out)};
}

request read_pick(fields& f) {
  return agent_ask{ask::pick{f.session()}};
}

request read_typing(fields& f) {
  return agent_ask{ask::typing{f.session()}};
}

request read_read(fields& f) {
  ask::read out;
  out.session = f.session();
  out.seq = f.seq("seq");
  return agent_ask{out};
}

request read_history(fields& f) {
  history out;
  out.session = f.session();
  out.after = f.seq("after", 0);
  out.limit =
    static_cast<std::int32_t>(f.number("limit", 1, history_limit_max, 100));
  if (f.any("before") != nullptr) {
    out.before = f.seq("before");
    if (f.any("after") != nullptr)
      f.wrong("after", "and before exclude each other");
  }
  return out;
}

request read_person(fields& f) {
  person out;
  out.session = f.session();
  out.limit =
    static_cast<std::int32_t>(f.number("limit", 1, history_limit_max, 100));
  const auto before = f.text("before", 64);
  if (!before.empty()) {
    out.before = parse_time(before);
    if (!out.before)
      f.wrong("before", "must be a time such as 2026-11-21T08:00:00.000Z");
  }
  return out;
}

request read_pong(fields&) {
  return pong{};
}

struct reader {
  std::string_view name;
  request (*read)(fields&);
};

constexpr std::array readers{
  reader{"connect", read_connect},
  reader{"send", read_send},
  reader{"note", read_note},
  reader{"offer.accept", read_accept},
  reader{"offer.decline", read_decline},
  reader{"presence", read_presence},
  reader{"transfer", read_transfer},
  reader{"hold", read_owned<ask::hold>},
  reader{"resume", read_owned<ask::resume>},
  reader{"close", read_close},
  reader{"wrap_up", read_wrap_up},
  reader{"pick", read_pick},
  reader{"typing", read_typing},
  reader{"read", read_read},
  reader{"history", read_history},
  reader{"person", read_person},
  reader{"pong", read_pong},
};

const reader* find_reader(std::string_view name) {
  const auto* found =
    std::find_if(readers.begin(), readers.end(),
                 [&](const auto& x) { return x.name == name; });
  return found == readers.end() ? nullptr : found;
}

// -- one object ---------------------------------------------------------------

parsed refuse(std::optional<std::int64_t> id, std::string detail) {
  return refusal{id, fail(errc::malformed, std::move(detail))};
}

/// JavaScript's numbers are exact up to here.
constexpr std::int64_t command_id_max = (std::int64_t{1} << 53) - 1;

parsed read_command(const json::object& from) {
  std::optional<std::int64_t> id;
  if (const auto* x = from.if_contains("id"))
    if (x->is_int64() && x->get_int64() >= 0
        && x->get_int64() <= command_id_max)
      id = x->get_int64();
  // The answer to a ping needs no number, since nobody answers it.
  if (!id && !from.contains("pong"))
    return refuse({}, "a command needs an id: a whole number from 0 to 2^53-1");
  const json::object::value_type* body = nullptr;
  for (const auto& pair : from) {
    if (pair.key() == "id")
      continue;
    if (body != nullptr)
      return refuse(id, "an object holds one command, not several");
    body = &pair;
  }
  if (body == nullptr)
    return refuse(id, "the object holds no command");
  const auto* how = find_reader(std::string_view(body->key()));
  if (how == nullptr)
    return refuse(id, "there is no command of this name");
  if (!body->value().is_object())
    return refuse(id, std::string(how->name) + " must be an object");
  fields f{body->value().get_object(), how->name};
  auto what = how->read(f);
  if (f.problem())
    return refusal{id, *f.problem()};
  return command{id.value_or(0), std::move(what)};
}

parsed parse_object(std::string_view text) {
  boost::system::error_code ec;
  json::monotonic_resource memory;
  const auto value = json::parse(json::string_view(text), ec, &memory);
  if (ec)
    return refuse({}, "not JSON: " + ec.message());
  if (!value.is_object())
    return refuse({}, "a frame holds JSON objects, one a line");
  return read_command(value.get_object());
}

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

} // namespace

std::vector<parsed> parse_frame(std::string_view frame) {
  std::vector<parsed> out;
  if (frame.size() > frame_bytes_max) {
    out.push_back(
      refusal{{}, fail(errc::too_large, "a frame is at most 256 KiB")});
    return out;
  }
  while (!frame.empty()) {
    const auto end = std::min(frame.find('\n'), frame.size());
    const auto line = frame.substr(0, end);
    frame.remove_prefix(std::min(end + 1, frame.size()));
    if (blank(line))
      continue;
    if (out.size() == commands_per_frame_max) {
      out.push_back(refuse({}, "a frame holds at most 256 commands"));
      return out;
    }
    out.push_back(parse_object(line));
  }
  if (out.empty())
    out.push_back(refuse({}, "the frame is empty"));
  return out;
}

std::optional<time_point> parse_time(std::string_view text) {
  // 2026-11-21T08:00:00[.123]Z
  const auto digits = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (auto i = from; i < from + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9')
        return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const auto is = [&](std::size_t at, char c) {
    return at < text.size() && text[at] == c;
  };
  int millis = 0;
  if (text.size() == 24 && is(19, '.'))
    millis = digits(20, 3);
  else if (text.size() != 20)
    return std::nullopt;
  if (!is(4, '-') || !is(7, '-') || !is(10, 'T') || !is(13, ':') || !is(16, ':')
      || !is(text.size() - 1, 'Z') || millis < 0)
    return std::nullopt;
  const auto hour = digits(11, 2);
  const auto minute = digits(14, 2);
  const auto second = digits(17, 2);
  const auto month = digits(5, 2);
  const auto day = digits(8, 2);
  if (digits(0, 4) < 0 || month < 0 || day < 0 || hour < 0 || hour > 23
      || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{
    std::chrono::year{digits(0, 4)},
    std::chrono::month{static_cast<unsigned>(month)},
    std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  return time_point{std::chrono::sys_days{date} + std::chrono::hours{hour}
                    + std::chrono::minutes{minute}
                    + std::chrono::seconds{second} + duration{millis}};
}

} // namespace switchboard::agent_protocol
