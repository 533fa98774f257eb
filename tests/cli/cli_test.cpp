// The program as a person or a script calls it: exit codes, data on stdout,
// messages that help.
#include "tests/cli/program.hpp"
#include "tests/support/servers.hpp"

#include "persistence/postgres/postgres_store.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <fstream>

using namespace switchboard;
namespace json = boost::json;

namespace {

std::string sql(const std::string& conninfo, const std::string& text) {
  const auto done = run_process({.command = {"psql", conninfo, "-qtAc", text}});
  INFO(done.output);
  REQUIRE(done.exit_code == 0);
  return done.output;
}

/// A person at a terminal, with a database.
struct shell {
  test::scratch_folder folder;
  test::fresh_database database;
  test::program switchboard{
    folder.path(),
    {"SWITCHBOARD_POSTGRES_URL=" + database.conninfo(),
     "SWITCHBOARD_AUTH_SECRET=0123456789abcdef0123456789abcdef",
     // Nobody listens there: port 1 is not given to anybody.
     "SWITCHBOARD_NATS_URL=nats://127.0.0.1:1", "SWITCHBOARD_HTTP_PORT=1"}};

  /// Runs it, and reads what it printed as one JSON document.
  json::value data(std::vector<std::string> arguments, int code = 0) const {
    arguments.emplace_back("--json");
    const auto got = switchboard.run(arguments);
    INFO(got.text);
    CHECK(got.code == code);
    boost::system::error_code ec;
    auto value = json::parse(got.text, ec);
    INFO(ec.message());
    REQUIRE_FALSE(ec);
    return value;
  }

  /// A session with two lines, as the store would write it.
  void plant_session() const {
    sql(database.conninfo(),
        "UPDATE slot SET epoch = 1 WHERE slot = 0;"
        "INSERT INTO session (id, slot, channel, user_id, phase, queue, "
        "ownership, opened_at, closed_at, state) VALUES (77, 0, 'web', 'u1', "
        "'closed', 'default', 1, now(), now(), '{}');"
        "INSERT INTO entry VALUES "
        "(77, 1, 1, 1, '', '', 'hello', 'u1-1', now()),"
        "(77, 2, 1, 5, 'queued', '', '', '', now()),"
        "(77, 3, 1, 1, '', '', 'again', 'u1-2', now());");
  }
};

/// The names under "Subcommands:" of a help text.
std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> all;
  auto at = help.find("Subcommands:\n");
  if (at == help.npos)
    return all;
  std::istringstream rest{help.substr(at + 13)};
  for (std::string line; std::getline(rest, line) && line.starts_with("  ");) {
    std::istringstream words{line};
    if (line[2] != ' ')
      words >> all.emplace_back();
  }
  return all;
}

/// Checks the help of a command and of all below it. @returns how many
int check_help(const test::program& x, std::vector<std::string> path) {
  auto asked = path;
  asked.emplace_back("--help");
  const auto got = x.run(asked);
  INFO(got.text);
  CHECK(got.code == 0);
  // An example of this very command.
  auto example = std::string("  switchboard");
  for (const auto& word : path)
    example += ' ' + word;
  const auto examples = got.text.find("Examples:\n");
  REQUIRE(examples != std::string::npos);
  CHECK(got.text.find(example, examples) != std::string::npos);
  int count = 1;
  for (const auto& name : commands_in(got.text)) {
    auto below = path;
    below.push_back(name);
    count += check_help(x, below);
  }
  return count;
}

} // namespace

TEST_CASE("every command explains itself, with an example", "[cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  CHECK(check_help(switchboard, {}) >= 30);
}

TEST_CASE("a word that is near a command is answered with the command",
          "[cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto near = GENERATE(table<std::vector<std::string>, std::string>({
    {{"sedn", "--user", "u1", "hi"}, "'send'"},
    {{"verfy"}, "'verify'"},
    {{"agent", "lst"}, "'list'"},
    {{"db", "migrat"}, "'migrate'"},
    {{"send", "--usr", "u1", "hi"}, "'--user'"},
  }));
  const auto got = switchboard.all(std::get<0>(near));
  INFO(got.text);
  CHECK(got.code == 2);
  CHECK(got.text.find("Did you mean " + std::get<1>(near))
        != std::string::npos);
  CHECK(switchboard.run(std::get<0>(near)).text.empty());
}

