#include "bench/simulation/trace.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <set>

namespace switchboard::simulation {

namespace {

using fields = std::map<std::string, std::string, std::less<>>;

struct line {
  std::size_t number = 0;
  fields what{};
};

error at(const line& x, const std::string& detail) {
  return fail(errc::malformed,
              "line " + std::to_string(x.number) + ": " + detail);
}

std::string_view trimmed(std::string_view x) {
  const auto* blanks = " \t\r";
  const auto from = x.find_first_not_of(blanks);
  if (from == std::string_view::npos)
    return {};
  return x.substr(from, x.find_last_not_of(blanks) - from + 1);
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find(by, from), text.size());
    out.push_back(trimmed(text.substr(from, end - from)));
    from = end + 1;
  }
  return out;
}

/// Like `split`, but of nothing comes nothing.
std::vector<std::string_view> listed(std::string_view text) {
  return trimmed(text).empty() ? std::vector<std::string_view>{}
                               : split(text, '|');
}

/// The value as it would stand in a CSV file.
std::string text_of(const boost::json::value& x) {
  if (const auto* text = x.if_string())
    return std::string(*text);
  if (const auto* all = x.if_array()) {
    std::string out;
    for (const auto& one : *all)
      out += (out.empty() ? "" : "|") + text_of(one);
    return out;
  }
  return x.is_null() ? "" : boost::json::serialize(x);
}

result<fields> read_json(std::string_view text, std::size_t number) {
  boost::system::error_code ec;
  const auto value = boost::json::parse(text, ec);
  if (ec || !value.is_object())
    return at({number, {}}, "is no JSON object: write {\"at_s\": 12.5, …}");
  fields out;
  for (const auto& [name, x] : value.get_object())
    out.emplace(std::string(name), text_of(x));
  return out;
}

result<fields> read_csv(std::string_view text, std::size_t number,
                        const std::vector<std::string_view>& names) {
  if (text.find('"') != std::string_view::npos)
    return at({number, {}}, "has quotes: this CSV needs none, as no value has "
                            "a comma; lists are written a|b");
  const auto values = split(text, ',');
  if (values.size() != names.size())
    return at({number, {}}, "has " + std::to_string(values.size())
                              + " values for " + std::to_string(names.size())
                              + " names");
  fields out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out.emplace(std::string(names[i]), std::string(values[i]));
  return out;
}

result<std::vector<line>> read(std::string_view text) {
  std::vector<line> out;
  std::vector<std::string_view> names;
  std::size_t number = 0;
  for (const auto raw : split(text, '\n')) {
    ++number;
    if (raw.empty())
      continue;
    if (raw.front() != '{' && names.empty() && out.empty()) {
      names = split(raw, ',');
      continue;
    }
    auto one =
      names.empty() ? read_json(raw, number) : read_csv(raw, number, names);
    if (!one)
      return one.error();
    out.push_back({number, std::move(*one)});
  }
  if (out.empty())
    return fail(errc::malformed, "the file has no lines of data");
  return out;
}

result<void> check_names(const line& x,
                         std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : x.what)
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string all;
      for (const auto k : known)
        all += (all.empty() ? "" : ", ") + std::string(k);
      return at(x, "unknown field '" + name + "': there are " + all);
    }
  return {};
}

std::string_view text(const line& x, std::string_view name) {
  const auto found = x.what.find(name);
  return found == x.what.end() ? std::string_view{} : found->second;
}

std::optional<double> parse_number(std::string_view t) {
  double out = 0;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), out);
  if (ec != std::errc{} || end != t.data() + t.size() || !std::isfinite(out))
    return std::nullopt;
  return out;
}

/// @returns nothing when the field is not there
result<std::optional<double>> number(const line& x, std::string_view name,
                                     double max) {
  const auto t = text(x, name);
  if (t.empty())
    return std::optional<double>{};
  const auto out = parse_number(t);
  if (!out || *out < 0 || *out > max)
    return at(x, std::string(name) + " is '" + std::string(t)
                   + "', not a number from 0 to "
                   + std::to_string(static_cast<long>(max)));
  return out;
}

std::optional<urgency_class> parse_urgency(std::string_view t) {
  if (t.empty())
    return urgency_class::normal;
  for (const auto x : {urgency_class::normal, urgency_class::vip,
                       urgency_class::urgent, urgency_class::relaxed})
    if (t == to_string(x))
      return x;
  return std::nullopt;
}

constexpr double day_s = 24 * 3600;

