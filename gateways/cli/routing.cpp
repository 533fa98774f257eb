// `policy lint|show`, `replay`.
#include "actors/replay.hpp"
#include "config/policy_file.hpp"
#include "gateways/cli/cli.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <iostream>
#include <set>
#include <thread>

namespace switchboard::cli {

namespace json = boost::json;

namespace {

policy_file read_policy_file(const std::string& file) {
  try {
    return load_policy(file);
  } catch (const policy_error& e) {
    throw failure{bad_configuration, e.what()};
  }
}

// -- policy -------------------------------------------------------------------

/// What only the directory of agents and queues can tell.
void lint_with_directory(const policy& p, store& from,
                         std::vector<std::string>& to) {
  std::set<queue_id> queues;
  for (const auto& x : must(from.queues()))
    queues.insert(x.id);
  std::set<queue_id> served;
  auto any_queue = false;
  const auto agents = must(from.agents());
  for (const auto& a : agents) {
    any_queue |= a.who.queues.empty();
    served.insert(a.who.queues.begin(), a.who.queues.end());
  }
  for (const auto& x : p.relaxations) {
    for (const auto& queue : {x.queue, x.only.value_or(queue_id{})})
      if (!queue.empty() && !queues.contains(queue))
        to.push_back("relax: there is no queue " + queue.text);
    if (!x.queue.empty() && !any_queue && !served.contains(x.queue))
      to.push_back("relax: nobody serves queue " + x.queue.text
                   + ", so opening it helps nobody");
  }
  for (const auto& queue : queues)
    if (!any_queue && !served.contains(queue))
      to.push_back("nobody serves queue " + queue.text);
}

int lint_policy(const context& c, const std::string& file, bool with_agents) {
  const auto all = read_policy_file(file);
  duration offer_time{std::chrono::seconds{20}};
  std::vector<std::string> found;
  if (with_agents) {
    const auto from = c.open_store();
    for (const auto& x : must(from->queues()))
      offer_time = std::max(offer_time, x.rules.offer_time);
    lint_with_directory(all.acting, *from, found);
  }
  const auto own = lint(all, offer_time);
  found.insert(found.begin(), own.begin(), own.end());
  std::vector<std::vector<std::string>> rows;
  for (const auto& x : found)
    rows.push_back({x});
  if (c.json)
    print_table(true, {"finding"}, rows);
  else
    for (const auto& x : found)
      std::cout << x << '\n';
  if (!c.json && found.empty())
    std::cerr << "policy " << all.acting.version << ": nothing to say\n";
  return found.empty() ? ok : failed;
}

int show_policy(const context& c, std::string file) {
  if (file.empty())
    file = c.load().routing.policy;
  const auto all = file.empty() ? policy_file{} : read_policy_file(file);
  const auto text = to_toml(all.acting);
  if (c.json)
    std::cout << json::serialize(json::object{
      {"file", file}, {"version", all.acting.version}, {"policy", text}})
              << '\n';
  else
    std::cout << "# " << (file.empty() ? "the default policy" : file) << '\n'
              << text;
  return ok;
}

void add_policy(CLI::App& to, context& c) {
  static std::string file;
  static bool with_agents = false;
  auto* all = add(to, "policy", "Routing policies: lint, show", "", nullptr);
  auto* made = add(*all, "lint", "Looks for what is hardly meant",
                   "  switchboard policy lint policy.toml --agents\n",
                   [&c] { return lint_policy(c, file, with_agents); });
  made->add_option("file", file, "Policy file (TOML)")->required();
  made->add_flag("--agents", with_agents,
                 "Also compare with the agents and queues of the database");
  made = add(*all, "show", "Prints the policy with every value",
             "  switchboard policy show > policy.toml\n",
             [&c] { return show_policy(c, file); });
  made->add_option("file", file, "Policy file; default: that of the settings");
}

// -- replay -------------------------------------------------------------------

struct replay_options {
  std::string file;
  std::string other;
  int threads = 1;
};

/// The same on each of some threads; all must come to the same.
std::vector<replayed> replay_on_threads(const router_record& record,
                                        const std::optional<policy>& other,
                                        int threads) {
  std::vector<replayed> out(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  running.reserve(out.size());
  for (auto& x : out)
    running.emplace_back([&] { x = replay(record, other); });
  for (auto& x : running)
    x.join();
  return out;
}

void print_differences(const replayed& x) {
  constexpr std::size_t shown_max = 20;
  std::cout << x.disagreements.size() << " of " << x.proposals
            << " choices would have been others\n";
  for (std::size_t i = 0; i < std::min(shown_max, x.disagreements.size());
       ++i) {
    const auto& d = x.disagreements[i];
    std::cout << "  session " << d.session << " to " << d.agent << ": ";
    if (d.other_session != d.session)
      std::cout << "session " << d.other_session << " first\n";
    else
      std::cout << (d.other_agent.empty() ? "nobody" : d.other_agent.text)
                << '\n';
  }
  if (x.disagreements.size() > shown_max)
    std::cout << "  …\n";
}

int run_replay(const context& c, const replay_options& how) {
  const auto record = must(read_router_record(how.file));
  std::optional<policy> other;
  if (!how.other.empty())
    other = read_policy_file(how.other).acting;
  const auto all = replay_on_threads(record, other, how.threads);
  const auto& x = all.front();
  const auto same = std::all_of(
    all.begin(), all.end(), [&](const auto& y) { return y.hash == x.hash; });
  const auto identical = same && x.identical() && record.lines_lost == 0;
  if (c.json) {
    std::cout << json::serialize(
      json::object{{"events", x.events},
                   {"proposals", x.proposals},
                   {"hash", std::to_string(x.hash)},
                   {"recorded_hash", std::to_string(x.recorded_hash)},
                   {"identical", identical},
                   {"threads", how.threads},
                   {"first_difference", x.first_difference},
                   {"disagreements", x.disagreements.size()}})
              << '\n';
    return identical ? ok : failed;
  }
  std::cout << x.events << " events, " << x.proposals << " choices, hash "
            << x.hash << (how.threads > 1 && same ? " on every thread" : "")
            << '\n';
  if (record.lines_lost > 0)
    std::cout << "The record has gaps: the recorder could not keep up, so "
                 "choices after them may differ.\n";
  if (identical)
    std::cout << "identical to the record\n";
  else
    std::cout << "NOT identical to the record: "
              << (same ? x.first_difference : "the threads differ") << '\n';
  if (other)
    print_differences(x);
  return identical ? ok : failed;
}

} // namespace

void add_routing(CLI::App& to, context& c) {
  add_policy(to, c);
  static replay_options how;
  auto* made = add(to, "replay", "Makes recorded routing choices again",
                   "  switchboard replay router-node-1.jsonl --threads 4\n"
                   "  switchboard replay router-node-1.jsonl --policy b.toml\n",
                   [&c] { return run_replay(c, how); });
  made->add_option("file", how.file, "A record (setting routing.record)")
    ->required();
  made->add_option("--policy", how.other, "Compare with this policy");
  made->add_option("--threads", how.threads, "Replay so many times at once")
    ->check(CLI::Range(1, 64))
    ->capture_default_str();
}

} // namespace switchboard::cli
