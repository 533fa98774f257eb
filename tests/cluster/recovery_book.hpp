#pragma once

#include "tests/cluster/fault.hpp"
#include "tests/cluster/pulse.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace switchboard::faults {

/// How long the cluster took to recover, by kind of fault. Thread safety: none.
class recovery_book {
public:
  using ms = std::chrono::milliseconds;

  struct page {
    int count = 0;
    int witnessed = 0;
    bool from_end = false; ///< Times count from the fault's end, not its begin.
    std::array<std::vector<ms>, 3> lanes{}; ///< As `pulse::lanes`.
    std::vector<ms> all{};                  ///< The slowest lane of each.
    std::vector<ms> after{}; ///< After its end, where times count from begin.
  };

  /// "two at once" is a kind, too.
  page& of(const std::string& kind) { return pages_[kind]; }
  [[nodiscard]] const std::map<std::string, page>& pages() const {
    return pages_;
  }

  void add(const recovery_book& more);

  [[nodiscard]] int faults() const;

  /// A table for people, and a histogram for each kind.
  [[nodiscard]] std::string text() const;

  /// A JSON array, one object for each kind.
  [[nodiscard]] std::string json() const;

private:
  std::map<std::string, page> pages_;
};

} // namespace switchboard::faults
