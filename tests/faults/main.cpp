// Kills of the node, of nats-server and of PostgreSQL at random moments, under
// load on both lanes and at the agents' desks. Afterwards nothing may be lost,
// doubled or reordered, and every receipt must be true.
#include "bench/load.hpp"
#include "bench/rig.hpp"
#include "tests/faults/checks.hpp"
#include "tests/faults/desk.hpp"
#include "tests/faults/injector.hpp"
#include "tests/faults/senders.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

namespace {

using namespace switchboard;
using namespace switchboard::faults;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int direct_users = 24;
constexpr int buffered_users = 12;
constexpr int talking_users = 8;
constexpr auto recovery_max = 60s;
constexpr auto quiet_max = 60s;

struct options {
  std::uint64_t seed = std::random_device{}();
  int kills = 30;
  std::string program;
};

std::int64_t ms_since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           steady_clock::now() - begin)
    .count();
}

/// Everything that works on the product while it is shot at.
struct traffic {
  explicit traffic(bench::rig& on)
    : wire(on.connect("load")),
      direct(*wire, {.run = "direct",
                     .users = direct_users,
                     .window = direct_users,
                     .patience = 1000ms}),
      left(*wire),
      buffered(*wire, numbered_users("buffered", buffered_users)),
      talking(*wire, left, said, numbered_users("talk", talking_users)),
      li({{on.http_port()}, on.secret(), "li"}, answers),
      ann({{on.http_port()}, on.secret(), "ann"}, answers) {
    direct.start();
  }

  [[nodiscard]] bool stop() {
    talking.stop();
    buffered.stop();
    return direct.stop(recovery_max);
  }

  std::unique_ptr<bus> wire;
  ledger said;    ///< By customers, to agents.
  ledger answers; ///< By agents.
  bench::load direct;
  out_log left;
  buffered_senders buffered;
  talkers talking;
  desk li;
  desk ann;
};

/// Shoots, and sees to it that the product comes back.
class storm {
public:
  storm(bench::rig& on, traffic& under, const options& how)
    : on_(on), under_(under), random_(how.seed), gun_(on) {
    for (int i = 0; i < how.kills; ++i)
      order_.push_back(
        targets.at(static_cast<std::size_t>(i) % targets.size()));
    std::shuffle(order_.begin(), order_.end(), random_);
  }

  void rage() {
    for (std::size_t i = 0; i < order_.size();) {
      // Mostly under full load; now and then while it is still coming back.
      if (i == 0 || draw(4) > 0)
        wait_for_progress();
      else
        ++hasty_;
      std::this_thread::sleep_for(std::chrono::milliseconds{draw(900)});
      std::vector<target> down{order_[i++]};
      shoot(down.back());
      // Now and then two are down together.
      if (i < order_.size() && order_[i] != down.back() && draw(5) == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds{draw(500)});
        down.push_back(order_[i++]);
        shoot(down.back());
        ++double_;
      }
      std::shuffle(down.begin(), down.end(), random_);
      std::this_thread::sleep_for(std::chrono::milliseconds{draw(400)});
      for (const auto x : down)
        gun_.restart(x);
      last_ = down.front();
    }
    wait_for_progress();
  }

  /// @throws std::runtime_error when nothing is answered for a minute
  void wait_for_progress() {
    const auto begin = steady_clock::now();
    const auto direct = under_.direct.answered();
    const auto buffered = under_.buffered.count();
    while (under_.direct.answered() < direct + 2 * direct_users
           || under_.buffered.count() < buffered + 2 * buffered_users) {
      if (!on_.node_alive())
        throw std::runtime_error("the node ended by itself");
      if (steady_clock::now() - begin > recovery_max)
        throw std::runtime_error("nothing was answered for a minute after the "
                                 "kill of "
                                 + std::string(to_string(last_)));
      std::this_thread::sleep_for(2ms);
    }
    recoveries_.push_back(ms_since(begin));
  }

  [[nodiscard]] int shots() const { return static_cast<int>(order_.size()); }

  void print() {
    std::sort(recoveries_.begin(), recoveries_.end());
    std::cout << "kills: " << shots() << " (" << double_ << " pairs at once, "
              << hasty_ << " before the recovery from the last), "
              << gun_.witnessed() << " seen by an open connection\n"
              << "back under load after " << recoveries_[recoveries_.size() / 2]
              << " ms (median), " << recoveries_.back() << " ms (slowest)\n";
  }

private:
  int draw(int count) {
    return std::uniform_int_distribution<int>{0, count - 1}(random_);
  }

  void shoot(target what) {
    std::cerr << "kill " << to_string(what) << " at "
              << under_.direct.answered() << " direct, "
              << under_.buffered.count() << " buffered, "
              << under_.talking.answered() << " answered\n";
    gun_.kill(what, draw(2) == 0);
  }

  bench::rig& on_;
  traffic& under_;
  std::mt19937_64 random_;
  injector gun_;
  std::vector<target> order_;
  std::vector<std::int64_t> recoveries_;
  target last_ = target::node;
  int double_ = 0;
  int hasty_ = 0;
};

void prepare(bench::rig& on) {
  const auto to = on.open_store();
  queue_row talk{.id = {talk_queue}, .display_name = "Talk"};
  talk.rules.offer_time = 3s;
  static_cast<void>(to->put_queue(talk).value());
  for (const auto* id : {"li", "ann"})
    static_cast<void>(to->put_agent({id}, {.display_name = id,
                                           .queues = {{talk_queue}},
                                           .capacity = 1000 * talking_users})
                        .value());
}

