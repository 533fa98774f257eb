#include "bench/e2e.hpp"

#include "bench/bus_floor.hpp"
#include "bench/copy_floor.hpp"
#include "bench/desks.hpp"
#include "bench/load.hpp"
#include "bench/rig.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

namespace {

using std::chrono::steady_clock;

/// What became of one open-loop run, from both ends.
struct trip {
  latencies there_and_back;
  std::int64_t unanswered = 0;
  std::int64_t reordered = 0;
};

trip follow(const desks& at, const load& x, const std::string& run) {
  trip t;
  const auto replies = at.replies();
  for (const auto& sent : x.answers()) {
    const auto of = replies.find(load::user_name(run, sent.user));
    if (of == replies.end()) {
      ++t.unanswered;
      continue;
    }
    const auto found =
      std::find_if(of->second.begin(), of->second.end(), [&](const auto& r) {
        return r.session == sent.where.session.value
               && r.to_seq == sent.where.seq;
      });
    if (found == of->second.end()) {
      ++t.unanswered;
      continue;
    }
    t.there_and_back.add(std::chrono::duration_cast<std::chrono::microseconds>(
                           found->at - sent.due)
                           .count());
  }
  for (const auto& [user, all] : replies)
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i - 1].session == all[i].session
          && all[i - 1].to_seq > all[i].to_seq)
        ++t.reordered;
  return t;
}

std::string errors_of(const std::map<std::string, std::int64_t>& all) {
  std::string text;
  for (const auto& [code, count] : all)
    text += (text.empty() ? "" : ", ") + code + ' ' + std::to_string(count);
  return text;
}

/// The same customers through all runs, so that their sessions stay open.
class course {
public:
  course(bus& wire, desks& at, int users)
    : wire_(wire), at_(at), users_(users) {}

  static constexpr std::string_view run = "e2e";

  std::unique_ptr<load> make(std::int64_t messages, double rate) {
    auto x =
      std::make_unique<load>(wire_, load::options{.run = std::string{run},
                                                  .users = users_,
                                                  .window = 20'000,
                                                  .messages = messages,
                                                  .after = numbered_,
                                                  .rate = rate});
    numbered_ += messages / users_ + 1;
    return x;
  }

  /// Everybody writes once and gets a reply: sessions are open, plans are warm.
  void open_sessions() {
    const auto x = make(users_, 1000);
    x->start();
    if (!x->wait(std::chrono::seconds{30}) || !all_replied(*x, 30'000))
      throw std::runtime_error(
        "not every session got an agent: " + std::to_string(at_.replied())
        + " replies for " + std::to_string(x->answered())
        + " messages; refused: " + errors_of(at_.errors()));
    settled_ = at_.replied();
  }

  /// One step of the ramp. @returns whether the system kept up
  bool keeps_up(double rate) {
    constexpr int seconds = 3;
    const auto x = make(static_cast<std::int64_t>(rate * seconds), rate);
    x->start();
    const bool in_time =
      x->wait(std::chrono::seconds{seconds + 1}) && all_replied(*x, 500);
    finish(*x);
    return in_time;
  }

  /// The next run must not meet what this one left behind.
  void finish(load& x) {
    if (!x.wait(std::chrono::seconds{60}) || !all_replied(x, 60'000))
      throw std::runtime_error(
        "after a minute " + std::to_string(x.sent() - x.answered())
        + " receipts and "
        + std::to_string(x.sent() - (at_.replied() - settled_))
        + " replies are missing");
    settled_ = at_.replied();
  }

private:
  bool all_replied(const load& x, int patience_ms) {
    const auto until =
      steady_clock::now() + std::chrono::milliseconds{patience_ms};
    while (at_.replied() - settled_ < x.sent()) {
      if (steady_clock::now() > until)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
  }

  bus& wire_;
  desks& at_;
  int users_;
  std::int64_t numbered_ = 0;
  std::int64_t settled_ = 0; ///< Replies to all earlier runs.
};

/// The highest rate that is kept up with, in steps of a quarter.
double climb(course& on) {
  progress bar{"e2e: ramp"};
  double reached = 0;
  for (double rate = 1000; rate < 60'000; rate *= 1.25) {
    bar.at(rate / 60'000);
    if (!on.keeps_up(rate))
      break;
    reached = rate;
  }
  if (reached == 0)
    throw std::runtime_error("not even 1000 messages/s are kept up with");
  return reached;
}

} // namespace

report run_e2e(const e2e_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("load");
  const int users = how.agents * how.sessions * 9 / 10;
  desks at{on,
           {.run = std::string{course::run},
            .agents = how.agents,
            .sessions = how.sessions}};
  course runs{*wire, at, users};
  runs.open_sessions();

  report r{.name = "e2e", .unit = "ms at p99.9, half load"};
  const auto top = how.rate > 0 ? 2 * how.rate : climb(runs);
  const auto messages = static_cast<std::int64_t>(top / 2 * how.seconds);
  const auto before = on.cpu();
  const auto x = runs.make(messages, top / 2);
  x->run("e2e: half load");
  runs.finish(*x);
  add_cpu(r, before, on.cpu(), messages);

  auto t = follow(at, *x, std::string{course::run});
  t.there_and_back.write(r);
  r.value = static_cast<double>(r.p999_us) / 1000;
  latencies receipts = x->all_latencies();
  report of_receipts;
  receipts.write(of_receipts);
  check(r, on, *x, std::string{course::run});
  r.lost += t.unanswered;
  r.reordered += t.reordered;
  r.claim = "99.9 % below 100 ms";
  r.must = "p99.9 <= 50 ms at half load";
  r.more.emplace_back("highest rate kept up with",
                      std::to_string(static_cast<int>(top)) + "/s");
  r.more.emplace_back("measured at", std::to_string(static_cast<int>(top / 2))
                                       + "/s for " + std::to_string(how.seconds)
                                       + " s, " + std::to_string(how.agents)
                                       + " agents, " + std::to_string(users)
                                       + " customers");
  r.more.emplace_back("receipts p50/p99/p99.9",
                      std::to_string(of_receipts.p50_us) + ", "
                        + std::to_string(of_receipts.p99_us) + ", "
                        + std::to_string(of_receipts.p999_us) + " us");
  r.more.emplace_back("replies that came again, same id",
                      std::to_string(at.repeated()));
  if (const auto e = errors_of(at.errors()); !e.empty())
    r.more.emplace_back("agents were refused", e);
  // Each message needs the bus and a row twice: in, and the reply out.
  const auto bus_rate = bus_floor(on, 2000, 2000, 200'000);
  const auto copy_rate = copy_floor(on.postgres().conninfo(), 200'000);
  const auto chain = 1 / (2 / bus_rate + 2 / copy_rate);
  r.more.emplace_back("highest rate to its floor",
                      std::to_string(top / chain).substr(0, 4) + " of "
                        + std::to_string(static_cast<int>(chain))
                        + "/s (twice the bare bus, two rows by COPY)");
  return r;
}

} // namespace switchboard::bench
