#include "persistence/router_log.hpp"

#include "config/policy_file.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <stdexcept>

namespace switchboard {

namespace json = boost::json;

namespace {

std::int64_t ms(time_point x) {
  return x.time_since_epoch().count();
}

time_point at_ms(std::int64_t x) {
  return time_point{duration{x}};
}

// -- writing ------------------------------------------------------------------

template <class Range, class ToText>
json::array list(const Range& all, ToText to_text) {
  json::array out;
  for (const auto& x : all)
    out.emplace_back(to_text(x));
  return out;
}

json::string name_of(const agent_id& x) {
  return json::string{x.text};
}

json::object abilities(const std::vector<agent::ability>& all) {
  json::object out;
  for (const auto& x : all) {
    // Of an ability listed twice the better counts.
    auto& level = out[x.name];
    if (!level.is_int64() || level.get_int64() < x.level)
      level = x.level;
  }
  return out;
}

struct event_writer {
  json::object& to;

  void operator()(const router::session_waiting& e) const {
    to["session"] = to_string(e.session);
    to["channel"] = e.channel;
    to["queue"] = e.want.queue.text;
    to["language"] = e.want.language;
    to["skills"] =
      list(e.want.skills, [](const auto& x) { return json::string{x}; });
    to["urgency"] = static_cast<int>(e.want.urgency);
    to["load"] = e.load;
    to["since"] = ms(e.since);
    if (e.only)
      to["only"] = e.only->text;
    if (e.not_from)
      to["not_from"] = e.not_from->text;
    if (e.previous) {
      to["previous"] = e.previous->text;
      to["previous_at"] = ms(e.previous_at);
    }
    if (!e.asked.empty())
      to["asked"] = list(e.asked, name_of);
    if (!e.excluded.empty()) {
      to["excluded"] = list(e.excluded, name_of);
      to["excluded_until"] = ms(e.excluded_until);
    }
    if (e.besides)
      to["besides"] = e.besides->text;
    if (e.target > duration{0})
      to["target"] = e.target.count();
  }

  void operator()(const router::session_left& e) const {
    to["session"] = to_string(e.session);
  }

  void operator()(const router::agent_changed& e) const {
    const auto& a = e.what;
    to["agent"] = a.id.text;
    to["routable"] = a.routable;
    to["presence"] = static_cast<int>(a.now);
    to["load"] = a.load;
    to["last_accepted_at"] = ms(a.last_accepted_at);
    to["sessions"] = list(
      a.sessions, [](const auto& x) { return json::string{to_string(x)}; });
    to["languages"] = abilities(a.who.languages);
    to["skills"] = abilities(a.who.skills);
    to["queues"] =
      list(a.who.queues, [](const auto& x) { return json::string{x.text}; });
    to["channels"] =
      list(a.who.channels, [](const auto& x) { return json::string{x}; });
    to["capacity"] = a.who.capacity;
  }

  void operator()(const router::agent_left& e) const {
    to["agent"] = e.agent.text;
  }

  void operator()(const router::refused& e) const {
    to["session"] = to_string(e.session);
    to["agent"] = e.agent.text;
    to["reason"] = e.reason;
  }

  void operator()(const router::picked& e) const {
    to["session"] = to_string(e.session);
    to["agent"] = e.agent.text;
  }

  void operator()(const router::swept&) const {
    // Nothing but the time.
  }

  void operator()(const router::policy_changed& e) const {
    to["acting"] = to_toml(e.what.acting);
    if (e.what.canary) {
      to["canary"] = to_toml(*e.what.canary);
      to["canary_percent"] = e.what.canary_percent;
    }
  }
};

struct effect_writer {
  json::object& to;

  void operator()(const router::propose& e) const {
    to["session"] = to_string(e.session);
    to["agent"] = e.agent.text;
    to["inputs_hash"] = std::to_string(e.why ? e.why->inputs_hash : 0);
  }

  void operator()(const router::lost_wakeup& e) const {
    to["session"] = to_string(e.session);
  }

  void operator()(const router::disagreement& e) const {
    to["session"] = to_string(e.session);
    to["agent"] = e.agent.text;
    to["other_session"] = to_string(e.other_session);
    to["other_agent"] = e.other_agent.text;
    to["policy"] = e.policy;
  }

  void operator()(const router::canary_ended& e) const {
    to["reason"] = e.reason;
  }

  void operator()(const router::turn_down& e) const {
    to["session"] = to_string(e.session);
    to["agent"] = e.agent.text;
    to["reason"] = e.reason;
  }
};

// -- reading ------------------------------------------------------------------

/// Reads members; throws what is missing or of another kind.
struct reader {
  const json::object& from;

  const json::value& at(std::string_view key) const {
    const auto* x = from.if_contains(key);
    if (!x)
      throw std::invalid_argument("lacks " + std::string(key));
    return *x;
  }

  bool has(std::string_view key) const { return from.contains(key); }

  std::string text(std::string_view key) const {
    return std::string(at(key).as_string());
  }

  template <class T = std::int64_t>
  T number(std::string_view key) const {
    return at(key).to_number<T>();
  }

  time_point time(std::string_view key) const { return at_ms(number(key)); }

  session_id session(std::string_view key = "session") const {
    const auto id = parse_session_id(text(key));
    if (!id)
      throw std::invalid_argument("has no session number in "
                                  + std::string(key));
    return *id;
  }

