// `node`, `top`: the nodes of a cluster, and what they do at this moment.
#include "bus/subject.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/cli/serve.hpp"
#include "persistence/postgres/postgres_leases.hpp"

#include <boost/json.hpp>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <thread>

namespace switchboard::cli {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<lease_book> open_book(const context& c) {
  return make_postgres_leases(c.load().postgres.url, "switchboard/cli");
}

/// Who has renewed the lease between two looks.
std::map<node_id, bool> who_lives(lease_book& book) {
  const auto before = must(book.list());
  std::this_thread::sleep_for(500ms);
  std::map<node_id, bool> lives;
  for (const auto& x : must(book.list()))
    for (const auto& y : before)
      if (y.what.node == x.what.node)
        lives[x.what.node] = y.what.renewals != x.what.renewals
                             || y.what.incarnation != x.what.incarnation;
  return lives;
}

int list(const context& c) {
  const auto book = open_book(c);
  auto lives = who_lives(*book);
  std::vector<std::vector<std::string>> rows;
  for (const auto& x : must(book->list()))
    rows.push_back(
      {x.what.node.text,
       lives[x.what.node] ? std::string(to_string(x.what.says)) : "gone",
       std::to_string(x.slots), x.router ? "yes" : "", x.address});
  print_table(c.json, {"node", "state", "slots", "router", "address"}, rows);
  return ok;
}

/// Waits until the node owns nothing any more.
int drain(const context& c, const node_id& which, bool undo) {
  const auto book = open_book(c);
  must(book->ask_to_drain(which, !undo));
  if (undo) {
    std::cerr << "node " << which.text << " is no longer asked to drain; if "
              << "it drains already, restart it\n";
    return ok;
  }
  const auto until = std::chrono::steady_clock::now() + 60s;
  std::int64_t left = 0;
  do {
    std::this_thread::sleep_for(100ms);
    left = 0;
    for (const auto& x : must(book->list()))
      if (x.what.node == which)
        left = x.slots + (x.router ? 1 : 0);
  } while (left > 0 && std::chrono::steady_clock::now() < until);
  if (left > 0)
    throw failure{failed, "node " + which.text + " still owns "
                            + std::to_string(left)
                            + " slots; is there another node that serves?"};
  std::cerr << "node " << which.text
            << " owns nothing any more and can be stopped\n";
  return ok;
}

/// Only what `switchboard dev --nodes` has started here can be killed.
int kill_node(const std::string& name) {
  std::ifstream from{std::filesystem::path{".switchboard"} / "nodes"
                     / (name + ".pid")};
  int pid = 0;
  if (!(from >> pid) || pid <= 1 || ::kill(pid, SIGKILL) != 0)
    throw failure{failed, "no node '" + name
                            + "' of `switchboard dev --nodes N` runs in this "
                              "folder; see `switchboard node list`"};
  std::cerr << "node " << name << " was killed; dev starts it again soon\n";
  return ok;
}

// -- top ----------------------------------------------------------------------

/// Prometheus' text: name with labels -> value.
std::map<std::string, double> read_metrics(const std::string& text) {
  std::map<std::string, double> all;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.empty() || line[0] == '#' || space == line.npos)
      continue;
    all[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return all;
}

/// What one node said, and when.
struct sample {
  std::chrono::steady_clock::time_point at;
  std::map<std::string, double> of;

  [[nodiscard]] double get(const std::string& name) const {
    const auto found = of.find(name);
    return found == of.end() ? 0 : found->second;
  }
};

/// The upper bound of the bucket in which the quantile of the time since
/// `before` lies, in milliseconds; 0 if there was nothing.
double quantile_ms(const sample& before, const sample& now, double part) {
  const std::string name = "switchboard_end_to_end_duration_seconds";
  const auto all = now.get(name + "_count") - before.get(name + "_count");
  if (all <= 0)
    return 0;
  double best = 0;
  const auto prefix = name + "_bucket{le=\"";
  std::map<double, double> buckets;
  for (const auto& [key, value] : now.of)
    if (key.starts_with(prefix) && key.find("+Inf") == key.npos)
      buckets[std::strtod(key.c_str() + prefix.size(), nullptr)] =
        value - before.get(key);
  for (const auto& [bound, count] : buckets) {
    best = bound;
    if (count >= part * all)
      break;
  }
  return best * 1000;
}

std::string digits(double x, int after = 0) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", after, x);
  return text.data();
}