TEST_CASE("wrong use ends with 2 and says how to get help", "[cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto words = GENERATE(values<std::vector<std::string>>(
    {{},
     {"xyzzy"},
     {"agent"},
     {"send", "hi"},
     {"send", "--user", "u1"},
     {"token", "create"},
     {"token", "create", "--agent", "li", "--hours", "0"},
     {"bench", "ingest", "--messages", "many"}}));
  const auto got = switchboard.all(words);
  INFO(got.text);
  CHECK(got.code == 2);
  CHECK(got.text.find("--help") != std::string::npos);
}

TEST_CASE_METHOD(shell, "with --json all data is JSON", "[cli]") {
  REQUIRE(switchboard.run({"agent", "add", "li", "--skill", "a:1"}).code == 0);
  plant_session();
  CHECK(data({"version"}).at("version").is_string());
  CHECK(data({"db", "status"}).at("pending").as_array().empty());
  CHECK(data({"db", "migrate"}).at("current").is_int64());
  CHECK(data({"agent", "list"}).as_array().size() == 1);
  CHECK(data({"agent", "show", "li"}).as_array().size() == 1);
  CHECK(data({"queue", "list"}).as_array().size() == 1);
  CHECK(data({"queue", "show", "default"}).as_array().size() == 1);
  CHECK(data({"session", "list", "--all"}).as_array().size() == 1);
  CHECK(data({"session", "list"}).as_array().empty());
  CHECK(data({"session", "show", "77"}).as_array().size() == 3);
  CHECK(data({"explain", "77"}).as_array().empty());
  CHECK(data({"token", "create", "--agent", "li"}).at("token").is_string());
  CHECK(data({"verify"}).at("violations").as_int64() == 0);
  // Nothing runs: that is a finding, not a failure to print.
  CHECK(data({"doctor"}, 1).as_array().size() >= 5);
}

TEST_CASE_METHOD(shell, "verify finds a line that is missing, and ends with 1",
                 "[cli]") {
  plant_session();
  CHECK(switchboard.run({"verify"}).code == 0);
  sql(database.conninfo(), "DELETE FROM entry WHERE session_id = 77 AND seq = "
                           "2");
  const auto got = switchboard.run({"verify"});
  CHECK(got.code == 1);
  CHECK(got.text.find("VIOLATED") != std::string::npos);
  const auto found = data({"verify"}, 1);
  CHECK(found.at("violations").as_int64() == 1);
  for (const auto& x : found.at("findings").as_array())
    CHECK((x.at("violations").as_int64() > 0)
          == (x.at("invariant").as_string() == "INV-2"));
}

TEST_CASE_METHOD(shell, "verify finds messages that changed places", "[cli]") {
  plant_session();
  sql(database.conninfo(), "UPDATE entry SET source_id = 'u1-9' WHERE seq = 1");
  CHECK(switchboard.run({"verify"}).code == 1);
}

TEST_CASE("a database is brought to this program's version once", "[cli]") {
  const test::scratch_folder folder;
  auto& server = test::shared_postgres();
  sql(server.conninfo("postgres"), "CREATE DATABASE cli_empty");
  const test::program switchboard{
    folder.path(),
    {"SWITCHBOARD_POSTGRES_URL=" + server.conninfo("cli_empty")}};
  const auto before = switchboard.run({"db", "status"});
  CHECK(before.code == 1);
  CHECK(before.text.find("pending: ") != std::string::npos);
  const auto early = switchboard.all({"agent", "list"});
  CHECK(early.code == 1);
  CHECK(early.text.find("switchboard db migrate") != std::string::npos);
  CHECK(switchboard.run({"db", "migrate"}).code == 0);
  const auto after = switchboard.run({"db", "status"});
  CHECK(after.code == 0);
  CHECK(after.text.find("pending") == std::string::npos);
  CHECK(switchboard.run({"db", "migrate"}).code == 0);
  CHECK(switchboard.run({"agent", "list"}).code == 0);
  sql(server.conninfo("postgres"), "DROP DATABASE cli_empty WITH (FORCE)");
}

TEST_CASE_METHOD(shell, "agents and queues are added, changed and shown",
                 "[cli]") {
  REQUIRE(switchboard
            .run({"agent", "add", "li", "--name", "Li Lei", "--language",
                  "zh:5", "--skill", "refund:4", "--capacity", "4"})
            .code
          == 0);
  const auto one = data({"agent", "show", "li"}).as_array().at(0);
  CHECK(one.at("name").as_string() == "Li Lei");
  CHECK(one.at("capacity").as_string() == "4");
  CHECK(one.at("languages").as_string().find("zh") != json::string::npos);
  REQUIRE(switchboard.run({"agent", "add", "li", "--capacity", "2"}).code == 0);
  CHECK(data({"agent", "list"}).as_array().size() == 1);
  REQUIRE(
    switchboard.run({"queue", "add", "vip", "--offer", "15", "--wrap-up", "30"})
      .code
    == 0);
  CHECK(data({"queue", "show", "vip"}).as_array().at(0).at("offer").as_int64()
        == 15);
  for (const auto* what : {"agent", "queue"}) {
    const auto nobody = switchboard.all({what, "show", "nobody"});
    CHECK(nobody.code == 1);
    CHECK(nobody.text.find("'nobody'") != std::string::npos);
  }
  CHECK(switchboard.all({"agent", "add", "x", "--skill", "refund:9"}).code
        == 2);
}

