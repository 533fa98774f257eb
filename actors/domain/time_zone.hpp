#pragma once

#include "actors/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// What the clock on the wall shows somewhere, and when it is put forward and
/// back. A plain value made from the bytes of a compiled zone file (TZif, RFC
/// 9636), so that it gives the same answer on every machine and in every
/// replay; whoever reads files hands the bytes in.
class time_zone {
public:
  /// A time as a clock on the wall shows it, in seconds since 1970 there.
  using wall = std::chrono::local_seconds;
  using instant = std::chrono::sys_seconds;

  /// The daily clock of UTC, which is never changed.
  time_zone() = default;

  /// @returns malformed if the bytes are no zone file of version 2 or later
  static result<time_zone> parse(std::string_view tzif);

  /// What is to be added to UTC at this moment.
  [[nodiscard]] std::chrono::seconds offset_at(instant x) const;

  [[nodiscard]] wall wall_at(instant x) const {
    return wall{(x + offset_at(x)).time_since_epoch()};
  }

  /// The moments at which the clock shows this: usually one; two when it is put
  /// back over it; and when it jumps over it, the moment at which it jumps.
  [[nodiscard]] std::vector<instant> moments_of(wall x) const;

private:
  struct change {
    std::int64_t at = 0;     ///< Seconds since 1970, UTC ...
    std::int32_t offset = 0; ///< ... from which on this is added.
  };

  /// When in a year the clock is changed, in the words of POSIX' TZ.
  struct yearly {
    enum class kind : std::uint8_t { julian, day, weekday };
    kind by = kind::weekday;
    int month = 0;            ///< 1 to 12.
    int week = 0;             ///< 1 to 5; 5: the last.
    int day = 0;              ///< Of the week from Sunday = 0, or of the year.
    std::int32_t time = 7200; ///< Seconds after midnight, on the old clock.
  };

  /// What holds after the last of the listed changes.
  struct rule {
    std::int32_t standard = 0;
    std::int32_t summer = 0;
    std::optional<yearly> starts{}; ///< Without: there is no summer time.
    yearly ends{};
  };

  class reader;

  static std::optional<rule> parse_rule(std::string_view text);
  static std::int64_t moment_in(int year, const yearly& x, std::int32_t offset);
  [[nodiscard]] std::int32_t by_rule(std::int64_t at) const;

  std::vector<change> changes_{}; ///< Ascending.
  std::int32_t first_ = 0;        ///< Before the first change.
  rule after_{};
  bool has_rule_ = false;
};

} // namespace switchboard
