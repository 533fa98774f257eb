#include "actors/domain/time.hpp"

#include <array>
#include <cstdio>

namespace switchboard {

std::string rfc3339(time_point x) {
  const auto day = std::chrono::floor<std::chrono::days>(x);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{x - day};
  std::array<char, 48> text{};
  std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return text.data();
}

} // namespace switchboard
