// `db`, `config`, `doctor`, `health`, `verify`, `explain`, `version`.
#include "actors/domain/explain.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/http/ws_client.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <boost/json.hpp>
#include <sys/resource.h>

#include <iostream>

namespace switchboard::cli {

namespace json = boost::json;

namespace {

void print(const context& c, const migration_state& m) {
  if (c.json) {
    json::array pending;
    for (const auto& x : m.pending)
      pending.emplace_back(x);
    std::cout << json::serialize(json::object{{"current", m.current},
                                              {"newest", m.newest},
                                              {"pending", std::move(pending)}})
              << '\n';
    return;
  }
  std::cout << "schema " << m.current << " of " << m.newest << '\n';
  for (const auto& x : m.pending)
    std::cout << "pending: " << x << '\n';
}

int verify(const context& c) {
  const auto found = must(c.open_store()->verify());
  std::int64_t violations = 0;
  for (const auto& x : found)
    violations += x.violations;
  if (c.json) {
    json::array all;
    for (const auto& x : found) {
      json::array examples;
      for (const auto& e : x.examples)
        examples.emplace_back(e);
      all.push_back(json::object{{"invariant", x.invariant},
                                 {"title", x.title},
                                 {"checked", x.checked},
                                 {"violations", x.violations},
                                 {"examples", std::move(examples)}});
    }
    std::cout << json::serialize(
      json::object{{"violations", violations}, {"findings", std::move(all)}})
              << '\n';
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& x : found)
      rows.push_back({x.violations == 0 ? "ok" : "VIOLATED", x.invariant,
                      x.title, std::to_string(x.checked),
                      std::to_string(x.violations)});
    print_table(false, {"", "invariant", "what holds", "checked", "violations"},
                rows);
    for (const auto& x : found)
      for (const auto& e : x.examples)
        std::cout << "  " << x.invariant << ": " << e << '\n';
  }
  return violations == 0 ? ok : failed;
}

int explain_session(const context& c, const std::string& which) {
  const auto id = parse_session_id(which);
  if (!id)
    throw failure{usage, "'" + which
                           + "' is not a session's number; see "
                             "`switchboard session list`"};
  const auto from = c.open_store();
  const auto all = must(from->decisions(*id));
  if (c.json) {
    std::cout << '[';
    for (std::size_t i = 0; i < all.size(); ++i)
      std::cout << (i > 0 ? "," : "") << all[i];
    std::cout << "]\n";
    return ok;
  }
  if (all.empty()) {
    const auto row = must(from->session(*id));
    if (!row)
      throw failure{failed, "there is no session " + which};
    std::cout << "No agent has been chosen for session " << which
              << " yet; it is " << row->phase << " in queue " << row->queue
              << ".\n";
    return ok;
  }
  for (const auto& x : all)
    std::cout << switchboard::explain(must(decision_from_json(x))) << '\n';
  return ok;
}

// -- doctor -------------------------------------------------------------------

struct symptom {
  std::string state; ///< "ok", "warn", "fail"
  std::string what;
  std::string advice;
};

symptom check_database(const settings& s) {
  const auto durable = check_durability(s.postgres.url);
  if (durable)
    return {"ok", "PostgreSQL answers and is durable", ""};
  return {"fail", "PostgreSQL", durable.error().detail};
}

symptom check_schema(const settings& s) {
  const auto m = migration_status(s.postgres.url);
  if (!m)
    return {"fail", "schema", m.error().detail};
  if (!m->pending.empty())
    return {"fail",
            "schema " + std::to_string(m->current) + " of "
              + std::to_string(m->newest),
            "run `switchboard db migrate`"};
  return {"ok", "schema is at version " + std::to_string(m->current), ""};
}

symptom check_bus(const settings& s) {
  const auto wire = connect_nats(nats_of(s, "doctor"));
  if (!wire)
    return {"fail", "NATS", wire.error().detail};
  // A made-up contact: the mapping must bring it to a slot that a node serves.
  const auto got =
    (*wire)->request("sb.v1.post.web.doctor", "{}", std::chrono::seconds{2});
  if (!got)
    return {"fail", "direct lane",
            "nobody serves sb.v1.post.web.doctor: is a node running, and does "
            "nats.conf have the mappings of config/nats.conf? ("
              + got.error().detail + ")"};
  return {"ok", "NATS answers, the mapping works, a node serves", ""};
}

symptom check_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 4096)
    return {"warn", "open files: " + std::to_string(files.rlim_cur),
            "every connection takes one; raise the limit (ulimit -n)"};
  return {"ok", "open files: " + std::to_string(files.rlim_cur), ""};
}

