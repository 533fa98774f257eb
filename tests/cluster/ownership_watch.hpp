#pragma once

#include "actors/domain/membership.hpp"
#include "tests/cluster/database.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::faults {

/// Looks at the table of slots all the time and judges INV-5 as far as the
/// database shows it: a slot's epoch never falls, and an epoch has one owner.
/// Thread safety: full.
class ownership_watch {
public:
  using steady_clock = std::chrono::steady_clock;

  struct lease {
    std::int64_t renewals = 0;
    std::string says{};
  };

  /// What one statement saw.
  struct view {
    steady_clock::time_point asked_at{};
    std::array<std::string, membership::slots_all> owner{}; ///< "": nobody.
    std::array<std::int64_t, membership::slots_all> epoch{};
    /// How far the buffered lane was read.
    std::array<std::int64_t, slots> offset{};
    std::map<std::string, lease> leases{};

    [[nodiscard]] int owned_by(const std::string& node) const;
  };

  explicit ownership_watch(std::string conninfo);
  ~ownership_watch();
  ownership_watch(const ownership_watch&) = delete;
  ownership_watch& operator=(const ownership_watch&) = delete;

  /// The last look that worked.
  [[nodiscard]] view last() const;

  /// A look that began after this moment. @throws std::runtime_error after
  /// `patience`
  [[nodiscard]] view next(steady_clock::time_point after,
                          std::chrono::milliseconds patience) const;

  [[nodiscard]] std::int64_t looks() const { return looks_; }
  [[nodiscard]] std::int64_t changes() const { return changes_; }
  [[nodiscard]] std::vector<std::string> violations() const;

private:
  void work(const std::string& conninfo);
  void judge(const view& now);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  view last_;
  std::map<std::pair<std::size_t, std::int64_t>, std::string> owner_of_;
  std::vector<std::string> violations_;
  std::atomic<std::int64_t> looks_{0};
  std::atomic<std::int64_t> changes_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace switchboard::faults