/// @returns true when nothing is wrong
bool judge(bench::rig& on, traffic& x, const std::string& program) {
  const sql ask = [&](const std::string& q) { return on.query(q); };
  bench::report direct{.name = "faults"};
  bench::check(direct, on, x.direct, "direct");
  damage all;
  all.lost = direct.lost;
  all.doubled = direct.duplicated;
  all.reordered = direct.reordered;
  check_receipts(all, ask, x.said, "talk");
  check_receipts(all, ask, x.answers, "re-talk");
  check_stored(all, ask, x.buffered.stored());
  check_out(all, x.left, x.answers);
  const auto broken = x.li.broken() + x.ann.broken();
  const auto findings =
    run_verify(program, on.postgres().conninfo(), on.folder());
  std::cout << "direct lane: " << x.direct.answered() << " receipts, "
            << x.direct.repeats() << " repetitions\n"
            << "buffered lane: " << x.buffered.count() << " stored, "
            << x.buffered.repeats() << " repetitions\n"
            << "conversations: " << x.said.count() << " lines, "
            << x.talking.repeats() << " repetitions; " << x.answers.count()
            << " answers with a receipt, " << x.left.lines().size() << " left, "
            << x.left.repeats() << " of them again; "
            << x.li.connections() + x.ann.connections() << " connections\n"
            << "lost " << all.lost << ", doubled " << all.doubled
            << ", reordered " << all.reordered << ", screens with a gap "
            << broken << ", verify " << (findings.empty() ? "ok" : "VIOLATED")
            << '\n';
  for (const auto& [what, count] : direct.more)
    std::cout << "  " << what << ' ' << count << '\n';
  for (const auto& e : all.examples)
    std::cout << "  " << e << '\n';
  for (const auto* d : {&x.li, &x.ann})
    if (!d->first_broken().empty())
      std::cout << "  " << d->first_broken() << '\n';
  std::cout << findings;
  for (const auto* d : {&x.li, &x.ann})
    for (const auto& [code, count] : d->refusals())
      std::cout << "  refused to an agent: " << code << ' ' << count << '\n';
  return all.clean() && broken == 0 && findings.empty();
}

template <class T>
bool number(const std::string& text, T& to) {
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, to);
  return ec == std::errc{} && stop == end;
}

/// @returns false for flags that nobody knows
bool read(const std::vector<std::string>& flags, options& to) {
  for (std::size_t i = 0; i < flags.size(); i += 2) {
    if (i + 1 == flags.size())
      return false;
    const auto& value = flags[i + 1];
    if (flags[i] == "--program")
      to.program = value;
    else if (!(flags[i] == "--seed" && number(value, to.seed))
             && !(flags[i] == "--kills" && number(value, to.kills)
                  && to.kills > 0))
      return false;
  }
  return true;
}

int run(const options& how) {
  const auto begin = steady_clock::now();
  std::cout << "seed " << how.seed << ", kills " << how.kills << '\n'
            << std::flush;
  bench::rig on{how.program};
  prepare(on);
  on.start_node();
  if (!on.wait_ready(recovery_max))
    throw std::runtime_error("the node does not become ready");
  traffic under{on};
  storm s{on, under, how};
  try {
    s.rage();
  } catch (const std::exception&) {
    // The folder goes with the servers.
    std::cout << run_process(
                   {.command = {"tail", "-n", "40", on.folder() + "/node.log"}})
                   .output;
    throw;
  }
  const auto answered = under.stop();
  rest left;
  const auto quiet =
    wait_until_quiet([&](const std::string& x) { return on.query(x); },
                     "buffered", under.buffered.count(), quiet_max, left);
  under.li.stop();
  under.ann.stop();
  s.print();
  const auto clean = judge(on, under, how.program);
  if (!answered || !quiet)
    std::cout << "not at rest: " << left.unread << " of the buffered lane, "
              << left.unsent << " of the outbox"
              << (answered ? "" : ", messages without an answer") << '\n';
  // A conversation that never came back would hide faults at the desks.
  const auto talked = under.talking.answered() >= s.shots();
  if (!talked)
    std::cout << "only " << under.talking.answered()
              << " lines were answered by agents\n";
  std::cout << (clean && answered && quiet && talked ? "passed" : "FAILED")
            << " in " << ms_since(begin) / 1000 << " s, seed " << how.seed
            << '\n';
  return clean && answered && quiet && talked ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  options how;
  if (!read({argv + 1, argv + argc}, how)) {
    std::cerr << "Kills the node, nats-server and PostgreSQL under load.\n"
                 "  --seed N        repeats the choices of a former run\n"
                 "  --kills N       how many (30)\n"
                 "  --program FILE  the switchboard binary\n";
    return 2;
  }
  if (how.program.empty())
    how.program = std::filesystem::read_symlink("/proc/self/exe")
                    .parent_path()
                    .parent_path()
                    .parent_path()
                  / "gateways" / "switchboard";
  try {
    return run(how);
  } catch (const std::exception& e) {
    std::cout << "FAILED: " << e.what() << ", seed " << how.seed << '\n';
    return 1;
  }
}
