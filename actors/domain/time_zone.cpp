#include "actors/domain/time_zone.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace switchboard {

namespace {

using std::chrono::seconds;

constexpr std::size_t header_bytes = 44;

/// More than any clock differs from UTC, and less than two changes lie apart.
constexpr seconds reach = std::chrono::hours{30};

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t x = 0;
  for (const auto c : bytes)
    x = x << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(x);
}

std::int32_t big_endian_4(std::string_view bytes) {
  return static_cast<std::int32_t>(
    static_cast<std::uint32_t>(big_endian(bytes)));
}

/// The six counts of a header, in the order of the file.
struct counts {
  std::size_t ut, standard, leap, time, type, name;

  explicit counts(std::string_view header)
    : ut(at(header, 0)),
      standard(at(header, 1)),
      leap(at(header, 2)),
      time(at(header, 3)),
      type(at(header, 4)),
      name(at(header, 5)) {}

  static std::size_t at(std::string_view header, std::size_t i) {
    return static_cast<std::size_t>(big_endian(header.substr(20 + 4 * i, 4)));
  }

  /// @param width of a time: 4 bytes in the first part, 8 in the second
  [[nodiscard]] std::size_t bytes(std::size_t width) const {
    return time * (width + 1) + type * 6 + name + leap * (width + 4) + standard
           + ut;
  }
};

bool is_header(std::string_view bytes) {
  return bytes.size() >= header_bytes && bytes.starts_with("TZif");
}

} // namespace

/// Reads the words of a TZ rule, such as CET-1CEST,M3.5.0,M10.5.0/3.
class time_zone::reader {
public:
  explicit reader(std::string_view text) : left_(text) {}

  [[nodiscard]] bool done() const { return left_.empty(); }

  bool take(char c) {
    if (left_.empty() || left_.front() != c)
      return false;
    left_.remove_prefix(1);
    return true;
  }

  bool name() {
    const auto quoted = take('<');
    const auto end =
      quoted ? left_.find('>') : left_.find_first_of("+-,0123456789");
    const auto size = std::min(end, left_.size());
    if (size == 0 || (quoted && end == left_.npos))
      return false;
    left_.remove_prefix(size + (quoted ? 1 : 0));
    return true;
  }

  std::optional<int> number() {
    auto n = 0;
    auto digits = 0;
    for (; !left_.empty() && left_.front() >= '0' && left_.front() <= '9'
           && digits < 4;
         ++digits) {
      n = n * 10 + (left_.front() - '0');
      left_.remove_prefix(1);
    }
    return digits > 0 ? std::optional{n} : std::nullopt;
  }

  /// [+-]hh[:mm[:ss]], in seconds.
  std::optional<std::int32_t> time() {
    const auto negative = take('-');
    if (!negative)
      take('+');
    const auto hours = number();
    if (!hours)
      return std::nullopt;
    auto sum = *hours * 3600;
    for (const auto unit : {60, 1}) {
      if (!take(':'))
        break;
      const auto n = number();
      if (!n)
        return std::nullopt;
      sum += *n * unit;
    }
    return negative ? -sum : sum;
  }

  std::optional<yearly> date() {
    yearly x;
    if (take('M')) {
      for (auto* to : {&x.month, &x.week, &x.day}) {
        const auto n = number();
        if (!n || (to != &x.day && !take('.')))
          return std::nullopt;
        *to = *n;
      }
      if (x.month < 1 || x.month > 12 || x.week < 1 || x.week > 5 || x.day > 6)
        return std::nullopt;
    } else {
      x.by = take('J') ? yearly::kind::julian : yearly::kind::day;
      const auto n = number();
      if (!n || *n > 365)
        return std::nullopt;
      x.day = *n;
    }
    if (take('/')) {
      const auto at = time();
      if (!at)
        return std::nullopt;
      x.time = *at;
    }
    return x;
  }

private:
  std::string_view left_;
};

std::optional<time_zone::rule> time_zone::parse_rule(std::string_view text) {
  reader from{text};
  rule to;
  // POSIX counts west of Greenwich as positive.
  if (!from.name())
    return std::nullopt;
  const auto west = from.time();
  if (!west)
    return std::nullopt;
  to.standard = -*west;
  if (from.done())
    return to;
  if (!from.name())
    return std::nullopt;
  to.summer = to.standard + 3600;
  if (!from.take(',')) {
    const auto summer = from.time();
    if (!summer || !from.take(','))
      return std::nullopt;
    to.summer = -*summer;
  }
  to.starts = from.date();
  if (!to.starts || !from.take(','))
    return std::nullopt;
  const auto ends = from.date();
  if (!ends || !from.done())
    return std::nullopt;
  to.ends = *ends;
  return to;
}

