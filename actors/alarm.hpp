#pragma once

#include "actors/domain/time.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace switchboard {

/// One thread that calls back at given times: every timer of the node. A timer
/// cannot be cancelled; it carries a round, by which an old one is recognised.
/// Thread safety: `at` may be called from any thread; callbacks run on the
/// alarm's thread, hand over and return.
class alarm {
public:
  alarm();
  ~alarm(); ///< Timers still pending are dropped.

  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

  /// Ends the thread; timers still pending, and later ones, never ring.
  void stop();

  void at(time_point when, std::function<void()> call);

private:
  struct timer {
    time_point when;
    std::uint64_t order; ///< Timers of one moment ring in order of setting.
    std::function<void()> call;
    friend bool operator<(const timer& a, const timer& b) {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<timer> pending_;
  std::uint64_t set_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

/// The wall clock, read where the domain may not.
time_point now() noexcept;

} // namespace switchboard
