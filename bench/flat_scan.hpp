#pragma once

#include "actors/domain/router.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::bench {

/// The line as flat arrays, for a scan of which nothing could be left out: a
/// mask of what is asked for, the time, the weight, the kind of demand. It
/// calculates in `float`, knows no affinity and makes no record: a floor.
class flat_line {
public:
  explicit flat_line(const std::vector<router::session_waiting>& all);

  /// What is known of an agent before the scan begins; not part of the floor.
  struct rating {
    std::uint64_t able = 0;
    std::vector<float> quality{}; ///< By demand.
  };
  [[nodiscard]] rating prepare(const agent::availability& a,
                               time_point now) const;

  [[nodiscard]] std::optional<session_id> best(const rating& r,
                                               time_point now) const;

private:
  std::uint64_t bit_of(const std::string& name);
  [[nodiscard]] std::uint64_t mask_of(const agent::availability& a) const;

  std::map<std::string, std::uint64_t> bits_{};
  std::map<std::string, std::int32_t> demand_of_{};
  std::vector<needs> demands_{}; ///< One of each kind.
  std::vector<bool> known_{};    ///< Whether affinity has weight there.
  std::vector<session_id> ids_{};
  std::vector<std::uint64_t> needs_{};
  std::vector<float> since_{}; ///< Seconds before `epoch_`.
  std::vector<float> per_target_{};
  std::vector<float> weight_{};
  std::vector<std::int32_t> demand_{};
  time_point epoch_{};
};

} // namespace switchboard::bench
