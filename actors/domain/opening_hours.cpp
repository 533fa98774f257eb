#include "actors/domain/opening_hours.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace switchboard {

namespace {

using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu",
                                                    "Fri", "Sat", "Sun"};

constexpr auto search_time = std::chrono::days{400};

const time_zone& clock_of(const opening_hours& x) {
  static const time_zone utc;
  return x.clock ? *x.clock : utc;
}

bool is_on(const opening_hours::weekly& x, unsigned day) {
  return x.first <= x.last ? day >= x.first && day <= x.last
                           : day >= x.first || day <= x.last;
}

/// When it is open on this day.
std::vector<opening_hours::span> spans_of(const opening_hours& x,
                                          local_days day) {
  std::vector<opening_hours::span> all;
  auto is_special = false;
  for (const auto& each : x.days)
    if (local_days{each.date} == day) {
      is_special = true;
      if (each.time)
        all.push_back(*each.time);
    }
  if (is_special)
    return all;
  if (x.week.empty())
    return {{minutes{0}, minutes{24 * 60}}};
  const auto weekday = std::chrono::weekday{day}.iso_encoding() - 1;
  for (const auto& each : x.week)
    if (is_on(each, weekday))
      all.push_back(each.time);
  return all;
}

/// The moments of this day at which it may open or close, ascending.
std::vector<time_point> moments_of_day(const opening_hours& x, local_days day) {
  const auto& clock = clock_of(x);
  std::vector<time_point> all;
  for (const auto& span : spans_of(x, day))
    for (const auto time : {span.from, span.to})
      for (const auto moment : clock.moments_of(day + time))
        all.emplace_back(moment);
  // Where the clock is changed it may pass the end of a span, or come back.
  auto low = clock.moments_of(day).front();
  auto high = clock.moments_of(day + std::chrono::days{1}).back();
  const auto before = clock.offset_at(low);
  if (clock.offset_at(high) != before) {
    while (high - low > seconds{1}) {
      const auto middle = low + (high - low) / 2;
      (clock.offset_at(middle) == before ? low : high) = middle;
    }
    all.emplace_back(high);
  }
  std::sort(all.begin(), all.end());
  return all;
}

// -- text ---------------------------------------------------------------------

std::optional<unsigned> day_of(std::string_view text) {
  const auto found = std::find(day_names.begin(), day_names.end(), text);
  if (found == day_names.end())
    return std::nullopt;
  return static_cast<unsigned>(found - day_names.begin());
}

std::optional<int> number_of(std::string_view text) {
  auto n = 0;
  if (text.empty() || text.size() > 4)
    return std::nullopt;
  for (const auto c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

std::optional<minutes> time_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':')
    return std::nullopt;
  const auto hour = number_of(text.substr(0, 2));
  const auto minute = number_of(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > 24 * 60)
    return std::nullopt;
  return minutes{*hour * 60 + *minute};
}

std::optional<opening_hours::span> span_of(std::string_view text) {
  if (text.size() != 11 || text[5] != '-')
    return std::nullopt;
  const auto from = time_of(text.substr(0, 5));
  const auto to = time_of(text.substr(6));
  if (!from || !to || *from >= *to)
    return std::nullopt;
  return opening_hours::span{*from, *to};
}

std::optional<std::chrono::year_month_day> date_of(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto year = number_of(text.substr(0, 4));
  const auto month = number_of(text.substr(5, 2));
  const auto day = number_of(text.substr(8));
  if (!year || !month || !day)
    return std::nullopt;
  const std::chrono::year_month_day date{
    std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
    std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{date} : std::nullopt;
}

std::string text_of(const opening_hours::span& x) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d-%02d:%02d",
                static_cast<int>(x.from.count() / 60),
                static_cast<int>(x.from.count() % 60),
                static_cast<int>(x.to.count() / 60),
                static_cast<int>(x.to.count() % 60));
  return text.data();
}

/// "a b" -> {a, b}; "a" -> {a, ""}
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const auto gap = text.find(' ');
  if (gap == text.npos)
    return {text, {}};
  return {text.substr(0, gap), text.substr(gap + 1)};
}

} // namespace

bool opening_hours::is_open(time_point at) const {
  if (always())
    return true;
  const auto wall = clock_of(*this).wall_at(std::chrono::floor<seconds>(at));
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  const auto all = spans_of(*this, day);
  return std::any_of(all.begin(), all.end(), [&](const span& x) {
    return wall >= day + x.from && wall < day + x.to;
  });
}

std::optional<time_point> opening_hours::next_change(time_point at) const {
  if (always())
    return std::nullopt;
  const auto open = is_open(at);
  const auto today = std::chrono::floor<std::chrono::days>(
    clock_of(*this).wall_at(std::chrono::floor<seconds>(at)));
  for (auto day = today; day < today + search_time; day += std::chrono::days{1})
    for (const auto x : moments_of_day(*this, day))
      if (x > at && is_open(x) != open)
        return x;
  return std::nullopt;
}

result<opening_hours::weekly> parse_weekly(std::string_view text) {
  const auto [days, time] = halves(text);
  const auto dash = days.find('-');
  const auto first = day_of(days.substr(0, dash));
  const auto last = dash == days.npos ? first : day_of(days.substr(dash + 1));
  const auto span = span_of(time);
  if (!first || !last || !span)
    return fail(errc::malformed,
                "'" + std::string(text)
                  + "' is no time of the week; write it as 'Mon-Fri "
                    "09:00-18:00' or 'Sat 10:00-14:00', and what goes on after "
                    "midnight as two");
  return opening_hours::weekly{*first, *last, *span};
}

std::string to_string(const opening_hours::weekly& x) {
  auto text = std::string(day_names.at(x.first));
  if (x.last != x.first)
    text += '-' + std::string(day_names.at(x.last));
  return text + ' ' + text_of(x.time);
}

result<opening_hours::special> parse_special(std::string_view text) {
  const auto [day, time] = halves(text);
  const auto date = date_of(day);
  const auto span = span_of(time);
  if (!date || (!time.empty() && !span))
    return fail(errc::malformed,
                "'" + std::string(text)
                  + "' is no day; write a holiday as '2026-12-25' and other "
                    "hours as '2026-12-24 09:00-13:00'");
  return opening_hours::special{*date, span};
}

std::string to_string(const opening_hours::special& x) {
  std::array<char, 40> text{};
  std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(x.date.year()),
    static_cast<unsigned>(x.date.month()), static_cast<unsigned>(x.date.day()));
  return x.time ? std::string(text.data()) + ' ' + text_of(*x.time)
                : text.data();
}

} // namespace switchboard
