#include "bench/simulation/engine.hpp"

#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <queue>
#include <stdexcept>
#include <string>
#include <tuple>

namespace switchboard::simulation {

namespace {

enum class kind : std::uint8_t {
  duty, ///< Somebody's shift begins or ends.
  completion,
  impatience,
  arrival,
  closing,
};

struct event {
  time_point at{};
  kind what{};
  std::size_t who = 0;    ///< A worker or a customer.
  std::int64_t round = 0; ///< Tells a worker's next completion from old ones.

  friend auto operator<=>(const event&, const event&) = default;
};

struct chat {
  std::size_t customer = 0;
  double left_s = 0; ///< Work left to do.
  time_point since{};
};

/// A worker in the course of the day.
struct desk {
  agent::availability seen{};
  std::vector<chat> chats{};
  time_point updated{};
  std::int64_t round = 0;
};

class engine {
public:
  engine(const world& w, dispatcher& d)
    : w_(w), dispatcher_(d), now_(w.open.from) {
    out_.fates.resize(w.customers.size());
    out_.efforts.resize(w.workers.size());
    desks_.resize(w.workers.size());
    for (std::size_t i = 0; i < w.workers.size(); ++i)
      prepare(i);
    if (!w.customers.empty())
      schedule({w.customers.front().at, kind::arrival, 0});
    schedule({w.open.to, kind::closing});
  }

  day run() && {
    for (std::size_t i = 0; i < desks_.size(); ++i)
      report(i);
    while (!events_.empty()) {
      const auto next = events_.top();
      if (!closed_)
        wake_before(next.at);
      now_ = next.at;
      events_.pop();
      happen(next);
    }
    out_.lost_wakeups = dispatcher_.lost_wakeups();
    return std::move(out_);
  }

private:
  void prepare(std::size_t i) {
    const auto& who = w_.workers[i];
    index_.emplace(who.id, i);
    auto& seen = desks_[i].seen;
    seen.id = who.id;
    seen.who = who.who;
    desks_[i].updated = w_.open.from;
    for (const auto& shift : who.shifts) {
      if (shift.from >= w_.open.to)
        continue;
      schedule({shift.from, kind::duty, i, 1});
      schedule({std::min(shift.to, w_.open.to), kind::duty, i, 0});
    }
  }

  void schedule(const event& x) { events_.push(x); }

  void wake_before(time_point at) {
    for (auto t = dispatcher_.next_wake(); t && *t < at;
         t = dispatcher_.next_wake()) {
      now_ = std::max(*t, now_);
      follow(dispatcher_.wake(now_));
    }
  }

  // -- what happens -----------------------------------------------------------

  void happen(const event& x) {
    switch (x.what) {
      case kind::arrival: arrive(x.who); break;
      case kind::impatience: lose_patience(x.who); break;
      case kind::completion: complete(x.who, x.round); break;
      case kind::duty: change_duty(x.who, x.round == 1); break;
      case kind::closing: close(); break;
    }
  }

  void arrive(std::size_t i) {
    if (closed_)
      return; // Nor will anybody later be let in.
    if (i + 1 < w_.customers.size())
      schedule({w_.customers[i + 1].at, kind::arrival, i + 1});
    const auto& c = w_.customers[i];
    out_.fates[i].how = ending::waiting;
    schedule({now_ + c.patience, kind::impatience, i});
    follow(dispatcher_.waits(question_of(i), now_));
  }

  router::session_waiting question_of(std::size_t i) const {
    const auto& c = w_.customers[i];
    router::session_waiting s;
    s.session = {static_cast<std::int64_t>(i + 1)};
    s.channel = "web";
    s.want = c.want;
    s.since = c.at;
    s.previous = c.previous;
    s.previous_at = c.previous_at;
    return s;
  }

  void lose_patience(std::size_t i) {
    if (closed_ || out_.fates[i].how != ending::waiting)
      return;
    out_.fates[i].how = ending::abandoned;
    out_.fates[i].wait = now_ - w_.customers[i].at;
    follow(dispatcher_.leaves({static_cast<std::int64_t>(i + 1)}, now_));
  }

  void complete(std::size_t i, std::int64_t round) {
    auto& d = desks_[i];
    if (d.round != round)
      return;
    work_on(i);
    const auto done = std::min_element(
      d.chats.begin(), d.chats.end(),
      [](const chat& x, const chat& y) { return x.left_s < y.left_s; });
    out_.fates[done->customer].care = now_ - done->since;
    d.chats.erase(done);
    changed(i);
  }

  void change_duty(std::size_t i, bool on) {
    work_on(i);
    desks_[i].seen.routable = on;
    desks_[i].seen.now =
      on ? agent::presence::online : agent::presence::offline;
    report(i);
  }

