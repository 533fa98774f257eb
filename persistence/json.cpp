// The JSON of sessions and decisions: what the database keeps of them.
#include "persistence/store.hpp"

#include <boost/json.hpp>

namespace switchboard {

namespace json = boost::json;

namespace {

std::int64_t ms(time_point x) {
  return x.time_since_epoch().count();
}

time_point at_ms(std::int64_t x) {
  return time_point{duration{x}};
}

/// Reads members of an object; what is missing or of another type defaults.
struct reader {
  const json::object& from;

  std::string text(std::string_view key) const {
    const auto* x = from.if_contains(key);
    return x && x->is_string() ? std::string(x->get_string()) : std::string{};
  }

  std::int64_t number(std::string_view key, std::int64_t otherwise = 0) const {
    const auto* x = from.if_contains(key);
    if (!x || !x->is_number())
      return otherwise;
    boost::system::error_code ec;
    const auto n = x->to_number<std::int64_t>(ec);
    return ec ? otherwise : n;
  }

  bool flag(std::string_view key) const {
    const auto* x = from.if_contains(key);
    return x && x->is_bool() && x->get_bool();
  }

  const json::object* object(std::string_view key) const {
    const auto* x = from.if_contains(key);
    return x ? x->if_object() : nullptr;
  }

  const json::array& array(std::string_view key) const {
    static const json::array none;
    const auto* x = from.if_contains(key);
    return x && x->is_array() ? x->get_array() : none;
  }

  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> all;
    for (const auto& x : array(key))
      if (x.is_string())
        all.emplace_back(x.get_string());
    return all;
  }
};

json::array texts(const std::vector<std::string>& all) {
  json::array to;
  for (const auto& x : all)
    to.emplace_back(x);
  return to;
}

json::object needs_to_json(const needs& x) {
  return {{"queue", x.queue.text},
          {"language", x.language},
          {"skills", texts(x.skills)},
          {"urgency", to_string(x.urgency)}};
}

needs needs_from_json(const json::object* from) {
  needs x;
  if (!from)
    return x;
  const reader r{*from};
  x.queue.text = r.text("queue");
  x.language = r.text("language");
  x.skills = r.texts("skills");
  for (const auto u : {urgency_class::normal, urgency_class::vip,
                       urgency_class::urgent, urgency_class::relaxed})
    if (r.text("urgency") == to_string(u))
      x.urgency = u;
  return x;
}

json::object reservation_to_json(const session::reservation& x) {
  return {{"agent", x.agent.text}, {"offer", x.offer}, {"until", ms(x.until)}};
}

session::reservation reservation_from_json(const json::object& from) {
  const reader r{from};
  return {{r.text("agent")}, r.number("offer"), at_ms(r.number("until"))};
}

/// Adds what a phase carries besides its name.
struct write_phase {
  json::object& to;

