#pragma once

#include "tests/cluster/fault.hpp"
#include "tests/cluster/recovery_book.hpp"
#include "tests/cluster/traffic.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace switchboard::faults {

/// Makes one fault after the other, now and then two at once, and sees that the
/// cluster comes back from each. All choices come from one seed.
class storm {
public:
  struct options {
    std::uint64_t seed = 0;
    int faults = 40;
    std::optional<fault_kind> only{}; ///< Else all kinds, equally often.
    std::function<bool()> give_up{};  ///< Somebody wants the end.
  };

  storm(site& on, traffic& under, const ownership_watch& owners, options how);

  /// @throws std::runtime_error when a fault had no effect, when something is
  /// not served for a minute, when a node ends by itself, or when a node that
  /// was taken over wrote a line
  void rage();

  [[nodiscard]] const recovery_book& book() const { return book_; }
  [[nodiscard]] int pairs() const { return pairs_; }
  [[nodiscard]] int hasty() const { return hasty_; }

private:
  using faults_now = std::vector<std::unique_ptr<fault>>;

  void shuffle_order();
  faults_now next_faults();
  void one(fault& x);
  void two(faults_now& both);
  pulse::times must_come_back(fault::steady_clock::time_point since,
                              const std::string& after);
  void settle(const std::string& after);
  void record(const std::string& kind, const pulse::times& took, bool from_end);
  void sleep_up_to(int ms);
  void say(const std::string& what) const;

  site& on_;
  traffic& under_;
  const ownership_watch& owners_;
  options how_;
  std::mt19937_64 random_;
  scene scene_;
  std::vector<fault_kind> order_;
  std::size_t next_ = 0;
  std::vector<fault_kind> kinds_now_;
  faults_now past_; ///< Whose outcome is still to be looked at.
  recovery_book book_;
  int pairs_ = 0;
  int hasty_ = 0;
};

} // namespace switchboard::faults
