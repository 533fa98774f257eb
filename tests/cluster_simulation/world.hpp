#pragma once

#include "actors/domain/membership.hpp"
#include "tests/cluster_simulation/bugs.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace switchboard::cluster_simulation {

using membership::instant;
using namespace std::chrono_literals;

/// An invariant of the design does not hold.
class violation : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What may go wrong under a seed.
struct mix {
  bool calm = false; ///< Only planned moves: nobody may notice anything.
  bool crash = false;
  bool freeze = false;
  bool cut_database = false;
  bool cut_bus = false;
  bool outage = false; ///< Of the database, for all.
  bool clocks = false; ///< Wall clocks jump.
  bool drain = false;
  bool late = false; ///< Statements are carried out after all hope is gone.
  int loss = 0;      ///< Of letters, in percent.
  int repeats = 0;   ///< Letters that come twice, in percent.
  int delay = 5;     ///< Of letters and statements, at most, ms.
  /// Slots move four at a time, and nobody waits for who takes them.
  bool hasty = false;
};

/// Time, chance and the trace: one thread, one seed, always the same.
class world {
public:
  world(std::uint64_t seed, bug planted, bool print)
    : random_(seed), planted_(planted), print_(print) {
    draw_mix();
    faults.hasty = seed % 2 == 0;
  }

  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] bool has(bug x) const { return planted_ == x; }

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool chance(int percent) { return percent > 0 && below(100) < percent; }
  instant delay() { return instant{1 + below(faults.delay)}; }

  void after(instant wait, std::function<void()> what) {
    queue_.push({now_ + wait, ++order_, std::move(what)});
  }

  void run(instant until) {
    while (!queue_.empty() && queue_.top().at <= until) {
      auto next = std::move(const_cast<due&>(queue_.top()));
      queue_.pop();
      now_ = next.at;
      next.what();
    }
    now_ = until;
  }

  /// From here on nothing new goes wrong.
  void heal() {
    faults.late = false;
    faults.loss = faults.repeats = 0;
    faults.delay = 5;
  }

  /// One line of the trace: what, who, and numbers.
  void note(std::string_view what, std::string_view who, std::int64_t a = 0,
            std::int64_t b = 0) {
    for (const auto c : what)
      mix_in(static_cast<unsigned char>(c));
    for (const auto c : who)
      mix_in(static_cast<unsigned char>(c));
    mix_in(static_cast<std::uint64_t>(now_.count()));
    mix_in(static_cast<std::uint64_t>(a));
    mix_in(static_cast<std::uint64_t>(b));
    ++lines;
    if (print_)
      std::printf("%6lld %-14.*s %-8.*s %lld %lld\n",
                  static_cast<long long>(now_.count()),
                  static_cast<int>(what.size()), what.data(),
                  static_cast<int>(who.size()), who.data(),
                  static_cast<long long>(a), static_cast<long long>(b));
  }

  mix faults;
  std::uint64_t hash = 14695981039346656037u;
  std::int64_t lines = 0;

private:
  struct due {
    instant at;
    std::int64_t order;
    std::function<void()> what;

    bool operator<(const due& x) const {
      return at != x.at ? at > x.at : order > x.order;
    }
  };

  void mix_in(std::uint64_t x) { hash = (hash ^ x) * 1099511628211u; }

  void draw_mix() {
    auto& f = faults;
    f.calm = below(6) == 0;
    f.drain = f.calm || chance(40);
    if (f.calm)
      return;
    f.crash = chance(60);
    f.freeze = chance(50);
    f.cut_database = chance(40);
    f.cut_bus = chance(40);
    f.outage = chance(25);
    f.clocks = chance(40);
    f.late = chance(50);
    f.loss = chance(50) ? static_cast<int>(below(20)) : 0;
    f.repeats = chance(50) ? static_cast<int>(below(20)) : 0;
    f.delay = chance(30) ? 120 : 10;
  }

  std::mt19937_64 random_;
  bug planted_;
  bool print_;
  instant now_ = 0ms;
  std::int64_t order_ = 0;
  std::priority_queue<due> queue_;
};

} // namespace switchboard::cluster_simulation
