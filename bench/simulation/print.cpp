#include "bench/simulation/print.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace switchboard::simulation {

namespace {

constexpr std::size_t name_width = 14;

std::string number(double x, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, x);
  return text.data();
}

/// Columns are counted in characters, and "±" is two bytes.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
    std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string padded(const std::string& text, std::size_t width) {
  const auto now = width_of(text);
  return text + std::string(now < width ? width - now : 1, ' ');
}

constexpr std::size_t column_width = 16;

std::string table_text(const study& s, const table& t) {
  std::string out = title_of(s, t) + "\n\n";
  out += padded("", name_width);
  for (const auto f : figures)
    out += padded(std::string(to_string(f)), column_width);
  out += '\n';
  for (const auto& r : t.rows) {
    out += padded(std::string(to_string(r.by)), name_width);
    for (const auto f : figures)
      out += padded(written(f, r.value(f)), column_width);
    out += '\n';
  }
  return out;
}

std::string winners_text(const table& t) {
  std::string out = "\nWho won where (95 % sure, on the same customers)\n\n";
  out += padded("against", name_width);
  for (const auto f : figures)
    if (sense_of(f) != sense::neither)
      out += padded(std::string(to_string(f)), column_width);
  out += '\n';
  for (const auto& r : t.rows) {
    if (r.by == rule::switchboard)
      continue;
    out += padded(std::string(to_string(r.by)), name_width);
    for (const auto f : figures)
      if (sense_of(f) != sense::neither)
        out += padded(winner(r, f), column_width);
    out += '\n';
  }
  return out;
}

std::string trimmed(std::string text) {
  while (text.ends_with(' '))
    text.pop_back();
  return text;
}

boost::json::object json_of(const row& r) {
  boost::json::object values;
  boost::json::object behind;
  boost::json::object winners;
  for (const auto f : figures) {
    const auto i = static_cast<std::size_t>(f);
    const std::string name(to_string(f));
    values[name] = {{"mean", r.values[i].mean}, {"margin", r.values[i].margin}};
    behind[name] = {{"mean", r.behind[i].mean}, {"margin", r.behind[i].margin}};
    if (r.by != rule::switchboard)
      winners[name] = winner(r, f);
  }
  return {{"policy", std::string(to_string(r.by))},
          {"figures", values},
          {"minus_switchboard", behind},
          {"winners", winners},
          {"arrived", r.heads.arrived},
          {"served", r.heads.served},
          {"abandoned", r.heads.abandoned},
          {"waiting_at_closing", r.heads.waiting},
          {"lost_wakeups", r.lost_wakeups},
          {"wait_percentiles_s", boost::json::value_from(r.waits)},
          {"hash", std::to_string(r.hash)}};
}

} // namespace

std::string winner(const row& baseline, figure f) {
  switch (judge(baseline, f)) {
    case verdict::product: return "switchboard";
    case verdict::baseline: return std::string(to_string(baseline.by));
    case verdict::neither: return "-";
  }
  return "-";
}

std::string title_of(const study& s, const table& t) {
  const auto a_day =
    static_cast<double>(t.rows.front().heads.arrived) / std::max(s.seeds, 1);
  auto out = t.name;
  if (t.load > 0)
    out += " load (" + number(t.load, 2) + ")";
  out += ": " + number(a_day, 0) + " customers a day, "
         + std::to_string(s.base.agents) + " agents, "
         + (t.load > 0 ? number(s.base.hours, 1) + " h, " : "");
  return out
         + (s.seeds == 1
              ? "seed " + std::to_string(s.base.seed)
              : std::to_string(s.seeds) + " seeds from "
                  + std::to_string(s.base.seed) + ", mean ± 95 % interval");
}

std::string written(figure f, const estimate& x) {
  const auto wait =
    f == figure::wait_mean || f == figure::wait_p50 || f == figure::wait_p95;
  const auto index = f == figure::fairness;
  const auto scale = wait || index ? 1. : 100.;
  const auto digits = index ? 3 : 1;
  auto out = number(x.mean * scale, digits);
  if (x.margin > 0)
    out += " ± " + number(x.margin * scale, digits);
  return out + (wait ? " s" : index ? "" : " %");
}

std::vector<std::string> assumptions(const study& s) {
  const auto& n = s.base.laws;
  const auto percent = [](double x) { return number(x * 100, 0) + " %"; };
  std::string curve;
  for (const auto x : n.throughput)
    curve += (curve.empty() ? "" : ", ") + number(x, 2);
  return {
    "Customers come as a Poisson process with a hump before noon and one in "
    "the afternoon, or when a file says so.",
    "Patience is exponential, on average " + number(s.base.patience_s, 0)
      + " s; urgent customers (5 %) have half of it; 10 % are VIPs. Nobody who "
        "left comes again.",
    "A chat takes the best agent, alone, " + number(s.base.work_s, 0)
      + " s on average (log-normal, spread 0.7). It takes "
      + percent(n.skill_slows) + " longer for each level of skill short of 5, "
      + percent(n.language_slows) + " for each level of language.",
    percent(s.base.returning)
      + " of customers were here before. Who served them last needs up to "
      + percent(n.affinity_saves)
      + " less time; this fades with a half-life of 14 days.",
    "An agent with 0, 1, 2 ... chats does " + curve
      + " times the work of one chat; chats share it equally. The matcher "
        "believes in another curve: 0, 1, 1.7, 2.1, 2.3.",
    "A chat is resolved with a chance of " + percent(n.resolves)
      + " at best, less " + percent(n.skill_resolves)
      + " for each level of skill and " + percent(n.language_resolves)
      + " for each level of language short of 5, and up to "
      + percent(n.affinity_resolves) + " more with who served them last.",
    "Agents take every chat at once; there are no declined offers, no "
    "transfers and no wrap-up. Whoever goes on a break finishes their chats.",
    "The effects of skill and acquaintance on time and success are "
    "assumptions, not measurements; --skill-effect and --affinity-effect "
    "change them, 0 turns them off.",
    "All policies obey the same constraints (language level 3, every skill, "
    "room). The baselines serve the urgent first, then VIPs, then the others, "
    "each in order of arrival.",
  };
}

std::string to_text(const study& s) {
  std::string out;
  for (const auto& t : s.tables)
    out += (out.empty() ? "" : "\n\n") + table_text(s, t) + winners_text(t);
  std::string lines;
  for (std::size_t from = 0; from < out.size();) {
    const auto end = std::min(out.find('\n', from), out.size());
    lines += trimmed(out.substr(from, end - from)) + '\n';
    from = end + 1;
  }
  return lines;
}

std::string to_json(const study& s) {
  boost::json::array tables;
  for (const auto& t : s.tables) {
    boost::json::array rows;
    for (const auto& r : t.rows)
      rows.push_back(json_of(r));
    tables.push_back(boost::json::object{
      {"name", t.name}, {"load", t.load}, {"policies", std::move(rows)}});
  }
  boost::json::array taken;
  for (const auto& x : assumptions(s))
    taken.push_back(boost::json::string(x));
  return boost::json::serialize(boost::json::object{
    {"seed", s.base.seed},
    {"seeds", s.seeds},
    {"agents", s.base.agents},
    {"hours", s.base.hours},
    {"assumptions", std::move(taken)},
    {"tables", std::move(tables)},
  });
}

} // namespace switchboard::simulation
