#pragma once

#include "actors/domain/result.hpp"
#include "actors/domain/time.hpp"
#include "actors/domain/time_zone.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// When a queue is served: times of the week on the clock of some place, and
/// days that are different. Pure; the place's clock is handed in.
struct opening_hours {
  using minutes = std::chrono::minutes;

  /// From a time of the day until before another; at most 00:00 to 24:00. What
  /// goes on after midnight is two of them.
  struct span {
    minutes from{0};
    minutes to{0};

    friend bool operator==(const span&, const span&) = default;
  };

  /// "Mon-Fri 09:00-18:00": on all of these days.
  struct weekly {
    unsigned first = 0; ///< 0 is Monday, 6 is Sunday.
    unsigned last = 0;  ///< Before `first`: round the week's end.
    span time{};

    friend bool operator==(const weekly&, const weekly&) = default;
  };

  /// "2026-12-25", closed, or "2026-12-24 09:00-13:00": instead of the week.
  struct special {
    std::chrono::year_month_day date{};
    std::optional<span> time{};

    friend bool operator==(const special&, const special&) = default;
  };

  std::string zone = "UTC";   ///< Name of the IANA database: "Europe/Berlin".
  std::vector<weekly> week{}; ///< Empty: open at all times.
  std::vector<special> days{};
  std::shared_ptr<const time_zone> clock{}; ///< Null: that of UTC.

  /// Without hours there is nothing to look at.
  [[nodiscard]] bool always() const { return week.empty() && days.empty(); }

  [[nodiscard]] bool is_open(time_point at) const;

  /// The first moment after `at` at which it opens (if closed) or closes (if
  /// open). @returns nothing if that does not happen within 400 days
  [[nodiscard]] std::optional<time_point> next_change(time_point at) const;

  /// The clock that zones are read to is not compared, only its name.
  friend bool operator==(const opening_hours& x, const opening_hours& y) {
    return x.zone == y.zone && x.week == y.week && x.days == y.days;
  }
};

/// Reads and writes "Mon-Fri 09:00-18:00" or "Sat 10:00-14:00".
/// @returns malformed with a sentence that shows how it is written
result<opening_hours::weekly> parse_weekly(std::string_view text);
std::string to_string(const opening_hours::weekly& x);

/// Reads and writes "2026-12-25" or "2026-12-24 09:00-13:00".
result<opening_hours::special> parse_special(std::string_view text);
std::string to_string(const opening_hours::special& x);

} // namespace switchboard
