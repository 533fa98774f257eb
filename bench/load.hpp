#pragma once

#include "actors/domain/message.hpp"
#include "bench/report.hpp"
#include "bus/bus.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::bench {

/// Customers who publish on the direct lane and keep every receipt: the load of
/// benchmarks and of fault tests. A message without a receipt is repeated under
/// the same id, as a careful integrator would do.
///
/// Closed loop (`rate` 0): `window` messages are under way at any time.
/// Open loop: a message is due every 1/rate s, and its latency counts from that
/// moment even when it could be sent only later (no coordinated omission).
class load {
public:
  struct options {
    std::string run; ///< Part of every user's name and every message id.
    int users = 1000;
    std::vector<std::string> names{}; ///< Of all users; empty: `user_name`.
    int window = 1000;
    std::int64_t messages = 0; ///< 0: until `stop`.
    std::int64_t after = 0;    ///< Each user's last number, from a run before.
    double rate = 0;
    std::chrono::milliseconds patience{3000}; ///< Then it is sent again.
    bool to_floor =
      false; ///< To sb.v1.floor.…, where a bare responder answers.
    /// Open loop: who has waited longest is next, so that all users write. Else
    /// it is who was answered last, and at a low rate always the same few.
    bool in_turn = false;
    bool repeat = true; ///< false: what is not answered counts as lost.
  };

  /// What the sender of a message was told.
  struct answer {
    int user = 0;
    std::int64_t number = 0; ///< Of the user's messages: 1, 2, 3 ...
    receipt where;
    std::int64_t latency_us = 0;
    std::chrono::steady_clock::time_point due{}; ///< When it was to be sent.
  };

  load(bus& wire, options how);
  ~load();
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  void start();

  /// Sends nothing new and waits until everything sent is answered.
  /// @returns false if something was still unanswered after `patience`
  bool stop(std::chrono::milliseconds patience);

  /// Waits until all `messages` are answered.
  bool wait(std::chrono::milliseconds patience);

  /// `start` and `wait` with a bar on stderr.
  /// @returns messages a second
  /// @throws std::runtime_error if there is no end after five minutes
  double run(const std::string& title);

  // -- what came of it (after `stop` or `wait`) -------------------------------

  [[nodiscard]] std::vector<answer> answers() const;
  /// Those that came after the first `count`.
  [[nodiscard]] std::vector<answer> answers_after(std::size_t count) const;
  [[nodiscard]] std::int64_t answered() const { return answered_; }
  [[nodiscard]] std::int64_t sent() const { return sent_; }
  [[nodiscard]] std::int64_t repeats() const { return repeats_; }

  /// Errors by code, those that were mended by a repetition included.
  [[nodiscard]] std::map<std::string, std::int64_t> errors() const;

  [[nodiscard]] latencies all_latencies() const;

  /// Latencies and throughput, into a report.
  void write(report& to) const;

  [[nodiscard]] static std::string user_name(const std::string& run, int user);
  [[nodiscard]] static std::string message_name(const std::string& run,
                                                int user, std::int64_t number);

private:
  using time = std::chrono::steady_clock::time_point;

  struct flight {
    int user = 0;
    std::int64_t number = 0;
    std::uint64_t payload = 0;
    time due{};   ///< When it should have been sent.
    time tried{}; ///< When it was sent last.
    bool open = false;
  };

  [[nodiscard]] std::string name_of(int user) const;
  void on_reply(const bus::packet& x);
  void send(std::size_t place);
  void send_next(std::size_t place, time due);
  void give_back(std::size_t place);
  void watch();
  void pace();

  bus& wire_;
  options how_;
  std::string inbox_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<flight> flights_;
  std::deque<std::size_t> free_;
  std::vector<std::int64_t> numbers_; ///< Last number of each user.
  std::vector<answer> answers_;
  std::map<std::string, std::int64_t> errors_;
  std::int64_t begun_ = 0;
  std::atomic<std::int64_t> answered_{0};
  std::atomic<std::int64_t> sent_{0};
  std::atomic<std::int64_t> repeats_{0};
  std::int64_t open_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
  std::unique_ptr<bus::subscription> replies_;
  std::vector<std::thread> threads_;
};

} // namespace switchboard::bench
