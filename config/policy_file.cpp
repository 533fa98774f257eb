#include "config/policy_file.hpp"

#include "config/settings.hpp"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

namespace switchboard {

namespace {

constexpr std::int64_t one = 1'000'000;

/// Where a value stands in its file.
struct spot {
  const std::string& file;
  toml::source_position at;

  [[noreturn]] void wrong(const std::string& text) const {
    throw policy_error(file + ':' + std::to_string(at.line) + ':'
                       + std::to_string(at.column) + ": " + text);
  }
};

// -- values -------------------------------------------------------------------

struct unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array units{unit{"d", 86'400'000}, unit{"h", 3'600'000},
                           unit{"m", 60'000}, unit{"s", 1000}, unit{"ms", 1}};

duration read_duration(const toml::node& from, const spot& at) {
  const auto text = from.value<std::string>().value_or("");
  std::int64_t x = 0;
  const auto [end, ec] =
    std::from_chars(text.data(), text.data() + text.size(), x);
  const std::string_view rest{end, text.data() + text.size()};
  for (const auto& u : units)
    if (ec == std::errc{} && x >= 0 && rest == u.name
        && x <= 4'000'000'000'000 / u.ms)
      return duration{x * u.ms};
  at.wrong("must be a time with a unit, for example \"30s\" or \"14d\"");
}

/// 0.45 -> 450000, nearest.
std::int64_t read_millionths(const toml::node& from, const spot& at,
                             double max) {
  const auto x = from.value<double>();
  if (!from.is_number() || !x || !(*x >= 0 && *x <= max)) {
    std::ostringstream limit;
    limit << max;
    at.wrong("must be a number from 0 to " + limit.str());
  }
  return std::llround(*x * static_cast<double>(one));
}

std::string write_millionths(std::int64_t x) {
  auto out = std::to_string(x / one);
  auto digits = std::to_string(x % one);
  digits.insert(0, 6 - digits.size(), '0');
  while (digits.size() > 1 && digits.back() == '0')
    digits.pop_back();
  return out + '.' + digits;
}

std::int64_t read_integer(const toml::node& from, const spot& at,
                          std::int64_t min, std::int64_t max) {
  const auto* x = from.as_integer();
  if (!x || x->get() < min || x->get() > max)
    at.wrong("must be a whole number from " + std::to_string(min) + " to "
             + std::to_string(max));
  return x->get();
}

// -- the table of all values --------------------------------------------------

struct field {
  std::string name; ///< "weights.skill"
  std::function<void(policy&, const toml::node&, const spot&)> read;
  std::function<std::string(const policy&)> write;
};

template <class Member>
field millionths(std::string name, Member member, double max) {
  return {std::move(name),
          [=](policy& p, const toml::node& x, const spot& at) {
            member(p) = read_millionths(x, at, max);
          },
          [=](const policy& p) {
            return write_millionths(member(const_cast<policy&>(p)));
          }};
}

template <class Member>
field time(std::string name, Member member, duration min) {
  return {std::move(name),
          [=](policy& p, const toml::node& x, const spot& at) {
            member(p) = read_duration(x, at);
            if (member(p) < min)
              at.wrong("must be at least " + write_duration(min));
          },
          [=](const policy& p) {
            return write_duration(member(const_cast<policy&>(p)));
          }};
}

template <class Member>
field integer(std::string name, Member member, std::int32_t min,
              std::int32_t max) {
  return {std::move(name),
          [=](policy& p, const toml::node& x, const spot& at) {
            member(p) =
              static_cast<std::int32_t>(read_integer(x, at, min, max));
          },
          [=](const policy& p) {
            return std::to_string(member(const_cast<policy&>(p)));
          }};
}

field throughput() {
  return {"load.throughput",
          [](policy& p, const toml::node& x, const spot& at) {
            const auto* all = x.as_array();
            if (!all || all->size() != p.throughput.size())
              at.wrong("must be a list of 5 numbers: what an agent gets done "
                       "with 0, 1, 2, 3 and 4 chats");
            for (std::size_t i = 0; i < p.throughput.size(); ++i)
              p.throughput[i] = read_millionths((*all)[i], at, 100);
          },
          [](const policy& p) {
            std::string out;
            for (const auto v : p.throughput)
              out += (out.empty() ? "[" : ", ") + write_millionths(v);
            return out + ']';
          }};
}

#define MEMBER(path)                                                           \
  [](policy & p) -> auto& {                                                    \
    return p.path;                                                             \
  }

std::vector<field> make_fields() {
  using namespace std::chrono_literals;
  std::vector<field> all{
    integer("version", MEMBER(version), 1, 2'000'000'000),
    millionths("weights.language", MEMBER(language_weight), 1000),
    millionths("weights.skill", MEMBER(skill_weight), 1000),
    millionths("weights.affinity", MEMBER(affinity_weight), 1000),
    millionths("weights.extension", MEMBER(extension_weight), 1000),
    integer("minimum.language_level", MEMBER(language_level_min), 0, 5),
    integer("minimum.skill_level", MEMBER(skill_level_min), 0, 5),
    millionths("affinity.last_agent", MEMBER(last_agent_affinity), 1),
    time("affinity.half_life", MEMBER(affinity_half_life), 1s),
    millionths("load.floor", MEMBER(load_factor_floor), 1),
    throughput(),
    time("window.lead", MEMBER(window_lead), 1s),
    millionths("window.pressure", MEMBER(window_pressure), 1000),
    integer("relaxation.reserve", MEMBER(reserve), 0, 1'000'000),
    millionths("relaxation.occupancy_max", MEMBER(occupancy_max), 1),
    time("hold.time", MEMBER(hold_time), 0s),
    millionths("hold.patience", MEMBER(hold_patience), 1000),
    time("times.refusal_pause", MEMBER(refusal_pause), 1ms),
    time("times.proposal", MEMBER(proposal_time), 1ms),
    time("times.exclusion", MEMBER(exclusion_time), 1ms),
  };
  std::size_t i = 0;
  for (const auto* name : {"normal", "vip", "urgent", "relaxed"}) {
    const auto prefix = std::string("class.") + name;
    all.push_back(time(
      prefix + ".target",
      [i](policy & p) -> auto& { return p.services[i].target; }, 1ms));
    all.push_back(millionths(
      prefix + ".weight",
      [i](policy & p) -> auto& { return p.services[i].weight; }, 9));
    ++i;
  }
  return all;
}

#undef MEMBER

const std::vector<field>& fields() {
  static const auto all = make_fields();
  return all;
}

// -- reading ------------------------------------------------------------------

using step = policy::relaxation::step;
constexpr std::array<std::pair<std::string_view, step>, 4> steps{
  {{"lower_skills", step::lower_skills},
   {"drop_skills", step::drop_skills},
   {"drop_language", step::drop_language},
   {"open_queue", step::open_queue}}};

[[noreturn]] void unknown(const spot& at, const std::string& name,
                          const std::vector<std::string>& known) {
  const auto near = nearest(name, known);
  at.wrong("there is no '" + name + "' in a policy"
           + (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

/// Reads one of a list of tables, with exactly these keys.
class row_reader {
public:
  row_reader(const toml::node& from, const std::string& file,
             std::vector<std::string> known)
    : table_(from.as_table()), file_(file) {
    if (!table_)
      spot{file_, from.source().begin}.wrong("must be a table");
    for (const auto& [key, value] : *table_)
      if (const std::string name{key.str()};
          std::find(known.begin(), known.end(), name) == known.end())
        unknown({file_, key.source().begin}, name, known);
  }

  std::string text(std::string_view name) const {
    const auto* x = table_->get(name);
    return x ? x->value<std::string>().value_or("") : "";
  }

  duration time(std::string_view name) const {
    const auto* x = table_->get(name);
    if (!x)
      here().wrong("needs " + std::string(name));
    return read_duration(*x, {file_, x->source().begin});
  }

  spot here() const { return {file_, table_->source().begin}; }

private:
  const toml::table* table_;
  const std::string& file_;
};

policy::relaxation read_relaxation(const toml::node& from,
                                   const std::string& file) {
  const row_reader r{from, file, {"expires_after", "step", "queue", "only"}};
  policy::relaxation x;
  x.expires_after = r.time("expires_after");
  const auto name = r.text("step");
  const auto at = std::find_if(steps.begin(), steps.end(),
                               [&](const auto& s) { return s.first == name; });
  if (at == steps.end())
    r.here().wrong("step must be lower_skills, drop_skills, drop_language or "
                   "open_queue");
  x.what = at->second;
  x.queue = {r.text("queue")};
  if (x.queue.empty() == (x.what == step::open_queue))
    r.here().wrong("open_queue, and nothing else, needs a queue");
  if (const auto only = r.text("only"); !only.empty())
    x.only = queue_id{only};
  return x;
}

policy::reply_window read_window(const toml::node& from,
                                 const std::string& file) {
  const row_reader r{from, file, {"channel", "time"}};
  policy::reply_window x{r.text("channel"), r.time("time")};
  if (x.channel.empty())
    r.here().wrong("needs a channel");
  return x;
}

template <class Item, class Read>
void read_list(std::vector<Item>& to, const toml::node& from,
               const std::string& file, Read read) {
  const auto* all = from.as_array();
  if (!all)
    spot{file, from.source().begin}.wrong("must be a list of tables: [[…]]");
  to.clear();
  for (const auto& x : *all)
    to.push_back(read(x, file));
}

void read_table(policy& p, const toml::table& from, const std::string& prefix,
                const std::string& file) {
  for (const auto& [key, value] : from) {
    const auto name = prefix + std::string(key.str());
    const spot at{file, key.source().begin};
    if (name == "relax") {
      read_list(p.relaxations, value, file, read_relaxation);
    } else if (name == "reply_window") {
      read_list(p.reply_windows, value, file, read_window);
    } else if (const auto* inner = value.as_table()) {
      read_table(p, *inner, name + '.', file);
    } else {
      const auto found =
        std::find_if(fields().begin(), fields().end(),
                     [&](const auto& f) { return f.name == name; });
      if (found != fields().end()) {
        found->read(p, value, {file, value.source().begin});
        continue;
      }
      std::vector<std::string> known{"relax", "reply_window", "canary.file",
                                     "canary.percent", "shadow.files"};
      for (const auto& f : fields())
        known.push_back(f.name);
      unknown(at, name, known);
    }
  }
}

/// Rules between the values.
void check(const policy& p, const std::string& file) {
  if (!std::is_sorted(p.relaxations.begin(), p.relaxations.end(),
                      [](const auto& x, const auto& y) {
                        return x.expires_after < y.expires_after;
                      }))
    throw policy_error(file
                       + ": the [[relax]] steps must stand in the order "
                         "in which they come due");
  for (std::size_t i = 1; i < p.throughput.size(); ++i)
    if (p.throughput[i] < p.throughput[i - 1]
        || p.throughput[i] - p.throughput[i - 1] > one)
      throw policy_error(file
                         + ": load.throughput must never fall, and one "
                           "more chat can add at most 1");
}

toml::table parse(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    spot{file, e.source().begin}.wrong(std::string(e.description()));
  }
}

std::string contents(const std::string& file) {
  std::ifstream from{file, std::ios::binary};
  if (!from)
    throw policy_error("cannot read " + file);
  return {std::istreambuf_iterator<char>{from}, {}};
}

policy read_policy(const toml::table& from, const std::string& file) {
  policy p;
  read_table(p, from, "", file);
  check(p, file);
  return p;
}

} // namespace

std::string write_duration(duration x) {
  for (const auto& u : units)
    if (x.count() % u.ms == 0 && (x.count() != 0 || u.name == "s"))
      return '"' + std::to_string(x.count() / u.ms) + std::string(u.name) + '"';
  return "\"0s\"";
}

policy parse_policy(std::string_view text, const std::string& where) {
  return read_policy(parse(text, where), where);
}

policy_file load_policy(const std::string& file) {
  auto table = parse(contents(file), file);
  policy_file all{.files = {file}};
  const auto other = [&](const std::string& name) {
    const auto path =
      (std::filesystem::path(file).parent_path() / name).string();
    all.files.push_back(path);
    return parse_policy(contents(path), path);
  };
  if (const auto* x = table["canary"].as_table()) {
    const row_reader r{*x, file, {"file", "percent"}};
    all.canary = other(r.text("file"));
    const auto* percent = x->get("percent");
    if (!percent)
      r.here().wrong("needs percent");
    all.canary_percent = static_cast<std::int32_t>(
      read_integer(*percent, {file, percent->source().begin}, 0, 100));
    table.erase("canary");
  }
  if (const auto* x = table["shadow"].as_table()) {
    const row_reader r{*x, file, {"files"}};
    const auto* files = x->get_as<toml::array>("files");
    if (!files)
      r.here().wrong("needs files, a list of names");
    for (const auto& name : *files)
      all.shadows.push_back(other(name.value<std::string>().value_or("")));
    table.erase("shadow");
  }
  all.acting = read_policy(table, file);
  return all;
}

std::string to_toml(const policy& p) {
  std::string out;
  std::string section;
  for (const auto& f : fields()) {
    const auto dot = f.name.rfind('.');
    const auto in = dot == f.name.npos ? "" : f.name.substr(0, dot);
    if (in != section) {
      section = in;
      out += "\n[" + section + "]\n";
    }
    out += f.name.substr(dot == f.name.npos ? 0 : dot + 1) + " = " + f.write(p)
           + '\n';
  }
  const auto quoted = [](const std::string& x) {
    std::ostringstream text;
    text << toml::value<std::string>{x};
    return text.str();
  };
  for (const auto& x : p.reply_windows)
    out += "\n[[reply_window]]\nchannel = " + quoted(x.channel)
           + "\ntime = " + write_duration(x.time) + '\n';
  for (const auto& x : p.relaxations) {
    out +=
      "\n[[relax]]\nexpires_after = " + write_duration(x.expires_after) + '\n';
    for (const auto& [name, what] : steps)
      if (what == x.what)
        out += "step = \"" + std::string(name) + "\"\n";
    if (!x.queue.empty())
      out += "queue = " + quoted(x.queue.text) + '\n';
    if (x.only)
      out += "only = " + quoted(x.only->text) + '\n';
  }
  return out;
}

} // namespace switchboard
