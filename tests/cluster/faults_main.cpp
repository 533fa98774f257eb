// A real cluster (three nodes, three nats-servers, PostgreSQL, links between
// them) under load of all kinds, while one fault after the other is made. Fails
// when anything was lost, doubled, reordered or shown wrongly, when a node that
// was taken over wrote, when a slot had two owners, when a fault had no effect,
// or when something did not come back within a minute; never for being slow.
#include "tests/cluster/ownership_watch.hpp"
#include "tests/cluster/site.hpp"
#include "tests/cluster/storm.hpp"
#include "tests/cluster/traffic.hpp"

#include <boost/json.hpp>

#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>
#include <sstream>

namespace {

using namespace switchboard;
using namespace switchboard::faults;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto start_max = 90s;
constexpr auto receipts_max = 60s;

/// Set by a signal: what was started is ended in order then, too.
std::atomic<bool> interrupted{false};

struct options {
  storm::options what{.seed = std::random_device{}(),
                      .give_up = [] { return interrupted.load(); }};
  double hours = 0;
  std::string program;
  bool json = false;
  bool keep = false;
};

std::int64_t seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now()
                                                          - begin)
    .count();
}

/// One cluster from its start to its end, and what came of it.
struct chapter {
  std::uint64_t seed = 0;
  bool passed = false;
  recovery_book book{};
  std::string text{};
};

void print(std::ostream& to, traffic& x, const verdict& v, const storm& s,
           const ownership_watch& owners) {
  int connections = 0;
  std::map<std::string, int> refusals;
  for (const auto& d : x.desks()) {
    connections += d.connections();
    for (const auto& [code, count] : d.refusals())
      refusals[code] += count;
  }
  to << s.book().faults() << " faults (" << s.pairs() << " times two at once, "
     << s.hasty() << " times before all was back)\n\n"
     << s.book().text() << "\ndirect lane: " << x.direct().answered()
     << " receipts, " << x.direct().repeats() << " repetitions\n"
     << "buffered lane: " << x.buffered().count() << " stored, "
     << x.buffered().repeats() << " repetitions\n"
     << "conversations: " << x.said().count() << " lines, "
     << x.talking().repeats() << " repetitions; " << x.answers().count()
     << " answers with a receipt, " << x.left().lines().size() << " left, "
     << x.left().repeats() << " of them again\n"
     << "screens: " << x.desks().size() << " agents, " << connections
     << " connections, " << v.shown << " entries shown, " << v.broken_screens
     << " wrong\n"
     << "owners: " << owners.looks() << " looks, " << owners.changes()
     << " changes, " << owners.violations().size() << " violations\n"
     << "lost " << v.all.lost << ", doubled " << v.all.doubled << ", reordered "
     << v.all.reordered << ", verify "
     << (v.findings.empty() ? "ok" : "VIOLATED") << '\n';
  for (const auto& e : v.all.examples)
    to << "  " << e << '\n';
  for (const auto& e : owners.violations())
    to << "  " << e << '\n';
  to << v.findings;
  for (const auto& [code, count] : x.direct().errors())
    to << "  answered " << code << ' ' << count << '\n';
  for (const auto& [code, count] : refusals)
    to << "  refused to an agent: " << code << ' ' << count << '\n';
  if (!v.quiet)
    to << "not at rest: " << v.left.unread << " of the buffered lane, "
       << v.left.unsent << " of the outbox\n";
}

/// @throws std::runtime_error when it could not be carried through
void play(site& on, const options& how, chapter& to) {
  traffic::prepare(on);
  for (int i = 0; i < site::nodes_at_rest; ++i)
    on.start(i);
  if (!on.wait_balanced(start_max))
    throw std::runtime_error("the nodes do not share the slots");
  const ownership_watch owners{on.postgres().conninfo()};
  traffic under{on};
  storm s{on, under, owners, how.what};
  const auto begin = steady_clock::now();
  try {
    s.rage();
  } catch (...) {
    to.book.add(s.book());
    // Senders wait for receipts that may never come.
    under.buffered().give_up();
    under.talking().give_up();
    throw;
  }
  to.book.add(s.book());
  const auto raged = seconds_since(begin);
  const auto answered = under.stop(receipts_max);
  const auto v = judge(on, under);
  std::ostringstream text;
  print(text, under, v, s, owners);
  text << "faults " << raged << " s\n";
  if (!answered)
    text << "messages without an answer\n";
  // Conversations that never came back would hide faults at the desks.
  const auto talked = under.talking().answered() >= how.what.faults;
  if (!talked)
    text << "only " << under.talking().answered()
         << " lines were answered by agents\n";
  to.text = text.str();
  to.passed = v.clean() && answered && talked && owners.violations().empty();
}

