#include "config/settings.hpp"

#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

namespace switchboard {

namespace {

std::int64_t parse_number(const std::string& text, std::int64_t min,
                          std::int64_t max) {
  std::int64_t x = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, x);
  if (ec != std::errc{} || stop != end || x < min || x > max)
    throw settings_error("must be a whole number from " + std::to_string(min)
                         + " to " + std::to_string(max) + ", not '" + text
                         + "'");
  return x;
}

struct unit {
  std::string_view name;
  std::int64_t factor;
};

/// A number with one of these units, written without a space: "64MiB", "5m".
template <std::size_t N>
std::int64_t parse_units(const std::string& text,
                         const std::array<unit, N>& units,
                         std::string_view example) {
  std::int64_t x = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, x);
  const std::string_view rest{stop, static_cast<std::size_t>(end - stop)};
  for (const auto& u : units)
    if (ec == std::errc{} && x >= 0 && rest == u.name
        && x <= std::numeric_limits<std::int64_t>::max() / u.factor)
      return x * u.factor;
  throw settings_error("must be a number with a unit, for example "
                       + std::string(example) + ", not '" + text + "'");
}

constexpr std::array<unit, 4> sizes{
  {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
constexpr std::array<unit, 5> durations{
  {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

template <std::size_t N>
std::string print_units(std::int64_t x, const std::array<unit, N>& units) {
  for (auto u = units.rbegin(); u != units.rend(); ++u)
    if (x % u->factor == 0 && (x != 0 || u->factor == 1))
      return std::to_string(x / u->factor) + std::string(u->name);
  return std::to_string(x) + std::string(units[0].name);
}

// -- makers of table lines ----------------------------------------------------

template <class Field>
setting text(std::string name, Field field, std::string help,
             bool secret = false) {
  return {std::move(name),
          "text",
          std::move(help),
          secret,
          [=](const settings& s) { return std::string(field(s)); },
          [=](settings& s, const std::string& x) {
            const_cast<std::string&>(field(s)) = x;
          }};
}

template <class Field>
setting number(std::string name, Field field, std::int64_t min,
               std::int64_t max, std::string help) {
  return {std::move(name),
          "number",
          std::move(help),
          false,
          [=](const settings& s) { return std::to_string(field(s)); },
          [=](settings& s, const std::string& x) {
            const_cast<std::int64_t&>(field(s)) = parse_number(x, min, max);
          }};
}

std::string join(const std::vector<std::string>& all) {
  std::string to;
  for (const auto& x : all)
    to += (to.empty() ? "" : ",") + x;
  return to;
}

// Field accessors return a const reference; the table's `set` is only ever
// given a settings object that may change.
#define FIELD(path)                                                            \
  [](const settings& s) -> const decltype(s.path)& { return s.path; }

std::vector<setting> make_table() {
  std::vector<setting> t;
  t.push_back(text("node.name", FIELD(node.name),
                   "Name of this node, unique in the cluster. Default: the "
                   "host's name."));
  t.push_back(text("nats.url", FIELD(nats.url),
                   "One or more NATS servers, separated by commas. NATS_URL is "
                   "honoured."));
  t.push_back(text("nats.user", FIELD(nats.user), "User at NATS."));
  t.push_back(
    text("nats.password", FIELD(nats.password), "Password at NATS.", true));
  t.push_back(
    {"nats.stream_bytes_max", "size",
     "Limit of each stream; when it is reached, publishers are refused.", false,
     [](const settings& s) {
       return print_units(s.nats.stream_bytes_max, sizes);
     },
     [](settings& s, const std::string& x) {
       s.nats.stream_bytes_max = parse_units(x, sizes, "512MiB");
     }});
  t.push_back(number("nats.stream_replicas", FIELD(nats.stream_replicas), 1, 5,
                     "Copies of each stream in a cluster of NATS servers."));
  t.push_back({"nats.stream_age_max", "duration",
               "Messages older than this leave the streams.", false,
               [](const settings& s) {
                 return print_units(s.nats.stream_age_max.count(), durations);
               },
               [](settings& s, const std::string& x) {
                 s.nats.stream_age_max =
                   std::chrono::milliseconds{parse_units(x, durations, "7d")};
               }});
  t.push_back(text("postgres.url", FIELD(postgres.url),
                   "Connection URI of PostgreSQL. Empty: the PG* variables.",
                   true));
  t.push_back(number("postgres.batch_rows_max", FIELD(postgres.batch_rows_max),
                     1, 100'000, "Entries in one group commit, at most."));
  t.push_back(number("postgres.readers", FIELD(postgres.readers), 1, 64,
                     "Connections for reading back."));
  t.push_back(text("http.address", FIELD(http.address),
                   "Address that HTTP and WebSocket listen on."));
  t.push_back(number("http.port", FIELD(http.port), 0, 65'535,
                     "Port of HTTP and WebSocket; 0: any free one."));
  t.push_back({"http.origins", "list",
               "Origins whose pages may open a WebSocket, separated by commas; "
               "the node's own page always may.",
               false, [](const settings& s) { return join(s.http.origins); },
               [](settings& s, const std::string& x) {
                 s.http.origins.clear();
                 std::istringstream from{x};
                 for (std::string one; std::getline(from, one, ',');)
                   if (!one.empty())
                     s.http.origins.push_back(one);
               }});
  t.push_back(number("http.threads", FIELD(http.threads), 1, 64,
                     "Threads that serve sockets."));
  t.push_back(number("http.connections_max", FIELD(http.connections_max), 1,
                     1'000'000, "Sockets open at once, at most."));
  t.push_back(text("auth.secret", FIELD(auth.secret),
                   "Secret of HS256 tokens, at least 32 bytes.", true));
  t.push_back(text("auth.public_key", FIELD(auth.public_key),
                   "PEM of a public key, for RS256 or ES256 tokens."));
  t.push_back(text("auth.issuer", FIELD(auth.issuer),
                   "The `iss` that tokens must have."));
  t.push_back(text("auth.audience", FIELD(auth.audience),
                   "The `aud` that tokens must have."));
  t.push_back(number("actors.threads", FIELD(actors.threads), 1, 64,
                     "Threads of the actor system; as many as cores."));
  t.push_back(number("actors.in_flight_max", FIELD(actors.in_flight_max), 1,
                     10'000'000,
                     "Messages accepted and not answered yet, at most; then "
                     "senders are told overloaded."));
  t.push_back(number("agents.grace_s", FIELD(agents.grace_s), 1, 3600,
                     "Seconds for which conversations wait for an agent whose "
                     "connection was lost; then they go to somebody else."));
  t.push_back(text("routing.policy", FIELD(routing.policy),
                   "File with the routing policy; read again when it changes, "
                   "and on SIGHUP. Empty: the default policy."));
  t.push_back(text("routing.record", FIELD(routing.record),
                   "Folder where the router's input and choices are written "
                   "down for `switchboard replay`. Empty: nowhere."));
  t.push_back({"identity.country", "text",
               "Calling code of verified telephone numbers that are written "
               "without one, for example 86. Empty: such numbers join nobody.",
               false, [](const settings& s) { return s.identity.country; },
               [](settings& s, const std::string& x) {
                 if (x.size() > 3 || x.find_first_not_of("0123456789") != x.npos
                     || x.starts_with('0'))
                   throw settings_error("must be a calling code of 1 to 3 "
                                        "digits such as 86, not '"
                                        + x + "'");
                 s.identity.country = x;
               }});
  t.push_back({"log.level", "text", "debug, info, warn, error", false,
               [](const settings& s) { return s.log.level; },
               [](settings& s, const std::string& x) {
                 if (x != "debug" && x != "info" && x != "warn" && x != "error")
                   throw settings_error(
                     "must be debug, info, warn or error, not '" + x + "'");
                 s.log.level = x;
               }});
  t.push_back({"log.format", "text",
               "auto (text on a terminal, JSON lines elsewhere), text, json",
               false, [](const settings& s) { return s.log.format; },
               [](settings& s, const std::string& x) {
                 if (x != "auto" && x != "text" && x != "json")
                   throw settings_error("must be auto, text or json, not '" + x
                                        + "'");
                 s.log.format = x;
               }});
  return t;
}

#undef FIELD

const setting& find(const std::string& name, const std::string& where) {
  const auto& all = settings_table();
  const auto at = std::find_if(
    all.begin(), all.end(), [&](const setting& x) { return x.name == name; });
  if (at != all.end())
    return *at;
  std::vector<std::string> known;
  for (const auto& x : all)
    known.push_back(x.name);
  const auto near = nearest(name, known);
  throw settings_error(where + "there is no setting '" + name + "'"
                       + (near.empty() ? "; see `switchboard config doc`"
                                       : "; did you mean '" + near + "'?"));
}

void set(settings& s, const setting& what, const std::string& value,
         const std::string& where) {
  try {
    what.set(s, value);
  } catch (const settings_error& e) {
    throw settings_error(where + what.name + ' ' + e.what());
  }
}

std::string text_of(const toml::node& value, const std::string& where) {
  if (const auto* x = value.as_string())
    return x->get();
  if (const auto* x = value.as_integer())
    return std::to_string(x->get());
  if (const auto* x = value.as_boolean())
    return x->get() ? "true" : "false";
  if (const auto* list = value.as_array()) {
    std::vector<std::string> all;
    for (const auto& x : *list)
      all.push_back(text_of(x, where));
    return join(all);
  }
  throw settings_error(where + "the value must be a text, a number or a list");
}

void read_table(settings& s, const toml::table& from, const std::string& prefix,
                const std::string& file) {
  for (const auto& [key, value] : from) {
    const auto name = prefix + std::string(key.str());
    if (const auto* inner = value.as_table()) {
      read_table(s, *inner, name + '.', file);
      continue;
    }
    const auto& at = key.source().begin;
    const auto where = file + ':' + std::to_string(at.line) + ':'
                       + std::to_string(at.column) + ": ";
    set(s, find(name, where), text_of(value, where), where);
  }
}

std::string read_secret(const std::string& file, const std::string& variable) {
  std::ifstream from{file};
  std::string line;
  if (!std::getline(from, line))
    throw settings_error(variable + ": cannot read " + file);
  return line;
}

void read_environment(settings& s) {
  if (const auto* url = std::getenv("NATS_URL"))
    s.nats.url = url;
  for (const auto& x : settings_table()) {
    const auto name = x.variable();
    if (const auto* value = std::getenv(name.c_str()))
      set(s, x, value, name + ": ");
    const auto file = name + "_FILE";
    if (const auto* path = std::getenv(file.c_str()); path && x.secret)
      set(s, x, read_secret(path, file), file + ": ");
  }
}

} // namespace

std::string setting::variable() const {
  std::string to = "SWITCHBOARD_";
  for (const auto c : name)
    to += c == '.'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return to;
}

const std::vector<setting>& settings_table() {
  static const auto table = make_table();
  return table;
}

settings load_settings(const std::string& file,
                       const std::vector<std::string>& flags) {
  settings s;
  if (!file.empty()) {
    try {
      read_table(s, toml::parse_file(file), "", file);
    } catch (const toml::parse_error& e) {
      const auto& at = e.source().begin;
      throw settings_error(file + ':' + std::to_string(at.line) + ':'
                           + std::to_string(at.column) + ": "
                           + std::string(e.description()));
    }
  }
  read_environment(s);
  for (const auto& flag : flags) {
    const auto equals = flag.find('=');
    if (equals == flag.npos)
      throw settings_error("--set takes name=value, not '" + flag + "'");
    set(s, find(flag.substr(0, equals), "--set: "), flag.substr(equals + 1),
        "--set: ");
  }
  if (s.node.name.empty()) {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    s.node.name = host.data();
  }
  return s;
}

std::string default_settings_file() {
  std::string to = "# Settings of Switchboard. Made by `switchboard config "
                   "default`.\n# Each can also come from the environment: "
                   "nats.url from SWITCHBOARD_NATS_URL; secrets also from a\n"
                   "# file: SWITCHBOARD_AUTH_SECRET_FILE.\n";
  std::string section;
  const settings defaults;
  for (const auto& x : settings_table()) {
    const auto dot = x.name.find('.');
    if (x.name.substr(0, dot) != section) {
      section = x.name.substr(0, dot);
      to += "\n[" + section + "]\n";
    }
    const auto value = x.get(defaults);
    to += "# " + x.help + "\n# " + x.name.substr(dot + 1) + " = "
          + (x.kind == "number" ? value : '"' + value + '"') + "\n";
  }
  return to;
}

std::string settings_documentation() {
  std::string to = "| setting | kind | default | environment | meaning |\n"
                   "|---|---|---|---|---|\n";
  const settings defaults;
  for (const auto& x : settings_table())
    to += "| `" + x.name + "` | " + x.kind + " | `" + x.get(defaults) + "` | `"
          + x.variable() + (x.secret ? "[_FILE]" : "") + "` | " + x.help
          + " |\n";
  return to;
}

std::string nearest(std::string_view given,
                    const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = given.size() / 2 + 1;
  for (const auto& x : known) {
    // Levenshtein's distance, one row at a time.
    std::vector<std::size_t> row(x.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= given.size(); ++i) {
      auto diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= x.size(); ++j) {
        const auto cost = given[i - 1] == x[j - 1] ? diagonal : diagonal + 1;
        diagonal = row[j];
        row[j] = std::min({cost, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = x;
    }
  }
  return best;
}

} // namespace switchboard
