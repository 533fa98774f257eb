#include "bench/connections.hpp"

#include "bench/bare_acceptor.hpp"
#include "bench/callers.hpp"
#include "bench/desks.hpp"
#include "bench/rig.hpp"
#include "config/child_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace switchboard::bench {

using std::chrono::seconds;

namespace {

/// Below the limit of 20 000 open files, with room for everything else.
constexpr int per_node_max = 17'000;

/// A hundred thousand at once would be told to wait and repeat, as they should.
constexpr int first_lines_at_once = 5'000;

/// A figure of /proc in KiB: "RssAnon", "Slab".
std::int64_t kib_at(const std::string& file, const std::string& name) {
  std::ifstream in{file};
  for (std::string word; in >> word;)
    if (word == name + ":") {
      std::int64_t kib = 0;
      in >> kib;
      return kib;
    }
  return 0;
}

/// What the kernel holds for sockets: its object caches, and what is buffered.
std::int64_t kernel_bytes() {
  std::ifstream in{"/proc/net/sockstat"};
  std::int64_t pages = 0;
  for (std::string word; in >> word;)
    if (word == "TCP:")
      while (in >> word)
        if (word == "mem") {
          in >> pages;
          break;
        }
  return kib_at("/proc/meminfo", "Slab") * 1024 + pages * getpagesize();
}

std::string kb(double bytes) {
  std::string text = std::to_string(bytes / 1000);
  return text.substr(0, text.find('.') + 3) + " kB";
}

/// The nodes, as many as are needed.
class fleet {
public:
  explicit fleet(int count, int nodes) {
    if (nodes == 0)
      nodes = (count + per_node_max - 1) / per_node_max;
    setenv("SWITCHBOARD_HTTP_CONNECTIONS_MAX", "19500", 1);
    on.start_node();
    ports.push_back(on.http_port());
    for (int i = 1; i < nodes; ++i) {
      ports.push_back(free_port());
      more_.push_back(on.make_node("c" + std::to_string(i), ports.back()));
    }
    if (!on.wait_ready(seconds{60}))
      throw std::runtime_error("the nodes do not become ready");
    // Until each has its share of the slots.
    const auto spread = [&] {
      return std::stoi(on.query("SELECT count(DISTINCT owner) FROM slot"))
             == nodes;
    };
    if (!callers::wait(spread, seconds{60}))
      throw std::runtime_error("the slots do not spread over the nodes");
    std::this_thread::sleep_for(seconds{3});
  }

  /// Private memory of all nodes, in bytes.
  [[nodiscard]] std::int64_t user_bytes() const {
    auto all = kib_at(status(on.node_pid()), "RssAnon");
    for (const auto& x : more_)
      all += kib_at(status(x.pid()), "RssAnon");
    return all * 1024;
  }

  rig on;
  std::vector<std::uint16_t> ports;

private:
  static std::string status(int pid) {
    return "/proc/" + std::to_string(pid) + "/status";
  }

  std::vector<child_process> more_;
};

struct usage {
  std::int64_t user = 0;
  std::int64_t kernel = 0;
};

/// Waits until memory stands still: what was freed is given back, by and by.
usage settled(const fleet& of) {
  usage last{of.user_bytes(), kernel_bytes()};
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    const usage now{of.user_bytes(), kernel_bytes()};
    if (std::abs(now.user - last.user) < 256 * 1024)
      return now;
    last = now;
  }
  return last;
}

/// The kernel's bytes for one end of an idle connection.
double bare_end(int count) {
  bare_acceptor floor;
  const auto before = kernel_bytes();
  callers crowd{{.ports = {floor.port()},
                 .run = "bare",
                 .secret = std::string(32, 'x'),
                 .count = count}};
  crowd.connect();
  if (!callers::wait([&] { return crowd.signed_in() == count; }, seconds{60}))
    throw std::runtime_error("the floor lost connections");
  std::this_thread::sleep_for(seconds{1});
  return static_cast<double>(kernel_bytes() - before) / (2.0 * count);
}

/// All are connected, and none has failed.
void need(bool held, const callers& x, const std::string& what) {
  if (held)
    return;
  throw std::runtime_error(
    what + ": " + std::to_string(x.signed_in()) + " signed in, "
    + std::to_string(x.failed()) + " failed, " + std::to_string(x.receipts())
    + " receipts, " + std::to_string(x.refused()) + " refused, "
    + std::to_string(x.replies()) + " replies");
}

void write_times(report& to, const std::vector<std::int64_t>& times) {
  latencies all;
  for (const auto x : times)
    all.add(x);
  all.write(to);
}

/// The customers who have an agent: their sessions come first, so the agents
/// have room for exactly them.
void seat(callers& some, int count) {
  some.connect();
  need(callers::wait([&] { return some.signed_in() == count; }, seconds{60}),
       some, "the sample");
  some.write(0, count);
  need(callers::wait([&] { return some.replies() == count; }, seconds{60}),
       some, "the sample's agents");
  static_cast<void>(some.reply_times());
}

} // namespace

