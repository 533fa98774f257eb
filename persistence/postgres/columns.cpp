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
  json::array dispositions;
  for (const auto& x : r.dispositions)
    dispositions.emplace_back(x);
  return json::serialize(
    json::object{{"offer_ms", r.offer_time.count()},
                 {"first_reply_ms", r.first_reply_time.count()},
                 {"quiet_ms", r.quiet_time.count()},
                 {"offers_at_once", r.offers_at_once},
                 {"dispositions", std::move(dispositions)},
                 {"exclusion_ms", r.exclusion_time.count()},
                 {"transfer_ms", r.transfer_time.count()},
                 {"wrap_up_ms", r.wrap_up_time.count()},
                 {"accept_automatically", r.accept_automatically}});
}

session::rules rules_of(std::string_view text) {
  const auto from = object_of(text);
  session::rules r;
  const auto set = [&](std::string_view key, duration& to) {
    if (const auto* x = from.if_contains(key); x && x->is_int64())
      to = duration{x->get_int64()};
  };
  set("offer_ms", r.offer_time);
  set("exclusion_ms", r.exclusion_time);
  set("transfer_ms", r.transfer_time);
  set("wrap_up_ms", r.wrap_up_time);
  set("first_reply_ms", r.first_reply_time);
  set("quiet_ms", r.quiet_time);
  if (const auto* x = from.if_contains("offers_at_once"); x && x->is_int64())
    r.offers_at_once = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(x->get_int64(), 1, session::offers_at_once_max));
  for (const auto& x : array_of(from, "dispositions"))
    if (x.is_string())
      r.dispositions.emplace_back(x.get_string());
  if (const auto* x = from.if_contains("accept_automatically"))
    r.accept_automatically = x->is_bool() && x->get_bool();
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
