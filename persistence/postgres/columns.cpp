#include "persistence/postgres/columns.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace switchboard::postgres {

namespace json = boost::json;

namespace {

json::array abilities_json(const std::vector<agent::ability>& all) {
  json::array to;
  for (const auto& x : all)
    to.push_back(json::object{{"name", x.name}, {"level", x.level}});
  return to;
}

const json::array& array_of(const json::object& from, std::string_view key) {
  static const json::array none;
  const auto* x = from.if_contains(key);
  return x && x->is_array() ? x->get_array() : none;
}

std::vector<agent::ability> abilities_of(const json::object& from,
                                         std::string_view key) {
  std::vector<agent::ability> all;
  for (const auto& x : array_of(from, key))
    if (const auto* one = x.if_object()) {
      const auto* name = one->if_contains("name");
      const auto* level = one->if_contains("level");
      if (name && name->is_string())
        all.push_back({std::string(name->get_string()),
                       level && level->is_int64()
                         ? static_cast<std::int32_t>(level->get_int64())
                         : 3});
    }
  return all;
}

std::string text_of(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

std::vector<std::string> texts_of(const json::object& from,
                                  std::string_view key) {
  std::vector<std::string> all;
  for (const auto& x : array_of(from, key))
    if (x.is_string())
      all.emplace_back(x.get_string());
  return all;
}

json::array array_from(const std::vector<std::string>& all) {
  return json::array(all.begin(), all.end());
}

void set_time(const json::object& from, std::string_view key, duration& to) {
  if (const auto* x = from.if_contains(key); x && x->is_int64())
    to = duration{x->get_int64()};
}

json::object hours_json(const opening_hours& x) {
  json::array week;
  for (const auto& each : x.week)
    week.emplace_back(to_string(each));
  json::array days;
  for (const auto& each : x.days)
    days.emplace_back(to_string(each));
  return {
    {"zone", x.zone}, {"week", std::move(week)}, {"days", std::move(days)}};
}

opening_hours hours_of(const json::object& from) {
  opening_hours x;
  if (auto zone = text_of(from, "zone"); !zone.empty())
    x.zone = std::move(zone);
  for (const auto& text : texts_of(from, "week"))
    if (const auto each = parse_weekly(text))
      x.week.push_back(*each);
  for (const auto& text : texts_of(from, "days"))
    if (const auto each = parse_special(text))
      x.days.push_back(*each);
  return x;
}

json::object waiting_json(const session::waiting_rules& w) {
  return {{"language", w.language},
          {"skills", array_from(w.skills)},
          {"urgency", to_string(w.urgency)},
          {"target_ms", w.target.count()},
          {"hours", hours_json(w.hours)},
          {"when_closed", session::to_string(w.when_closed)},
          {"closed_text", w.closed_text},
          {"overflow_ms", w.overflow_time.count()},
          {"overflow", w.overflow ? w.overflow->text : ""},
          {"receiver", w.receiver ? w.receiver->text : ""},
          {"probe_ms", w.probe_time.count()},
          {"probe_answer_ms", w.probe_answer_time.count()},
          {"probe_text", w.probe_text}};
}

session::waiting_rules waiting_of(const json::object& from) {
  using session::closed_hours;
  session::waiting_rules w;
  w.language = text_of(from, "language");
  w.skills = texts_of(from, "skills");
  for (const auto x : {urgency_class::normal, urgency_class::vip,
                       urgency_class::urgent, urgency_class::relaxed})
    if (text_of(from, "urgency") == to_string(x))
      w.urgency = x;
  for (const auto x :
       {closed_hours::wait, closed_hours::overflow, closed_hours::receiver})
    if (text_of(from, "when_closed") == session::to_string(x))
      w.when_closed = x;
  set_time(from, "target_ms", w.target);
  if (const auto* x = from.if_contains("hours"); x && x->is_object())
    w.hours = hours_of(x->get_object());
  w.closed_text = text_of(from, "closed_text");
  set_time(from, "overflow_ms", w.overflow_time);
  if (auto x = text_of(from, "overflow"); !x.empty())
    w.overflow = queue_id{std::move(x)};
  if (auto x = text_of(from, "receiver"); !x.empty())
    w.receiver = agent_id{std::move(x)};
  set_time(from, "probe_ms", w.probe_time);
  set_time(from, "probe_answer_ms", w.probe_answer_time);
  if (auto x = text_of(from, "probe_text"); !x.empty())
    w.probe_text = std::move(x);
  return w;
}

json::object object_of(std::string_view text) {
  boost::system::error_code ec;
  auto value = json::parse(text, ec);
  return !ec && value.is_object() ? value.get_object() : json::object{};
}

} // namespace

std::string profile_json(const agent::profile& x) {
  json::array queues;
  for (const auto& q : x.queues)
    queues.emplace_back(q.text);
  json::array channels;
  for (const auto& c : x.channels)
    channels.emplace_back(c);
  return json::serialize(
    json::object{{"languages", abilities_json(x.languages)},
                 {"skills", abilities_json(x.skills)},
                 {"queues", std::move(queues)},
                 {"channels", std::move(channels)}});
}

agent::profile profile_of(std::string_view text) {
  const auto from = object_of(text);
  agent::profile p;
  p.languages = abilities_of(from, "languages");
  p.skills = abilities_of(from, "skills");
  for (const auto& x : array_of(from, "queues"))
    if (x.is_string())
      p.queues.push_back({std::string(x.get_string())});
  for (const auto& x : array_of(from, "channels"))
    if (x.is_string())
      p.channels.emplace_back(x.get_string());
  return p;
}

std::string rules_json(const session::rules& r) {
  return json::serialize(
    json::object{{"offer_ms", r.offer_time.count()},
                 {"first_reply_ms", r.first_reply_time.count()},
                 {"quiet_ms", r.quiet_time.count()},
                 {"offers_at_once", r.offers_at_once},
                 {"dispositions", array_from(r.dispositions)},
                 {"exclusion_ms", r.exclusion_time.count()},
                 {"transfer_ms", r.transfer_time.count()},
                 {"wrap_up_ms", r.wrap_up_time.count()},
                 {"accept_automatically", r.accept_automatically},
                 {"waiting", waiting_json(r.waiting)}});
}

session::rules rules_of(std::string_view text) {
  const auto from = object_of(text);
  session::rules r;
  set_time(from, "offer_ms", r.offer_time);
  set_time(from, "exclusion_ms", r.exclusion_time);
  set_time(from, "transfer_ms", r.transfer_time);
  set_time(from, "wrap_up_ms", r.wrap_up_time);
  set_time(from, "first_reply_ms", r.first_reply_time);
  set_time(from, "quiet_ms", r.quiet_time);
  if (const auto* x = from.if_contains("offers_at_once"); x && x->is_int64())
    r.offers_at_once = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(x->get_int64(), 1, session::offers_at_once_max));
  r.dispositions = texts_of(from, "dispositions");
  if (const auto* x = from.if_contains("accept_automatically"))
    r.accept_automatically = x->is_bool() && x->get_bool();
  if (const auto* x = from.if_contains("waiting"); x && x->is_object())
    r.waiting = waiting_of(x->get_object());
  return r;
}

headers headers_of(std::string_view text) {
  headers all;
  for (const auto& x : object_of(text))
    if (x.value().is_string())
      all.emplace_back(x.key(), x.value().get_string());
  return all;
}

} // namespace switchboard::postgres