symptom check_node(const settings& s) {
  const auto got =
    http_get(static_cast<std::uint16_t>(s.http.port), "/readyz?verbose");
  if (!got)
    return {"fail", "node",
            "nothing listens on port " + std::to_string(s.http.port) + ": "
              + got.error().detail};
  if (got->status != 200)
    return {"fail", "node is not ready", got->body};
  return {"ok", "node is ready", ""};
}

symptom check_secret(const settings& s) {
  if (s.auth.secret.size() < token_secret_bytes_min
      && s.auth.public_key.empty())
    return {"fail", "auth.secret",
            "set at least 32 random bytes, for example `openssl rand -hex 32`"};
  return {"ok", "tokens can be verified", ""};
}

int doctor(const context& c) {
  const auto s = c.load();
  const std::vector<symptom> all{check_secret(s),   check_files(),
                                 check_database(s), check_schema(s),
                                 check_bus(s),      check_node(s)};
  std::vector<std::vector<std::string>> rows;
  bool sick = false;
  for (const auto& x : all) {
    rows.push_back({x.state, x.what, x.advice});
    sick |= x.state == "fail";
  }
  print_table(c.json, {"state", "what", "what to do"}, rows);
  return sick ? failed : ok;
}

int health(const context& c) {
  const auto port = static_cast<std::uint16_t>(c.load().http.port);
  const auto got = http_get(port, "/readyz?verbose");
  if (!got)
    throw failure{dependency_down, "no node listens on port "
                                     + std::to_string(port) + ": "
                                     + got.error().detail};
  if (c.json)
    std::cout << json::serialize(
      json::object{{"ready", got->status == 200}, {"status", got->status}})
              << '\n';
  else
    std::cout << got->body << (got->body.ends_with('\n') ? "" : "\n");
  return got->status == 200 ? ok : failed;
}

} // namespace

void add_care(CLI::App& to, context& c) {
  static std::string name;
  auto* db =
    add(to, "db", "The database's schema: migrate, status", "", nullptr);
  add(*db, "migrate", "Brings the schema to this program's version",
      "  switchboard db migrate -c switchboard.toml\n", [&c] {
        print(c, must(migrate(c.load().postgres.url)));
        return int{ok};
      });
  add(*db, "status", "Shows the schema's version", "", [&c] {
    const auto m = must(migration_status(c.load().postgres.url));
    print(c, m);
    return int{m.pending.empty() ? ok : failed};
  });

  auto* config =
    add(to, "config", "Settings: default, check, doc", "", nullptr);
  add(*config, "default", "Prints the default settings file",
      "  switchboard config default > switchboard.toml\n", [] {
        std::cout << default_settings_file();
        return int{ok};
      });
  add(*config, "check", "Checks a settings file",
      "  switchboard config check switchboard.toml\n",
      [] {
        try {
          static_cast<void>(load_settings(name));
        } catch (const settings_error& e) {
          throw failure{bad_configuration, e.what()};
        }
        std::cerr << name << " is in order\n";
        return int{ok};
      })
    ->add_option("file", name, "The file")
    ->required();
  add(*config, "doc", "Prints all settings as a Markdown table", "", [] {
    std::cout << settings_documentation();
    return int{ok};
  });

  add(to, "doctor", "Looks for what is wrong, and says what to do",
      "  switchboard doctor --json\n", [&c] { return doctor(c); });
  add(to, "health", "Asks a running node whether it is ready", "",
      [&c] { return health(c); });
  add(to, "verify", "Checks the invariants of the product against the database",
      "  switchboard verify --json\n", [&c] { return verify(c); });
  add(to, "explain", "Why was this agent chosen?",
      "  switchboard explain 7283640512307\n",
      [&c] { return explain_session(c, name); })
    ->add_option("session", name, "The session's number")
    ->required();
  add(to, "version", "Prints the version", "", [&c] {
    std::cout << (c.json ? R"({"version":"0.1.0"})" : "switchboard 0.1.0")
              << '\n';
    return int{ok};
  });
}

} // namespace switchboard::cli
