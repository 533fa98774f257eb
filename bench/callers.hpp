#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::bench {

/// Very many customers on WebSockets: threads with an epoll and a descriptor
/// table each (a process may open 20 000 files here, a thread that has left
/// the common table as many again), plain sockets, no library. Source addresses
/// are 127.0.0.2 and on, so that ports do not run out.
/// Thread safety: one thread calls; what counts may be read from any.
class callers {
public:
  using clock = std::chrono::steady_clock;

  /// Of one thread, with some to spare below the limit.
  static constexpr int per_thread_max = 17'000;

  struct options {
    std::vector<std::uint16_t> ports; ///< Taken in turn.
    std::string run;                  ///< Users are "<run>-0", "<run>-1" …
    std::string secret;               ///< Signs their tokens.
    int count = 0;
    int at_once = 10'000; ///< So many may be about to connect, in each thread.
  };

  explicit callers(options how);
  ~callers();
  callers(const callers&) = delete;
  callers& operator=(const callers&) = delete;

  /// All begin to connect and sign in, now. See `signed_in`.
  void connect();
  /// All hang up, without a word.
  void drop();
  /// Those from number `from` and below `upto` write one more line each, at
  /// once.
  void write(int from, int upto);

  [[nodiscard]] std::int64_t signed_in() const { return signed_in_; }
  /// Connections that failed, or were closed by the other side.
  [[nodiscard]] std::int64_t failed() const { return failed_; }
  [[nodiscard]] std::int64_t open() const { return open_; }
  [[nodiscard]] std::int64_t receipts() const { return receipts_; }
  [[nodiscard]] std::int64_t refused() const { return refused_; }
  /// Replies "re <n>" that were pushed, each counted once.
  [[nodiscard]] std::int64_t replies() const { return replies_; }
  [[nodiscard]] std::int64_t doubled() const { return doubled_; }
  [[nodiscard]] std::int64_t reordered() const { return reordered_; }

  /// From the intended start until the welcome, of the last `connect`; in us.
  [[nodiscard]] std::vector<std::int64_t> sign_in_times() const;
  /// From a line until the reply to it was pushed, since the last call; in us.
  [[nodiscard]] std::vector<std::int64_t> reply_times();

  /// Waits until this is true. @returns false after `patience`
  static bool wait(const std::function<bool()>& that,
                   std::chrono::milliseconds patience);

private:
  class worker;
  friend class worker;

  options how_;
  std::atomic<std::int64_t> signed_in_{0};
  std::atomic<std::int64_t> failed_{0};
  std::atomic<std::int64_t> open_{0};
  std::atomic<std::int64_t> receipts_{0};
  std::atomic<std::int64_t> refused_{0};
  std::atomic<std::int64_t> replies_{0};
  std::atomic<std::int64_t> doubled_{0};
  std::atomic<std::int64_t> reordered_{0};
  std::vector<std::unique_ptr<worker>> workers_;
};

} // namespace switchboard::bench