  void operator()(const session::fresh&) const {}
  void operator()(const session::queued& x) const {
    if (x.closed_until != time_point{})
      to["closed_until"] = ms(x.closed_until);
    if (x.probed_until != time_point{})
      to["probed_until"] = ms(x.probed_until);
  }
  void operator()(const session::closed&) const {}
  void operator()(const session::offered& x) const {
    to["offered"] = reservation_to_json(x.to);
    json::array also;
    for (const auto& each : x.also)
      also.push_back(reservation_to_json(each));
    to["also"] = std::move(also);
    to["more"] = x.more;
  }
  void operator()(const session::active& x) const {
    to["agent"] = x.agent.text;
    to["replied"] = x.replied;
    to["quiet"] = x.quiet;
    to["reminders"] = x.reminders;
  }
  void operator()(const session::held& x) const { to["agent"] = x.agent.text; }
  void operator()(const session::transferring& x) const {
    to["agent"] = x.from.text;
    to["until"] = ms(x.until);
    if (x.target.agent)
      to["to_agent"] = x.target.agent->text;
    if (x.target.queue)
      to["to_queue"] = x.target.queue->text;
    if (x.asked)
      to["offered"] = reservation_to_json(*x.asked);
  }
  void operator()(const session::wrap_up& x) const {
    to["agent"] = x.agent.text;
    to["until"] = ms(x.until);
    to["disposition"] = x.disposition;
  }
};

session::offered offered_from_json(const json::object& first, const reader& r) {
  session::offered x{reservation_from_json(first)};
  for (const auto& each : r.array("also"))
    if (const auto* one = each.if_object())
      x.also.push_back(reservation_from_json(*one));
  x.more = static_cast<std::int32_t>(r.number("more"));
  return x;
}

session::transferring transferring_from_json(const reader& r) {
  session::transferring x{.from = {r.text("agent")},
                          .target = {},
                          .until = at_ms(r.number("until")),
                          .asked = {}};
  if (const auto to = r.text("to_agent"); !to.empty())
    x.target.agent = agent_id{to};
  if (const auto to = r.text("to_queue"); !to.empty())
    x.target.queue = queue_id{to};
  if (const auto* asked = r.object("offered"))
    x.asked = reservation_from_json(*asked);
  return x;
}

std::optional<session::phase> phase_from_json(const reader& r) {
  const auto name = r.text("phase");
  if (name == session::fresh::name)
    return session::fresh{};
  if (name == session::queued::name)
    return session::queued{.closed_until = at_ms(r.number("closed_until")),
                           .probed_until = at_ms(r.number("probed_until"))};
  if (name == session::closed::name)
    return session::closed{};
  if (name == session::active::name)
    return session::active{.agent = {r.text("agent")},
                           .replied = r.flag("replied"),
                           .quiet = r.flag("quiet"),
                           .reminders =
                             static_cast<std::int32_t>(r.number("reminders"))};
  if (name == session::held::name)
    return session::held{{r.text("agent")}};
  if (name == session::wrap_up::name)
    return session::wrap_up{
      {r.text("agent")}, at_ms(r.number("until")), r.text("disposition")};
  if (name == session::transferring::name)
    return transferring_from_json(r);
  if (const auto* to = r.object("offered");
      to && name == session::offered::name)
    return offered_from_json(*to, r);
  return std::nullopt;
}

/// Only what is not as in the beginning: most sessions never wait long.
json::object queue_wait_to_json(const session::state& s) {
  json::object to;
  const auto put = [&](std::string_view key, time_point x) {
    if (x != time_point{})
      to[key] = ms(x);
  };
  put("counts_from", s.counts_from);
  put("queue_since", s.queue_since);
  put("told_closed", s.told_closed);
  if (s.receiver_too)
    to["receiver_too"] = true;
  if (s.place_told > 0)
    to["place_told"] = s.place_told;
  if (!s.overflowed.empty()) {
    json::array all;
    for (const auto& x : s.overflowed)
      all.emplace_back(x.text);
    to["overflowed"] = std::move(all);
  }
  return to;
}

void queue_wait_from_json(const json::object* from, session::state& s) {
  if (!from)
    return;
  const reader r{*from};
  s.counts_from = at_ms(r.number("counts_from"));
  s.queue_since = at_ms(r.number("queue_since"));
  s.told_closed = at_ms(r.number("told_closed"));
  s.receiver_too = r.flag("receiver_too");
  s.place_told = static_cast<std::int32_t>(r.number("place_told"));
  for (auto& x : r.texts("overflowed"))
    s.overflowed.push_back({std::move(x)});
}

json::object candidate_to_json(const decision::candidate& x) {
  return {{"agent", x.agent.text},  {"verdicts", texts(x.verdicts)},
          {"language", x.language}, {"skill", x.skill},
          {"affinity", x.affinity}, {"load_factor", x.load_factor},
          {"quality", x.quality},   {"match", x.match},
          {"priority", x.priority}, {"load", x.load},
          {"capacity", x.capacity}, {"rank", x.rank}};
}

decision::candidate candidate_from_json(const json::object& from) {
  const reader r{from};
  return {.agent = {r.text("agent")},
          .verdicts = r.texts("verdicts"),
          .language = r.number("language"),
          .skill = r.number("skill"),
          .affinity = r.number("affinity"),
          .load_factor = r.number("load_factor"),
          .quality = r.number("quality"),
          .match = r.number("match"),
          .priority = r.number("priority"),
          .load = static_cast<std::int32_t>(r.number("load")),
          .capacity = static_cast<std::int32_t>(r.number("capacity")),
          .rank = static_cast<std::int32_t>(r.number("rank"))};
}

} // namespace

std::string to_json(const session::state& s) {
  json::array excluded;
  for (const auto& x : s.excluded)
    excluded.push_back(
      json::object{{"agent", x.agent.text}, {"until", ms(x.until)}});
  json::object to{{"id", to_string(s.id)},
                  {"channel", s.who.channel},
                  {"user", s.who.user},
                  {"customer", s.customer.text},
                  {"want", needs_to_json(s.want)},
                  {"phase", session::name_of(s.at)},
                  {"last_seq", s.last_seq},
                  {"ownership", s.ownership},
                  {"offers", s.offers},
                  {"rounds", s.rounds},
                  {"load", s.load},
                  {"opened_at", ms(s.opened_at)},
                  {"waiting_since", ms(s.waiting_since)},
                  {"answered", s.answered},
                  {"excluded", std::move(excluded)}};
  if (s.previous)
    to["previous"] = s.previous->text;
  to["heard_at"] = ms(s.heard_at);
  if (const auto waited = queue_wait_to_json(s); !waited.empty())
    to["queue_wait"] = waited;
  std::visit(write_phase{to}, s.at);
  return json::serialize(to);
}