  void close() {
    closed_ = true;
    for (std::size_t i = 0; i < out_.fates.size(); ++i)
      if (out_.fates[i].how == ending::waiting)
        out_.fates[i].wait = now_ - w_.customers[i].at;
    for (std::size_t i = 0; i < desks_.size(); ++i) {
      work_on(i);
      desks_[i].seen.routable = false;
    }
  }

  // -- assignments ------------------------------------------------------------

  void follow(const assignments& all) {
    for (const auto& x : all)
      begin(x);
    // Reported only now: what was decided together was decided without knowing
    // more than that. A report can bring about further assignments.
    for (const auto& x : all)
      report(index_.at(x.agent));
  }

  void report(std::size_t i) {
    if (!closed_)
      follow(dispatcher_.agent_changed(desks_[i].seen, now_));
  }

  void begin(const assignment& x) {
    const auto i = static_cast<std::size_t>(x.session.value - 1);
    const auto at = index_.at(x.agent);
    check(i, at);
    auto& d = desks_[at];
    const auto p = foresee(w_.laws, w_.customers[i], w_.workers[at], now_);
    auto& f = out_.fates[i];
    f.how = ending::served;
    f.wait = now_ - w_.customers[i].at;
    f.worker = at;
    f.acquainted = p.acquainted;
    f.resolved = w_.customers[i].luck < p.resolution;
    ++out_.efforts[at].served;
    work_on(at);
    d.chats.push_back({i, p.work_s, now_});
    d.seen.last_accepted_at = now_;
    restart(at);
  }

  void check(std::size_t i, std::size_t at) const {
    if (i >= out_.fates.size() || out_.fates[i].how != ending::waiting)
      throw std::logic_error("assigned customer " + std::to_string(i)
                             + ", who does not wait");
    if (!scoring::eligible({}, question_of(i), desks_[at].seen))
      throw std::logic_error("assigned customer " + std::to_string(i) + " to "
                             + desks_[at].seen.id.text
                             + ", who may not serve them now");
  }

  // -- work -------------------------------------------------------------------

  /// Lets the time since the last change be worked. Chats of one worker share
  /// what the worker can do with so many at once.
  void work_on(std::size_t i) {
    auto& d = desks_[i];
    const auto passed = std::chrono::duration<double>(now_ - d.updated).count();
    d.updated = now_;
    const auto chats = static_cast<double>(d.chats.size());
    if (d.seen.routable) {
      out_.efforts[i].shift_s += passed;
      out_.efforts[i].chats_s += passed * chats;
    }
    for (auto& c : d.chats)
      c.left_s -= passed * w_.laws.rate(d.chats.size()) / chats;
  }

  void changed(std::size_t i) {
    restart(i);
    report(i);
  }

  /// Chats came or went: the next one will be done at another time.
  void restart(std::size_t i) {
    auto& d = desks_[i];
    ++d.round;
    d.seen.load = static_cast<std::int32_t>(1000 * d.chats.size());
    d.seen.sessions.clear();
    auto least = std::numeric_limits<double>::infinity();
    for (const auto& c : d.chats) {
      d.seen.sessions.push_back({static_cast<std::int64_t>(c.customer + 1)});
      least = std::min(least, c.left_s);
    }
    if (d.chats.empty())
      return;
    const auto share =
      w_.laws.rate(d.chats.size()) / static_cast<double>(d.chats.size());
    const auto ms = std::ceil(std::max(least, 0.) / share * 1000);
    schedule({now_ + duration{static_cast<std::int64_t>(ms)}, kind::completion,
              i, d.round});
  }

  const world& w_;
  dispatcher& dispatcher_;
  day out_{};
  time_point now_{};
  bool closed_ = false;
  std::vector<desk> desks_{};
  std::map<agent_id, std::size_t> index_{};
  std::priority_queue<event, std::vector<event>, std::greater<>> events_{};
};

} // namespace

std::uint64_t day::hash() const {
  std::uint64_t h = 14695981039346656037u;
  const auto mix = [&h](std::int64_t x) {
    auto bits = static_cast<std::uint64_t>(x);
    for (int i = 0; i < 8; ++i, bits >>= 8) {
      h ^= bits & 0xff;
      h *= 1099511628211u;
    }
  };
  for (const auto& f : fates) {
    mix(static_cast<std::int64_t>(f.how));
    mix(f.wait.count());
    mix(f.care.count());
    mix(static_cast<std::int64_t>(f.worker));
    mix((f.acquainted ? 2 : 0) + (f.resolved ? 1 : 0));
  }
  return h;
}

day simulate(const world& w, dispatcher& d) {
  return engine(w, d).run();
}

} // namespace switchboard::simulation