TEST_CASE_METHOD(shell, "explain says why, and who it would be otherwise",
                 "[cli]") {
  plant_session();
  decision made{.session = {77}, .trigger = "session_waiting"};
  made.chosen = {"ann"};
  made.candidates = {{.agent = {"ann"},
                      .quality = 400'000,
                      .match = 400'000,
                      .capacity = 3000,
                      .rank = 1},
                     {.agent = {"li"},
                      .verdicts = {"capacity: load 3000 + 1000 > 3000"},
                      .quality = 1'000'000,
                      .match = 300'000,
                      .load = 3000,
                      .capacity = 3000}};
  sql(database.conninfo(), "INSERT INTO decision (session_id, seq, body) "
                           "VALUES (77, 2, '"
                             + to_json(made) + "')");
  const auto got = switchboard.run({"explain", "77"});
  INFO(got.text);
  CHECK(got.code == 0);
  CHECK(got.text.find("session 77: ann") != std::string::npos);
  CHECK(got.text.find("capacity: load 3000 + 1000 > 3000")
        != std::string::npos);
  CHECK(got.text.find("would be li if load < 2.25") != std::string::npos);
  const auto all = data({"explain", "77"}).as_array();
  REQUIRE(all.size() == 1);
  CHECK(all[0].at("chosen").as_string() == "ann");
}

TEST_CASE_METHOD(shell, "what is set of a queue is shown, the rest stays",
                 "[cli]") {
  REQUIRE(switchboard.run({"agent", "add", "eve"}).code == 0);
  REQUIRE(switchboard.run({"queue", "add", "sales"}).code == 0);
  const auto made = switchboard.all({"queue",
                                     "add",
                                     "shop",
                                     "--language",
                                     "zh",
                                     "--skill",
                                     "refund",
                                     "--skill",
                                     "law",
                                     "--urgency",
                                     "vip",
                                     "--target",
                                     "45",
                                     "--zone",
                                     "Europe/Berlin",
                                     "--open",
                                     "Mon-Fri 09:00-18:00",
                                     "--open",
                                     "Sat 10:00-14:00",
                                     "--day",
                                     "2026-12-25",
                                     "--when-closed",
                                     "receiver",
                                     "--closed-text",
                                     "Later!",
                                     "--overflow",
                                     "sales",
                                     "--receiver",
                                     "eve",
                                     "--overflow-after",
                                     "120",
                                     "--probe-after",
                                     "300",
                                     "--automatic"});
  INFO(made.text);
  REQUIRE(made.code == 0);
  const auto changed =
    switchboard.all({"queue", "set", "shop", "--probe-text", "Hello?",
                     "--no-automatic", "--open", "Mon-Sun 08:00-20:00"});
  INFO(changed.text);
  REQUIRE(changed.code == 0);
  const auto shown = data({"queue", "show", "shop"}).as_array().at(0);
  CHECK(json::serialize(shown)
        == R"({"queue":"shop","name":"shop","offer":20,"exclusion":300,)"
           R"("transfer":60,"wrap_up":0,"first_reply":60,"quiet":600,)"
           R"("offers":1,"disposition":[],"automatic":false,)"
           R"("language":"zh","skill":["refund","law"],"urgency":"vip",)"
           R"("target":45,"zone":"Europe/Berlin",)"
           R"("open":["Mon-Sun 08:00-20:00"],"day":["2026-12-25"],)"
           R"("when_closed":"receiver","closed_text":"Later!",)"
           R"("overflow_after":120,"overflow":"sales","receiver":"eve",)"
           R"("probe_after":300,"probe_answer":60,"probe_text":"Hello?"})");
  // An empty text takes away.
  REQUIRE(
    switchboard.run({"queue", "set", "shop", "--day", "", "--skill", ""}).code
    == 0);
  const auto less = data({"queue", "show", "shop"}).as_array().at(0);
  CHECK(less.at("day").as_array().empty());
  CHECK(less.at("skill").as_array().empty());
  CHECK(less.at("open").as_array().size() == 1);
}