class top_table {
public:
  explicit top_table(const context& c)
    : book_(open_book(c)), wire_(c.open_bus()) {}

  /// Asks every node. @returns rows as `columns` names them
  std::vector<std::vector<std::string>> read() {
    std::vector<std::vector<std::string>> rows;
    std::array<double, 4> sum{};
    for (const auto& x : must(book_->list())) {
      const auto said =
        wire_->request(subject::node(x.what.node, "stats"), "", 300ms);
      if (!said) {
        rows.push_back({x.what.node.text, "silent", std::to_string(x.slots), "",
                        "", "", "", "", ""});
        continue;
      }
      const sample now{std::chrono::steady_clock::now(),
                       read_metrics(said->bytes)};
      auto& before = before_[x.what.node];
      if (before.of.empty())
        before = now;
      const std::string in = "switchboard_messages_total{direction=\"in\"}";
      const std::string out = "switchboard_messages_total{direction=\"out\"}";
      const auto passed =
        std::chrono::duration<double>(now.at - before.at).count();
      const auto rate =
        passed > 0
          ? (now.get(in) + now.get(out) - before.get(in) - before.get(out))
              / passed
          : 0;
      rows.push_back({x.what.node.text, std::string(to_string(x.what.says)),
                      std::to_string(x.slots) + (x.router ? "+router" : ""),
                      digits(now.get("switchboard_sessions")),
                      digits(now.get("switchboard_sessions_waiting")),
                      digits(rate), digits(quantile_ms(before, now, 0.5), 1),
                      digits(quantile_ms(before, now, 0.99), 1),
                      digits(now.get("switchboard_failovers_total")) + "/"
                        + digits(now.get("switchboard_migrations_total"))});
      sum[0] += static_cast<double>(x.slots);
      sum[1] += now.get("switchboard_sessions");
      sum[2] += now.get("switchboard_sessions_waiting");
      sum[3] += rate;
      before = now;
    }
    rows.push_back({"all", "", digits(sum[0]), digits(sum[1]), digits(sum[2]),
                    digits(sum[3]), "", "", ""});
    return rows;
  }

  static const std::vector<std::string>& columns() {
    static const std::vector<std::string> all{
      "node",  "state",  "slots",  "sessions",   "waiting",
      "msg/s", "p50 ms", "p99 ms", "taken/moved"};
    return all;
  }

private:
  std::unique_ptr<lease_book> book_;
  std::unique_ptr<bus> wire_;
  std::map<node_id, sample> before_;
};

int top(const context& c) {
  catch_signals();
  top_table table{c};
  table.read(); // Rates need a beginning.
  const auto once = c.json || isatty(STDOUT_FILENO) == 0;
  do {
    for (int i = 0; i < 10 && !stop_asked(); ++i)
      std::this_thread::sleep_for(100ms);
    const auto rows = table.read();
    if (!once)
      std::cout << "\033[H\033[2J";
    print_table(c.json, top_table::columns(), rows);
    std::cout << std::flush;
  } while (!once && !stop_asked());
  return ok;
}

} // namespace

void add_cluster(CLI::App& to, context& c) {
  static node_id which;
  static bool undo = false;
  auto* nodes =
    add(to, "node", "The nodes of the cluster: list, drain, kill", "", nullptr);
  add(*nodes, "list", "Who lives and what they own",
      "  switchboard node list --json\n", [&c] { return list(c); });
  auto* made = add(
    *nodes, "drain", "Has a node give its slots to the others, without a pause",
    "  switchboard node drain n2\n", [&c] { return drain(c, which, undo); });
  made->add_option("node", which.text, "The node")->required();
  made->add_flag("--undo", undo, "Take the request back");
  add(*nodes, "kill", "Kills a node of `switchboard dev --nodes N` (SIGKILL)",
      "  switchboard node kill n2\n", [] { return kill_node(which.text); })
    ->add_option("node", which.text, "The node")
    ->required();
  add(to, "top", "What every node does at this moment",
      "  switchboard top\n  switchboard top --json\n", [&c] { return top(c); });
}

} // namespace switchboard::cli
