// `agent`, `session`, `token`: who and what there is.
#include "config/settings.hpp"
#include "gateways/cli/cli.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>

namespace switchboard::cli {

namespace {

struct agent_options {
  std::string id;
  std::string name;
  std::vector<std::string> languages;
  std::vector<std::string> skills;
  std::vector<std::string> queues;
  std::vector<std::string> channels;
  double capacity = 3;
};

struct token_request {
  std::string agent;
  std::string visitor;
  std::string as = "agent";
  int hours = 12;
};

/// "zh:5" -> {zh, 5}; "zh" -> {zh, 3}
std::vector<agent::ability> abilities(const std::vector<std::string>& from,
                                      const char* flag) {
  std::vector<agent::ability> all;
  for (const auto& x : from) {
    const auto colon = x.find(':');
    const auto level = colon == x.npos ? "3" : x.substr(colon + 1);
    if (level.size() != 1 || level[0] < '1' || level[0] > '5' || colon == 0)
      throw failure{usage, std::string(flag)
                             + " takes name:level with a level "
                               "from 1 to 5, not '"
                             + x + "'"};
    all.push_back({x.substr(0, colon), level[0] - '0'});
  }
  return all;
}

std::string print(const std::vector<agent::ability>& all) {
  std::string to;
  for (const auto& x : all)
    to += (to.empty() ? "" : " ") + x.name + ':' + std::to_string(x.level);
  return to.empty() ? "-" : to;
}

std::string chats(std::int32_t thousandths) {
  std::ostringstream to;
  to << static_cast<double>(thousandths) / 1000;
  return to.str();
}

int add_agent(const context& c, const agent_options& how) {
  if (how.capacity < 0 || how.capacity > 1000)
    throw failure{usage, "--capacity is a number of chats from 0 to 1000"};
  agent::profile who{.display_name = how.name.empty() ? how.id : how.name,
                     .languages = abilities(how.languages, "--language"),
                     .skills = abilities(how.skills, "--skill"),
                     .channels = how.channels,
                     .capacity =
                       static_cast<std::int32_t>(how.capacity * 1000)};
  for (const auto& x : how.queues)
    who.queues.push_back({x});
  must(c.open_store()->put_agent({how.id}, who));
  std::cerr << "agent " << how.id << " is known; a token for them: switchboard "
            << "token create --agent " << how.id << '\n';
  return ok;
}

int list_agents(const context& c, const std::string& only) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& x : must(c.open_store()->agents()))
    if (only.empty() || x.id.text == only)
      rows.push_back({x.id.text, x.who.display_name,
                      std::string(agent::to_string(x.now)), chats(x.active),
                      chats(x.who.capacity), print(x.who.languages),
                      print(x.who.skills)});
  if (!only.empty() && rows.empty())
    throw failure{failed, "there is no agent '" + only + "'"};
  print_table(
    c.json,
    {"agent", "name", "presence", "load", "capacity", "languages", "skills"},
    rows);
  return ok;
}

int list_sessions(const context& c, bool all, int count) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& x : must(c.open_store()->sessions(count, !all)))
    rows.push_back({to_string(x.id), x.who.channel, x.who.user, x.phase,
                    x.queue.text, x.agent.empty() ? "-" : x.agent.text,
                    std::to_string(x.last_seq), rfc3339(x.opened_at)});
  print_table(c.json,
              {"session", "channel", "user", "phase", "queue", "agent", "lines",
               "opened"},
              rows);
  return ok;
}

int show_session(const context& c, const std::string& which) {
  const auto id = parse_session_id(which);
  if (!id)
    throw failure{usage, "'" + which + "' is not a session's number"};
  const auto from = c.open_store();
  if (!must(from->session(*id)))
    throw failure{failed, "there is no session " + which};
  std::vector<std::vector<std::string>> rows;
  for (std::int32_t after = 0;;) {
    const auto lines = must(from->entries(*id, after, 1000));
    for (const auto& x : lines)
      rows.push_back({std::to_string(x.seq), rfc3339(x.at),
                      std::string(to_string(x.kind)),
                      x.author.empty() ? "-" : x.author,
                      x.event.empty()  ? x.body
                      : x.body.empty() ? x.event
                                       : x.event + " (" + x.body + ")"});
    if (lines.size() < 1000)
      break;
    after = lines.back().seq;
  }
  print_table(c.json, {"seq", "at", "kind", "author", "body"}, rows);
  return ok;
}