result<recorded_customer> customer_of(const line& x) {
  if (const auto ok =
        check_names(x, {"at_s", "language", "skills", "urgency", "patience_s",
                        "work_s", "previous", "previous_days"});
      !ok)
    return ok.error();
  recorded_customer c;
  const auto since = number(x, "at_s", 7 * day_s);
  const auto patience = number(x, "patience_s", 7 * day_s);
  const auto work = number(x, "work_s", 7 * day_s);
  const auto days = number(x, "previous_days", 10'000);
  for (const auto* one : {&since, &patience, &work, &days})
    if (!*one)
      return one->error();
  if (!*since)
    return at(x, "at_s is missing: seconds since opening");
  c.at_s = **since;
  c.patience_s = *patience;
  c.work_s = *work;
  c.previous_days = days->value_or(c.previous_days);
  c.want.language = text(x, "language");
  for (const auto skill : listed(text(x, "skills")))
    c.want.skills.emplace_back(skill);
  const auto urgency = parse_urgency(text(x, "urgency"));
  if (!urgency)
    return at(x, "urgency is '" + std::string(text(x, "urgency"))
                   + "', not normal, vip, urgent or relaxed");
  c.want.urgency = *urgency;
  if (const auto who = text(x, "previous"); !who.empty())
    c.previous = agent_id{std::string(who)};
  return c;
}

result<std::vector<agent::ability>> abilities(const line& x,
                                              std::string_view name) {
  std::vector<agent::ability> out;
  for (const auto one : listed(text(x, name))) {
    const auto parts = split(one, ':');
    const auto level = parts.size() == 2 ? parse_number(parts[1]) : 3.;
    if (parts.size() > 2 || parts[0].empty() || !level || *level < 1
        || *level > 5)
      return at(x, std::string(name) + " has '" + std::string(one)
                     + "': write name:level with a level from 1 to 5");
    out.push_back({std::string(parts[0]), static_cast<std::int32_t>(*level)});
  }
  return out;
}

result<std::vector<std::pair<double, double>>> shifts(const line& x) {
  std::vector<std::pair<double, double>> out;
  for (const auto one : listed(text(x, "shifts"))) {
    const auto ends = split(one, '-');
    const auto from = parse_number(ends[0]);
    const auto to = ends.size() == 2 ? parse_number(ends[1]) : std::nullopt;
    if (!from || !to || *from < 0 || *to <= *from || *to > 168
        || (!out.empty() && *from < out.back().second))
      return at(x, "shifts has '" + std::string(one)
                     + "': write hours since opening in order, 0-4|4.5-8.5");
    out.emplace_back(*from, *to);
  }
  return out;
}

result<recorded_agent> agent_of(const line& x) {
  if (const auto ok =
        check_names(x, {"id", "languages", "skills", "capacity", "shifts"});
      !ok)
    return ok.error();
  auto languages = abilities(x, "languages");
  auto skills = abilities(x, "skills");
  auto hours = shifts(x);
  const auto room = number(x, "capacity", 100);
  if (!languages)
    return languages.error();
  if (!skills)
    return skills.error();
  if (!hours)
    return hours.error();
  if (!room)
    return room.error();
  recorded_agent a;
  a.id.text = text(x, "id");
  if (a.id.empty())
    return at(x, "id is missing");
  a.who.languages = std::move(*languages);
  a.who.skills = std::move(*skills);
  a.who.capacity = static_cast<std::int32_t>(room->value_or(3) * 1000);
  a.shifts_h = std::move(*hours);
  return a;
}

duration seconds(double x) {
  return duration{std::llround(x * 1000)};
}

/// What share of `all` asks for which; nothing when nobody asks.
template <class NamesOf>
std::vector<share> shares_of(const std::vector<recorded_customer>& all,
                             NamesOf names_of) {
  std::map<std::string, double> counts;
  double sum = 0;
  for (const auto& c : all)
    for (const auto& name : names_of(c.want)) {
      ++counts[name];
      ++sum;
    }
  std::vector<share> out;
  for (const auto& [name, n] : counts)
    out.push_back({name, n / sum});
  return out;
}

void take_mix(plan& p, const std::vector<recorded_customer>& customers) {
  const auto languages = shares_of(customers, [](const needs& x) {
    return x.language.empty() ? std::vector<std::string>{}
                              : std::vector{x.language};
  });
  const auto skills =
    shares_of(customers, [](const needs& x) { return x.skills; });
  if (!languages.empty())
    p.languages = languages;
  if (!skills.empty())
    p.skills = skills;
}

void add_recorded(world& w, const plan& p,
                  const std::vector<recorded_customer>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& x = all[i];
    auto c = draw_customer(w, p, i);
    c.at = w.open.from + seconds(x.at_s);
    c.want = x.want;
    if (x.patience_s)
      c.patience = seconds(*x.patience_s);
    if (x.work_s)
      c.work_s = *x.work_s;
    c.previous = x.previous;
    c.previous_at = c.at - seconds(x.previous_days * day_s);
    w.customers.push_back(std::move(c));
  }
}

void employ(world& w, const std::vector<recorded_agent>& all) {
  w.workers.clear();
  for (const auto& x : all) {
    worker one{x.id, x.who, {}};
    for (const auto& [from, to] : x.shifts_h)
      one.shifts.push_back(
        {w.open.from + seconds(from * 3600), w.open.from + seconds(to * 3600)});
    if (one.shifts.empty())
      one.shifts.push_back(w.open);
    w.workers.push_back(std::move(one));
  }
}

} // namespace

result<std::vector<recorded_customer>> parse_customers(std::string_view text) {
  const auto lines = read(text);
  if (!lines)
    return lines.error();
  std::vector<recorded_customer> out;
  for (const auto& x : *lines) {
    auto one = customer_of(x);
    if (!one)
      return one.error();
    out.push_back(std::move(*one));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& x, const auto& y) {
    return x.at_s < y.at_s;
  });
  return out;
}

result<std::vector<recorded_agent>> parse_agents(std::string_view text) {
  const auto lines = read(text);
  if (!lines)
    return lines.error();
  std::vector<recorded_agent> out;
  std::set<agent_id> known;
  for (const auto& x : *lines) {
    auto one = agent_of(x);
    if (!one)
      return one.error();
    if (!known.insert(one->id).second)
      return at(x, "agent " + one->id.text + " is there already");
    out.push_back(std::move(*one));
  }
  return out;
}

world make_recorded_world(const plan& p,
                          const std::vector<recorded_customer>& customers,
                          const std::vector<recorded_agent>& agents) {
  auto mine = p;
  if (!customers.empty()) {
    take_mix(mine, customers);
    mine.hours = customers.back().at_s / 3600 + .05;
  }
  auto w = make_company(mine);
  if (!agents.empty())
    employ(w, agents);
  if (customers.empty())
    add_customers(w, mine);
  else
    add_recorded(w, mine, customers);
  return w;
}

} // namespace switchboard::simulation