  agent_id agent(std::string_view key = "agent") const { return {text(key)}; }

  std::optional<agent_id> some_agent(std::string_view key) const {
    return has(key) ? std::optional{agent(key)} : std::nullopt;
  }

  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> out;
    for (const auto& x : at(key).as_array())
      out.emplace_back(x.as_string());
    return out;
  }

  std::vector<agent::ability> abilities(std::string_view key) const {
    std::vector<agent::ability> out;
    for (const auto& [name, level] : at(key).as_object())
      out.push_back({std::string(name), level.to_number<std::int32_t>()});
    return out;
  }
};

router::event read_waiting(const reader& r) {
  router::session_waiting e;
  e.session = r.session();
  e.channel = r.text("channel");
  e.want.queue = {r.text("queue")};
  e.want.language = r.text("language");
  e.want.skills = r.texts("skills");
  const auto urgency = r.number<int>("urgency");
  if (urgency < 0 || urgency > static_cast<int>(urgency_class::relaxed))
    throw std::invalid_argument("has an unknown urgency");
  e.want.urgency = static_cast<urgency_class>(urgency);
  e.load = r.number<std::int32_t>("load");
  e.since = r.time("since");
  e.only = r.some_agent("only");
  e.not_from = r.some_agent("not_from");
  e.previous = r.some_agent("previous");
  if (e.previous)
    e.previous_at = r.time("previous_at");
  if (r.has("asked"))
    for (auto& name : r.texts("asked"))
      e.asked.push_back({std::move(name)});
  if (r.has("excluded")) {
    for (auto& name : r.texts("excluded"))
      e.excluded.push_back({std::move(name)});
    e.excluded_until = r.time("excluded_until");
  }
  e.besides = r.some_agent("besides");
  if (r.has("target"))
    e.target = duration{r.number<std::int64_t>("target")};
  return e;
}

router::event read_agent(const reader& r) {
  agent::availability a;
  a.id = r.agent();
  a.routable = r.at("routable").as_bool();
  const auto presence = r.number<int>("presence");
  if (presence < 0
      || presence > static_cast<int>(agent::presence::not_responding))
    throw std::invalid_argument("has an unknown presence");
  a.now = static_cast<agent::presence>(presence);
  a.load = r.number<std::int32_t>("load");
  a.last_accepted_at = r.time("last_accepted_at");
  for (const auto& x : r.texts("sessions"))
    if (const auto id = parse_session_id(x))
      a.sessions.push_back(*id);
  a.who.languages = r.abilities("languages");
  a.who.skills = r.abilities("skills");
  for (auto& name : r.texts("queues"))
    a.who.queues.push_back({std::move(name)});
  a.who.channels = r.texts("channels");
  a.who.capacity = r.number<std::int32_t>("capacity");
  return router::agent_changed{std::move(a)};
}

router::event read_policy(const reader& r) {
  router::policy_choice c;
  c.acting = parse_policy(r.text("acting"), "acting");
  if (r.has("canary")) {
    c.canary = parse_policy(r.text("canary"), "canary");
    c.canary_percent = r.number<std::int32_t>("canary_percent");
  }
  return router::policy_changed{std::move(c)};
}

std::optional<router::event> read_event(const std::string& name,
                                        const reader& r) {
  if (name == router::session_waiting::name)
    return read_waiting(r);
  if (name == router::session_left::name)
    return router::session_left{r.session()};
  if (name == router::agent_changed::name)
    return read_agent(r);
  if (name == router::agent_left::name)
    return router::agent_left{r.agent()};
  if (name == router::refused::name)
    return router::refused{r.session(), r.agent(), r.text("reason")};
  if (name == router::picked::name)
    return router::picked{r.session(), r.agent()};
  if (name == router::swept::name)
    return router::swept{};
  if (name == router::policy_changed::name)
    return read_policy(r);
  return std::nullopt;
}

template <class What, class Writer>
std::string line_of(const What& x, time_point at) {
  json::object to{{"at", ms(at)}};
  std::visit([&](const auto& e) { to["is"] = e.name; }, x);
  std::visit(Writer{to}, x);
  return json::serialize(to);
}

} // namespace

std::string to_json(const router::event& x, time_point at) {
  return line_of<router::event, event_writer>(x, at);
}

std::string to_json(const router::effect& x, time_point at) {
  return line_of<router::effect, effect_writer>(x, at);
}

std::string router_start_json(time_point at) {
  return json::serialize(json::object{{"at", ms(at)}, {"is", "start"}});
}

std::string router_gap_json(std::uint64_t lines_lost, time_point at) {
  return json::serialize(
    json::object{{"at", ms(at)}, {"is", "gap"}, {"lost", lines_lost}});
}

result<router_line> router_line_from_json(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const reader r{value.as_object()};
    const auto name = r.text("is");
    router_line line{.at = r.time("at")};
    line.gap = name == "gap";
    line.start = name == "start";
    if (name == router::propose::name) {
      const auto hash = r.text("inputs_hash");
      recorded_proposal p{r.session(), r.agent(), 0};
      std::from_chars(hash.data(), hash.data() + hash.size(), p.inputs_hash);
      line.proposal = std::move(p);
    } else {
      line.event = read_event(name, r);
    }
    return line;
  } catch (const std::exception& e) {
    return fail(errc::malformed,
                std::string("not a line of a router's record: ") + e.what());
  }
}

} // namespace switchboard