int make_token(const context& c, const token_request& how) {
  const auto as = how.visitor.empty() ? parse_role(how.as) : role::visitor;
  if (!as)
    throw failure{usage, as.error().detail};
  if (how.agent.empty() && how.visitor.empty())
    throw failure{usage, "say whose token it is: --agent ID or --visitor "
                         "USER; more with --help"};
  const auto made =
    create_token(tokens_of(c.load()),
                 {.subject = how.visitor.empty() ? how.agent : how.visitor,
                  .as = *as,
                  .lifetime = std::chrono::hours{how.hours}},
                 std::chrono::time_point_cast<duration>(clock::now()));
  if (!made)
    throw failure{bad_configuration, made.error().detail};
  std::cout << (c.json ? R"({"token":")" + *made + "\"}" : *made) << '\n';
  return ok;
}

} // namespace

void add_directory(CLI::App& to, context& c) {
  static agent_options agent_how;
  static token_request token_how;
  static std::string name;
  static bool all = false;
  static int count = 50;

  auto* agents = add(to, "agent", "Agents: add, list, show", "", nullptr);
  auto* made =
    add(*agents, "add", "Adds an agent, or changes one",
        "  switchboard agent add li --language zh:5 --skill refund:4 "
        "--capacity 4\n",
        [&c] { return add_agent(c, agent_how); });
  made->add_option("id", agent_how.id, "The agent's id")->required();
  made->add_option("--name", agent_how.name, "Name to show");
  made->add_option("--language", agent_how.languages, "Language:level 1-5");
  made->add_option("--skill", agent_how.skills, "Skill:level 1-5");
  made->add_option("--queue", agent_how.queues, "Only these queues");
  made->add_option("--channel", agent_how.channels, "Only these channels");
  made->add_option("--capacity", agent_how.capacity, "Chats at the same time")
    ->capture_default_str();
  add(*agents, "list", "Lists agents", "  switchboard agent list --json\n",
      [&c] { return list_agents(c, ""); });
  add(*agents, "show", "Shows one agent", "  switchboard agent show li\n",
      [&c] { return list_agents(c, name); })
    ->add_option("id", name, "The agent's id")
    ->required();

  auto* sessions = add(to, "session", "Sessions: list, show", "", nullptr);
  made = add(*sessions, "list", "Lists sessions, the newest first",
             "  switchboard session list --all --count 10\n",
             [&c] { return list_sessions(c, all, count); });
  made->add_flag("--all", all, "Closed ones too");
  made->add_option("--count", count, "How many, at most")
    ->check(CLI::Range(1, 10'000))
    ->capture_default_str();
  add(*sessions, "show", "Shows every line of a session",
      "  switchboard session show 7283640512307\n",
      [&c] { return show_session(c, name); })
    ->add_option("session", name, "The session's number")
    ->required();

  auto* tokens = add(to, "token", "Tokens: create", "", nullptr);
  made = add(*tokens, "create", "Signs a token to sign in with",
             "  switchboard token create --agent li --hours 8\n"
             "  switchboard token create --visitor u1\n",
             [&c] { return make_token(c, token_how); });
  auto* agent =
    made->add_option("--agent", token_how.agent, "The agent's (operator's) id");
  made
    ->add_option("--visitor", token_how.visitor,
                 "A customer: the user's name on the channel web")
    ->excludes(agent);
  made->add_option("--role", token_how.as, "agent, supervisor or operator")
    ->capture_default_str();
  made->add_option("--hours", token_how.hours, "How long it is good")
    ->check(CLI::Range(1, 24 * 365))
    ->capture_default_str();
}

} // namespace switchboard::cli