report run_connections(const connections_options& how) {
  report r{.name = "connections", .unit = "user bytes a connection"};
  r.floor = bare_end(std::min(how.count, per_node_max));
  r.floor_is = "kernel memory of one end of an idle connection at a bare epoll "
               "acceptor";
  fleet nodes{how.count, how.nodes};
  const desks agents{
    nodes.on,
    {.run = "sample", .agents = 20, .sessions = (how.sample + 19) / 20}};
  callers some{{.ports = nodes.ports,
                .run = "sample",
                .secret = nodes.on.secret(),
                .count = how.sample}};
  seat(some, how.sample);

  const auto rest = how.count - how.sample;
  callers crowd{{.ports = nodes.ports,
                 .run = "idle",
                 .secret = nodes.on.secret(),
                 .count = rest,
                 .at_once = 200}};
  progress bar{"connections"};
  const auto before = settled(nodes);
  crowd.connect();
  need(callers::wait(
         [&] {
           bar.at(0.4 * static_cast<double>(crowd.signed_in()) / rest);
           return crowd.signed_in() == rest;
         },
         seconds{120}),
       crowd, "connecting");
  const auto connected = settled(nodes);
  for (int from = 0; from < rest; from += first_lines_at_once) {
    const auto upto = std::min(rest, from + first_lines_at_once);
    crowd.write(from, upto);
    need(callers::wait(
           [&] {
             bar.at(0.4 + 0.5 * static_cast<double>(crowd.receipts()) / rest);
             return crowd.receipts() + crowd.refused() == upto;
           },
           seconds{60})
           && crowd.receipts() == upto,
         crowd, "writing");
  }
  const auto live = settled(nodes);

  // One after the other, as people do: an agent who sends all the answers of
  // several rounds at once is cut off for it.
  std::int64_t wanted = how.sample;
  for (int i = 0; i < how.lines; ++i) {
    wanted += how.sample;
    some.write(0, how.sample);
    callers::wait([&] { return some.replies() >= wanted; }, seconds{60});
  }
  write_times(r, some.reply_times());
  r.lost = wanted - some.replies() + (rest - crowd.signed_in())
           + (how.sample - some.signed_in());
  r.duplicated = some.doubled() + crowd.doubled();
  r.reordered = some.reordered() + crowd.reordered();

  const auto per = [&](std::int64_t bytes) {
    return static_cast<double>(bytes) / rest;
  };
  r.value = per(live.user - before.user);
  const auto kernel = per(live.kernel - before.kernel) / 2;
  r.ratio = r.floor / (r.value + kernel);
  r.claim = "18 kB a connection (1.8 GB for 100 000)";
  r.must = "<= 9 kB user memory each with its session; aim 4.5 kB";
  r.more.emplace_back("held at once",
                      std::to_string(crowd.signed_in() + some.signed_in())
                        + " by " + std::to_string(nodes.ports.size())
                        + " gateway processes, a node each");
  r.more.emplace_back("user, signed in, no session yet",
                      kb(per(connected.user - before.user)));
  r.more.emplace_back("user, the session's part",
                      kb(per(live.user - connected.user)));
  r.more.emplace_back("kernel, each end", kb(kernel));
  r.more.emplace_back("p50 to max",
                      "from a line to the push of the agent's reply, while all "
                      "are held");
  return r;
}

report run_storm(const storm_options& how) {
  fleet nodes{how.count, 0};
  bare_acceptor floor;
  callers ours{{.ports = nodes.ports,
                .run = "storm",
                .secret = nodes.on.secret(),
                .count = how.count}};
  callers bare{{.ports = {floor.port()},
                .run = "floor",
                .secret = nodes.on.secret(),
                .count = how.count}};
  report r{.name = "storm", .unit = "sign-ins/s"};
  std::vector<std::int64_t> times;
  const auto storm = [&](callers& x) {
    const auto began = callers::clock::now();
    x.connect();
    callers::wait([&] { return x.signed_in() + x.failed() >= how.count; },
                  seconds{60});
    const std::chrono::duration<double> took = callers::clock::now() - began;
    if (&x == &ours) {
      r.lost += how.count - x.signed_in();
      const auto some = x.sign_in_times();
      times.insert(times.end(), some.begin(), some.end());
    } else if (x.signed_in() != how.count) {
      throw std::runtime_error("the floor lost connections");
    }
    x.drop();
    callers::wait([&] { return x.open() == 0 && floor.open() == 0; },
                  seconds{10});
    std::this_thread::sleep_for(seconds{1}); // The other side closes, too.
    return how.count / took.count();
  };
  progress bar{"storm"};
  std::vector<double> us;
  std::vector<double> them;
  for (int i = 0; i < how.rounds; ++i) {
    us.push_back(storm(ours));
    them.push_back(storm(bare));
    them.push_back(storm(bare));
    us.push_back(storm(ours));
    bar.at((i + 1.0) / how.rounds);
  }
  std::sort(us.begin(), us.end());
  std::sort(them.begin(), them.end());
  r.value = us[us.size() / 2];
  r.floor = them[them.size() / 2];
  r.ratio = r.value / r.floor;
  r.floor_is =
    "the same at a bare epoll acceptor that answers with fixed bytes";
  r.must = "no failure, >= 0.35 of the floor; aim 0.6";
  write_times(r, times);
  r.more.emplace_back("slowest, fastest round", std::to_string(us.front())
                                                  + ", "
                                                  + std::to_string(us.back()));
  r.more.emplace_back("floor: slowest, fastest round",
                      std::to_string(them.front()) + ", "
                        + std::to_string(them.back()));
  r.more.emplace_back("customers, storms of ours",
                      std::to_string(how.count) + ", "
                        + std::to_string(us.size()));
  r.more.emplace_back("p50 to max", "from the start of a storm to the welcome");
  return r;
}

} // namespace switchboard::bench