chapter run_chapter(const options& how) {
  const auto begin = steady_clock::now();
  chapter c{.seed = how.what.seed};
  std::cerr << "seed " << c.seed << ", faults " << how.what.faults << '\n';
  site on{how.program};
  try {
    play(on, how, c);
  } catch (const std::exception& e) {
    c.text += on.logs(60) + c.book.text() + e.what() + '\n';
  }
  if (!c.passed && how.keep)
    c.text += "kept in " + on.keep() + '\n';
  c.text += std::string(c.passed ? "passed" : "FAILED") + " in "
            + std::to_string(seconds_since(begin)) + " s, seed "
            + std::to_string(c.seed) + '\n';
  return c;
}

int run(options how) {
  const auto begin = steady_clock::now();
  recovery_book all;
  int chapters = 0;
  int failed = 0;
  do {
    const auto c = run_chapter(how);
    ++chapters;
    failed += c.passed ? 0 : 1;
    all.add(c.book);
    (how.json ? std::cerr : std::cout) << c.text << std::flush;
    ++how.what.seed;
  } while (!interrupted
           && static_cast<double>(seconds_since(begin)) < how.hours * 3600);
  if (how.json)
    std::cout << R"({"passed":)" << (failed == 0 ? "true" : "false")
              << R"(,"clusters":)" << chapters << R"(,"seed":)"
              << how.what.seed - static_cast<std::uint64_t>(chapters)
              << R"(,"faults":)" << all.faults() << R"(,"kinds":)" << all.json()
              << "}\n";
  else if (chapters > 1)
    std::cout << "\nAll of " << chapters << " clusters, " << failed
              << " failed: " << all.faults() << " faults\n\n"
              << all.text();
  return failed == 0 ? 0 : 1;
}

template <class T>
bool number(const std::string& text, T& to) {
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, to);
  return ec == std::errc{} && stop == end;
}

/// @returns false for flags that nobody knows
bool read(const std::vector<std::string>& words, options& to) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& flag = words[i];
    if (flag == "--json" || flag == "--keep") {
      (flag == "--json" ? to.json : to.keep) = true;
      continue;
    }
    if (++i == words.size())
      return false;
    const auto& value = words[i];
    if (flag == "--program")
      to.program = value;
    else if (flag == "--only" && parse_fault(value))
      to.what.only = parse_fault(value);
    else if (!(flag == "--seed" && number(value, to.what.seed))
             && !(flag == "--faults" && number(value, to.what.faults)
                  && to.what.faults > 0)
             && !(flag == "--hours" && number(value, to.hours)))
      return false;
  }
  return true;
}

void explain() {
  std::cerr
    << "Disturbs a cluster of three nodes, three nats-servers and PostgreSQL\n"
       "under load, and checks that nothing is lost, doubled, reordered.\n"
       "  --faults N      how many in the life of a cluster (40)\n"
       "  --hours H       one cluster after the other for so long\n"
       "  --seed N        repeats the choices of a former run\n"
       "  --only KIND     one kind of fault\n"
       "  --program FILE  the switchboard binary\n"
       "  --json          the result as one JSON object\n"
       "  --keep          leaves logs and data of a cluster that failed\n"
       "kinds:\n";
  for (const auto& x : fault_names)
    std::cerr << "  " << x.name << std::string(20 - x.name.size(), ' ')
              << x.what << '\n';
}

} // namespace

int main(int argc, char** argv) {
  options how;
  if (!read({argv + 1, argv + argc}, how)) {
    explain();
    return 2;
  }
  if (how.program.empty())
    how.program = std::filesystem::read_symlink("/proc/self/exe")
                    .parent_path()
                    .parent_path()
                    .parent_path()
                  / "gateways" / "switchboard";
  for (const auto signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int) { interrupted = true; });
  try {
    return run(how);
  } catch (const std::exception& e) {
    std::cout << "FAILED: " << e.what() << ", seed " << how.what.seed << '\n';
    return 1;
  }
}
