#pragma once

#include "bus/bus.hpp"
#include "tests/faults/ledger.hpp"
#include "tests/faults/out_log.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::faults {

/// The queue of the customers who talk with agents; the mere load waits in
/// another one, which no agent serves.
inline constexpr const char* talk_queue = "talk";

/// "run-0", "run-1" ...
[[nodiscard]] std::vector<std::string> numbered_users(const std::string& run,
                                                      int count);

/// Integrators on the buffered lane: each user's next message is published when
/// the broker has stored the one before, and repeated under its id until then.
class buffered_senders {
public:
  /// @param pace between two messages of one user
  buffered_senders(bus& wire, std::vector<std::string> users,
                   std::chrono::milliseconds pace = std::chrono::milliseconds{
                     15});
  ~buffered_senders() { give_up(); }

  /// Publishes nothing new and waits for what is under way.
  void stop();

  /// Does not even wait for that.
  void give_up();

  /// Messages that the broker promised to keep, by user: 1 to this number.
  [[nodiscard]] std::vector<numbered> stored() const;
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t repeats() const { return repeats_; }

private:
  void work(std::size_t user);
  bool store(const numbered& what);

  bus& wire_;
  std::vector<std::string> users_;
  std::chrono::milliseconds pace_;
  std::vector<std::atomic<std::int64_t>> last_;
  std::atomic<std::int64_t> count_{0};
  std::atomic<std::int64_t> repeats_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> given_up_{false};
  std::vector<std::thread> threads_;
};

/// Customers who talk with agents: each waits for the receipt of its line, then
/// a while for the answer, and says the next one.
class talkers {
public:
  using steady_clock = std::chrono::steady_clock;

  /// @param pace between an answer and the next line
  talkers(bus& wire, out_log& heard, ledger& receipts,
          std::vector<std::string> users,
          std::chrono::milliseconds pace = std::chrono::milliseconds{15});
  ~talkers() { give_up(); }

  /// Says nothing new and waits for receipts.
  void stop();

  /// Does not even wait for those.
  void give_up();

  [[nodiscard]] std::int64_t answered() const { return answered_; }

  /// Whether each has been answered a line that was said since then.
  [[nodiscard]] bool all_answered_since(steady_clock::time_point when) const;
  [[nodiscard]] std::int64_t repeats() const { return repeats_; }

private:
  void work(std::size_t user);
  void post(const numbered& what);

  bus& wire_;
  out_log& heard_;
  ledger& receipts_;
  std::vector<std::string> users_;
  std::chrono::milliseconds pace_;
  /// When the last line that was answered had been said, by user.
  std::vector<std::atomic<steady_clock::duration>> answered_said_at_;
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::int64_t> repeats_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> given_up_{false};
  std::vector<std::thread> threads_;
};

} // namespace switchboard::faults
