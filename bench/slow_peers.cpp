#include "bench/slow_peers.hpp"

#include "bench/course.hpp"
#include "bench/rig.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/gateway.hpp"
#include "gateways/http/ws_client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace switchboard::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Screens that never read, while it lives.
class stuck_screens {
public:
  stuck_screens(const rig& at, int count) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this, &at, i] { work(at, i); });
  }

  ~stuck_screens() {
    ending_ = true;
    for (auto& x : threads_)
      x.join();
  }

  stuck_screens(const stuck_screens&) = delete;
  stuck_screens& operator=(const stuck_screens&) = delete;

  [[nodiscard]] std::int64_t connected() const { return connected_; }

private:
  void work(const rig& at, int number) {
    const auto token = create_token(
      {.secret = at.secret()}, {.subject = "desk-" + std::to_string(number)},
      std::chrono::time_point_cast<duration>(clock::now()));
    while (!ending_) {
      // With the smallest of windows: what is unread stays with the node.
      auto line = ws_client::connect(
        {.port = at.http_port(), .receive_buffer_bytes = 2048});
      if (!line) {
        std::this_thread::sleep_for(50ms);
        continue;
      }
      if (line->send(R"({"id":1,"connect":{"token":")" + *token + R"("}})"))
        ++connected_;
      for (const auto until = steady_clock::now() + 2s;
           !ending_ && steady_clock::now() < until;)
        std::this_thread::sleep_for(20ms);
      line->cut();
    }
  }

  std::atomic<std::int64_t> connected_{0};
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

struct part {
  latencies seen;
  std::int64_t memory_max = 0;
};

/// One open loop with everything checked.
void run_part(report& r, rig& on, course& runs, const desks& at,
              const slow_peers_options& how, const std::string& run,
              const std::string& title, part& to) {
  const auto x =
    runs.make(static_cast<std::int64_t>(how.rate * how.seconds), how.rate);
  {
    progress bar{title};
    x->start();
    while (!x->wait(100ms)) {
      to.memory_max = std::max(to.memory_max, memory_of(on.node_pid()).now);
      bar.at(static_cast<double>(x->answered()) / (how.rate * how.seconds));
    }
  }
  runs.finish(*x);
  const auto t = follow(at, *x, run);
  to.seen.add(t.there_and_back);
  r.lost += t.unanswered;
  r.reordered += t.reordered;
  add_receipts(r, on, *x, run);
}

} // namespace

report run_slow_peers(const slow_peers_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(30s))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  const std::string run = "slow";
  desks at{on, {.run = run, .agents = how.agents, .sessions = how.sessions}};
  course runs{*wire, at, run, how.agents * how.sessions * 9 / 10};
  runs.open_sessions();

  report r{.name = "slow-peers", .unit = "ms p99 there and back, with them"};
  part without;
  part with;
  std::int64_t connected = 0;
  run_part(r, on, runs, at, how, run, "slow peers: without", without);
  {
    const stuck_screens stuck{on, std::min(how.stuck, how.agents)};
    for (int i = 0; i < 2; ++i)
      run_part(r, on, runs, at, how, run, "slow peers: with", with);
    connected = stuck.connected();
  }
  part after;
  run_part(r, on, runs, at, how, run, "slow peers: without", after);
  without.seen.add(after.seen);
  check_invariants(r, on);

  with.seen.write(r);
  r.value = static_cast<double>(with.seen.quantile(.99)) / 1000;
  r.floor = static_cast<double>(without.seen.quantile(.99)) / 1000;
  r.ratio = r.floor / r.value;
  r.floor_is = "the same p99 without them, before and after";
  r.must = "p99 at most 2 times as long (a ratio of 0.5), memory bounded";
  const auto mib = [](std::int64_t bytes) {
    return std::to_string(bytes >> 20) + " MiB";
  };
  r.more = {
    {"agents, stuck screens, messages/s", std::to_string(how.agents) + ", "
                                            + std::to_string(how.stuck) + ", "
                                            + number(how.rate)},
    {"times they signed in", std::to_string(connected)},
    {"node's memory before / with / after", mib(without.memory_max) + " / "
                                              + mib(with.memory_max) + " / "
                                              + mib(after.memory_max)},
    {"their queues may hold",
     mib(how.stuck
         * static_cast<std::int64_t>(gateway_limits{}.catch_up_bytes_max))}};
  if (const auto e = errors_text(at.errors()); !e.empty())
    r.more.emplace_back("agents were refused", e);
  return r;
}

} // namespace switchboard::bench