result<session::state> session_from_json(std::string_view text) {
  boost::system::error_code ec;
  const auto value = json::parse(text, ec);
  if (ec || !value.is_object())
    return fail(errc::malformed, "not a session's state");
  const reader r{value.get_object()};
  const auto id = parse_session_id(r.text("id"));
  const auto at = phase_from_json(r);
  if (!id || !at)
    return fail(errc::malformed, "a session's state without id or phase");
  session::state s{.id = *id,
                   .who = {r.text("channel"), r.text("user")},
                   .customer = {r.text("customer")},
                   .want = needs_from_json(r.object("want")),
                   .at = *at,
                   .last_seq = static_cast<std::int32_t>(r.number("last_seq")),
                   .ownership = r.number("ownership"),
                   .offers = r.number("offers"),
                   .rounds = r.number("rounds"),
                   .load = static_cast<std::int32_t>(r.number("load", 1000)),
                   .opened_at = at_ms(r.number("opened_at")),
                   .waiting_since = at_ms(r.number("waiting_since")),
                   .answered = r.flag("answered")};
  if (const auto previous = r.text("previous"); !previous.empty())
    s.previous = agent_id{previous};
  s.heard_at = at_ms(r.number("heard_at"));
  queue_wait_from_json(r.object("queue_wait"), s);
  for (const auto& x : r.array("excluded"))
    if (const auto* one = x.if_object()) {
      const reader e{*one};
      s.excluded.push_back({{e.text("agent")}, at_ms(e.number("until"))});
    }
  return s;
}

std::string to_json(const decision& d) {
  json::array candidates;
  for (const auto& x : d.candidates)
    candidates.push_back(candidate_to_json(x));
  json::array obstacles;
  for (const auto& x : d.obstacles)
    obstacles.push_back(json::object{{"what", x.what}, {"agents", x.agents}});
  return json::serialize(json::object{
    {"session", to_string(d.session)},
    {"trigger", d.trigger},
    {"policy", d.policy},
    {"at", ms(d.at)},
    {"want", needs_to_json(d.want)},
    {"wait_ms", d.wait_ms},
    {"urgency", d.urgency},
    {"waiting", d.waiting},
    {"candidates", std::move(candidates)},
    {"candidates_left_out", d.candidates_left_out},
    {"obstacles", std::move(obstacles)},
    {"relaxed", d.relaxed},
    {"chosen", d.chosen.text},
    {"margin", d.margin},
    {"tie_rule", d.tie_rule},
    {"inputs_hash", std::to_string(d.inputs_hash)},
    {"load", d.load},
  });
}

result<decision> decision_from_json(std::string_view text) {
  boost::system::error_code ec;
  const auto value = json::parse(text, ec);
  if (ec || !value.is_object())
    return fail(errc::malformed, "not a decision record");
  const reader r{value.get_object()};
  const auto id = parse_session_id(r.text("session"));
  if (!id)
    return fail(errc::malformed, "a decision record without session");
  decision d{.session = *id,
             .trigger = r.text("trigger"),
             .policy = static_cast<std::int32_t>(r.number("policy")),
             .at = at_ms(r.number("at")),
             .want = needs_from_json(r.object("want")),
             .wait_ms = r.number("wait_ms"),
             .urgency = r.number("urgency"),
             .waiting = static_cast<std::int32_t>(r.number("waiting")),
             .candidates = {},
             .candidates_left_out =
               static_cast<std::int32_t>(r.number("candidates_left_out")),
             .chosen = {r.text("chosen")},
             .margin = r.number("margin"),
             .tie_rule = r.text("tie_rule"),
             .inputs_hash = 0,
             .load = static_cast<std::int32_t>(r.number("load", 1000))};
  const auto hash = r.text("inputs_hash");
  d.inputs_hash = hash.empty() ? 0 : std::stoull(hash);
  d.relaxed = static_cast<std::int32_t>(r.number("relaxed"));
  for (const auto& x : r.array("candidates"))
    if (const auto* one = x.if_object())
      d.candidates.push_back(candidate_from_json(*one));
  for (const auto& x : r.array("obstacles"))
    if (const auto* one = x.if_object())
      d.obstacles.push_back(
        {reader{*one}.text("what"),
         static_cast<std::int32_t>(reader{*one}.number("agents"))});
  return d;
}

} // namespace switchboard