result<time_zone> time_zone::parse(std::string_view tzif) {
  const auto bad = [] {
    return fail(errc::malformed, "not a time zone file (TZif version 2 or "
                                 "later); install tzdata anew");
  };
  if (!is_header(tzif) || tzif[4] < '2')
    return bad();
  const auto skipped = header_bytes + counts{tzif}.bytes(4);
  if (tzif.size() < skipped || !is_header(tzif.substr(skipped)))
    return bad();
  tzif.remove_prefix(skipped);
  const counts n{tzif};
  tzif.remove_prefix(header_bytes);
  if (n.type == 0 || n.time > 100'000 || tzif.size() < n.bytes(8))
    return bad();
  const auto times = tzif.substr(0, n.time * 8);
  const auto kinds = tzif.substr(n.time * 8, n.time);
  const auto types = tzif.substr(n.time * 9, n.type * 6);
  time_zone to;
  to.first_ = big_endian_4(types.substr(0, 4));
  for (std::size_t i = 0; i < n.time; ++i) {
    const auto kind = static_cast<unsigned char>(kinds[i]);
    if (kind >= n.type)
      return bad();
    to.changes_.push_back({big_endian(times.substr(i * 8, 8)),
                           big_endian_4(types.substr(kind * 6u, 4))});
  }
  auto footer = tzif.substr(n.bytes(8));
  if (footer.size() < 2 || footer.front() != '\n')
    return to;
  footer = footer.substr(1, footer.find('\n', 1) - 1);
  if (footer.empty())
    return to;
  const auto after = parse_rule(footer);
  if (!after)
    return bad();
  to.after_ = *after;
  to.has_rule_ = true;
  return to;
}

std::int64_t time_zone::moment_in(int year, const yearly& x,
                                  std::int32_t offset) {
  using namespace std::chrono;
  const std::chrono::year y{year};
  sys_days day{y / January / 1};
  switch (x.by) {
    case yearly::kind::julian: // The 29th of February is never counted.
      day += days{x.day - 1 + (y.is_leap() && x.day > 59 ? 1 : 0)};
      break;
    case yearly::kind::day: day += days{x.day}; break;
    case yearly::kind::weekday: {
      const auto month = y / std::chrono::month{static_cast<unsigned>(x.month)};
      const weekday on{static_cast<unsigned>(x.day)};
      day = x.week == 5 ? sys_days{month / on[last]}
                        : sys_days{month / on[static_cast<unsigned>(x.week)]};
      break;
    }
  }
  return seconds{day.time_since_epoch()}.count() + x.time - offset;
}

std::int32_t time_zone::by_rule(std::int64_t at) const {
  if (!after_.starts)
    return after_.standard;
  const auto day = std::chrono::floor<std::chrono::days>(
    instant{seconds{at + after_.standard}});
  const auto year = static_cast<int>(std::chrono::year_month_day{day}.year());
  const auto starts = moment_in(year, *after_.starts, after_.standard);
  const auto ends = moment_in(year, after_.ends, after_.summer);
  const auto summer =
    starts < ends ? at >= starts && at < ends : at >= starts || at < ends;
  return summer ? after_.summer : after_.standard;
}

seconds time_zone::offset_at(instant x) const {
  const auto at = x.time_since_epoch().count();
  const auto next =
    std::upper_bound(changes_.begin(), changes_.end(), at,
                     [](std::int64_t t, const change& c) { return t < c.at; });
  if (next == changes_.end() && has_rule_)
    return seconds{by_rule(at)};
  return seconds{next == changes_.begin() ? first_ : std::prev(next)->offset};
}

std::vector<time_zone::instant> time_zone::moments_of(wall x) const {
  const instant as_utc{x.time_since_epoch()};
  const auto before = offset_at(as_utc - reach);
  const auto after = offset_at(as_utc + reach);
  std::vector<instant> all;
  for (const auto offset : {before, after})
    if (const auto at = as_utc - offset;
        offset_at(at) == offset && (all.empty() || all.front() != at))
      all.push_back(at);
  if (!all.empty()) {
    std::sort(all.begin(), all.end());
    return all;
  }
  // The clock jumps over it: find the moment at which it does.
  auto low = as_utc - reach;
  auto high = as_utc + reach;
  while (high - low > seconds{1}) {
    const auto middle = low + (high - low) / 2;
    (offset_at(middle) == before ? low : high) = middle;
  }
  return {high};
}

} // namespace switchboard
