#pragma once

#include "tests/cluster/ownership_watch.hpp"
#include "tests/cluster/traffic.hpp"

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace switchboard::faults {

/// When everything is served again after a moment: on the direct lane a message
/// of each slot that was due after it has its receipt, of the buffered lane
/// each slot has read beyond what anybody had read until then, and each talking
/// customer has been answered by an agent what was said after it.
class pulse {
public:
  using steady_clock = std::chrono::steady_clock;
  using times = std::array<std::optional<std::chrono::milliseconds>, 3>;

  static constexpr std::array<const char*, 3> lanes{"direct", "buffered",
                                                    "desks"};

  pulse(traffic& of, const ownership_watch& owners,
        steady_clock::time_point since);

  /// @returns whether all lanes are served
  bool look();

  /// From the moment until each lane was served in all its parts.
  [[nodiscard]] const times& took() const { return took_; }

  /// What is not served yet, for people.
  [[nodiscard]] std::string missing() const;

private:
  void look_at_direct();
  void look_at_buffered();

  traffic& of_;
  const ownership_watch& owners_;
  steady_clock::time_point since_;
  std::size_t answers_seen_;
  std::bitset<slots> direct_;
  std::bitset<slots> buffered_;
  std::optional<std::int64_t> read_until_{};
  steady_clock::time_point direct_at_{};
  times took_{};
};

} // namespace switchboard::faults
