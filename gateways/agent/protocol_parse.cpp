#include "gateways/agent/protocol.hpp"

#include "gateways/agent/fields.hpp"

#include <array>
#include <limits>

namespace switchboard::agent_protocol {

namespace {

std::optional<agent::presence> presence(fields& f, std::string_view name,
                                        bool needed) {
  const auto value = f.text(name, 32, needed);
  if (value.empty())
    return std::nullopt;
  const auto found = agent::parse_presence(value);
  // The last two are what we say of an agent, not what an agent can ask for.
  if (!found || *found == agent::presence::not_responding)
    f.wrong(name, "must be online, busy, break, finishing or offline");
  return found;
}

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
  ask::presence out{presence(f, "state", true).value_or(agent::presence{})};
  out.reason = f.text("reason", reason_bytes_max);
  out.next = presence(f, "next", false);
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

using reader = command_reader<request>;

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

} // namespace

std::vector<parsed> parse_frame(std::string_view frame) {
  return parse_commands<command>(frame, readers, frame_bytes_max);
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
