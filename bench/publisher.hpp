#pragma once

#include "bench/audit.hpp"
#include "bus/bus.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::bench {

/// Integrators on the buffered lane: they publish into a stream and keep what
/// the broker acknowledged. Closed loop (`rate` 0) or open loop, as `load`.
/// What the broker refuses is not sent again and not counted as stored.
class publisher {
public:
  struct options {
    std::string run; ///< Part of every user's name and every message id.
    int users = 1000;
    int window = 2000; ///< Publishes without an answer at a time.
    std::int64_t messages = 0;
    double rate = 0;
    std::string prefix{}; ///< A floor's subjects; empty: the buffered lane's.
  };

  publisher(bus& wire, options how) : wire_(wire), how_(std::move(how)) {}
  ~publisher();
  publisher(const publisher&) = delete;
  publisher& operator=(const publisher&) = delete;

  void start();

  /// Waits until all are answered by the broker.
  bool wait(std::chrono::milliseconds patience);

  [[nodiscard]] std::int64_t messages() const { return how_.messages; }
  [[nodiscard]] std::int64_t acknowledged() const { return answered_; }

  /// What the broker promised to keep, in the order of each user. @pre `wait`
  [[nodiscard]] std::vector<sent_message> stored() const;

private:
  void work();
  void publish(std::int64_t n);

  bus& wire_;
  options how_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> refused_;
  std::int64_t under_way_ = 0;
  std::atomic<std::int64_t> answered_{0};
  bool ending_ = false;
  std::thread thread_;
};

} // namespace switchboard::bench
