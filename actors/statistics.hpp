#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchboard {

/// A histogram with fixed bounds from 100 us to 10 s, three a decade.
/// Thread safety: all members may be called from any thread.
class duration_histogram {
public:
  void add(std::chrono::microseconds x) noexcept;

  /// Appends `name_bucket`, `name_sum`, `name_count` in Prometheus' text
  /// format.
  /// @param labels without braces, `stage="commit"`, or empty
  void write(std::string& to, std::string_view name,
             std::string_view labels) const;

private:
  static constexpr std::array<std::int64_t, 16> bounds_us{
    100,       200,       500,       1000,      2000,    5000,
    10'000,    20'000,    50'000,    100'000,   200'000, 500'000,
    1'000'000, 2'000'000, 5'000'000, 10'000'000};
  std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

/// What the actors of a node count.
struct statistics {
  std::atomic<std::uint64_t> messages_in{0};  ///< Committed, from customers.
  std::atomic<std::uint64_t> messages_out{0}; ///< Committed, from agents.
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<std::uint64_t> refused{0}; ///< Answered with an error.
  std::atomic<std::uint64_t> overloaded{0};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> ignored{0}; ///< Events that crossed others.
  std::atomic<std::uint64_t> stale_owner{0};
  std::atomic<std::uint64_t> decisions{0};
  std::atomic<std::uint64_t> lost_wakeups{0}; ///< Must stay 0.
  std::atomic<std::uint64_t> canaries_ended{0};
  std::atomic<std::uint64_t> disagreements{0}; ///< Of shadow policies.
  std::atomic<std::uint64_t> over_commits{0};  ///< Refused by the database.
  std::atomic<std::uint64_t> fenced{0};
  std::atomic<std::int64_t> in_flight{0};
  std::atomic<std::int64_t> sessions{0};
  std::atomic<std::int64_t> waiting{0};
  std::atomic<std::int64_t> screens{0};
  std::atomic<std::int64_t> slots_owned{0};
  std::atomic<std::int64_t> replicas{0}; ///< Standbys of the database.
  std::atomic<std::int64_t> replica_lag_bytes{0};
  std::atomic<std::int64_t> replica_lag_ms{0};
  duration_histogram commit;     ///< Submitted to the writer -> committed.
  duration_histogram end_to_end; ///< Arrived -> receipt handed to the bus.
  duration_histogram queue_wait; ///< First unanswered line -> assigned.

  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string write() const;
};

} // namespace switchboard