TEST_CASE_METHOD(shell, "what a queue cannot be is refused with the reason",
                 "[cli]") {
  using row = std::tuple<std::vector<std::string>, int, std::string>;
  const auto rows = std::vector<row>{
    {{"add", "q", "--open", "Mon 9-5"}, 2, "Mon-Fri 09:00-18:00"},
    {{"add", "q", "--day", "25.12."}, 2, "2026-12-25"},
    {{"add", "q", "--zone", "Mars/Olympus"}, 2, "Europe/Berlin"},
    {{"add", "q", "--offer", "0"}, 2, "from 1 to 3600"},
    {{"add", "q", "--offer", "soon"}, 2, "from 1 to 3600"},
    {{"add", "q", "--offers", "4"}, 2, "from 1 to 3"},
    {{"add", "q", "--urgency", "now"}, 2, "normal, vip, urgent, relaxed"},
    {{"add", "q", "--when-closed", "receiver"}, 2, "--receiver"},
    {{"add", "q", "--when-closed", "overflow"}, 2, "--overflow"},
    {{"add", "q", "--overflow-after", "60"}, 2, "--overflow"},
    {{"add", "q", "--overflow", "q"}, 2, "itself"},
    {{"add", "q", "--overflow", "nowhere"}, 1, "'nowhere'"},
    {{"add", "q", "--receiver", "nobody"}, 1, "'nobody'"},
    {{"set", "q", "--offer", "15"}, 1, "queue add q"},
  };
  for (const auto& [words, code, why] : rows) {
    std::vector<std::string> all{"queue"};
    all.insert(all.end(), words.begin(), words.end());
    const auto got = switchboard.all(all);
    INFO(words[2] << ": " << got.text);
    CHECK(got.code == code);
    CHECK(got.text.find(why) != std::string::npos);
  }
  CHECK(switchboard.run({"queue", "show", "q"}).code == 1);
}

TEST_CASE_METHOD(shell, "a token is signed for an agent", "[cli]") {
  const auto got = switchboard.run({"token", "create", "--agent", "li"});
  CHECK(got.code == 0);
  CHECK(std::count(got.text.begin(), got.text.end(), '.') == 2);
  CHECK(
    switchboard.all({"token", "create", "--agent", "li", "--role", "king"}).code
    == 2);
  const auto visitor = switchboard.run({"token", "create", "--visitor", "u1"});
  CHECK(visitor.code == 0);
  CHECK(std::count(visitor.text.begin(), visitor.text.end(), '.') == 2);
  CHECK(switchboard.all({"token", "create", "--agent", "li", "--visitor", "u1"})
          .code
        == 2);
  const test::program bare{folder.path(), {"SWITCHBOARD_AUTH_SECRET=short"}};
  CHECK(bare.all({"token", "create", "--agent", "li"}).code == 78);
}

TEST_CASE("the default settings are in order; a wrong name is found", "[cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto file = folder.path() + "/s.toml";
  const auto defaults = switchboard.run({"config", "default"});
  REQUIRE(defaults.code == 0);
  std::ofstream{file} << defaults.text;
  CHECK(switchboard.all({"config", "check", file}).code == 0);
  std::ofstream{file} << "[nats]\nurll = \"nats://127.0.0.1:4222\"\n";
  const auto wrong = switchboard.all({"config", "check", file});
  INFO(wrong.text);
  CHECK(wrong.code == 78);
  CHECK(wrong.text.find("s.toml:2:") != std::string::npos);
  CHECK(wrong.text.find("nats.url") != std::string::npos);
  CHECK(switchboard.all({"config", "check", "absent.toml"}).code == 78);
  const auto doc = switchboard.run({"config", "doc"});
  CHECK(doc.code == 0);
  CHECK(doc.text.find("nats.url") != std::string::npos);
  CHECK(doc.text.find('|') != std::string::npos);
}

TEST_CASE("what is away is named, with 69", "[cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{
    folder.path(),
    {"SWITCHBOARD_POSTGRES_URL=postgresql://x:x@127.0.0.1:1/x",
     "SWITCHBOARD_NATS_URL=nats://127.0.0.1:1", "SWITCHBOARD_HTTP_PORT=1"}};
  for (const auto& words : std::vector<std::vector<std::string>>{
         {"agent", "list"},
         {"verify"},
         {"db", "status"},
         {"health"},
         {"send", "--user", "u1", "hello"}}) {
    const auto got = switchboard.all(words);
    INFO(words.front() << ": " << got.text);
    CHECK(got.code == 69);
    CHECK(got.text.find("127.0.0.1") + got.text.find("port 1")
          != 2 * std::string::npos);
  }
}
