#include "actors/domain/line_notice.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::router {

namespace {

/// The greatest whole number whose square is not more.
std::int64_t root(std::int64_t x) {
  std::int64_t low = 0;
  std::int64_t high = std::int64_t{1} << 31;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (middle * middle <= x ? low : high) = middle;
  }
  return low;
}

/// What a person would say: 5 s, 30 s, minutes.
duration grain(duration x) {
  using namespace std::chrono;
  if (x < minutes{1})
    return seconds{5};
  return x < minutes{10} ? duration{seconds{30}} : duration{minutes{1}};
}

} // namespace

wait_range expected_wait(std::int32_t position, std::int32_t length,
                         duration longest) {
  const std::int64_t p = position;
  const std::int64_t n = length;
  const auto mean = longest.count() * p / n;
  if (mean == 0)
    return {};
  // sd = (longest / n) * sqrt(p + p * p / n), in one root of whole numbers.
  const auto times_thousand = root((p * n + p * p) * 1'000'000 / n);
  const auto deviation = longest.count() * times_thousand / n / 1000;
  const duration low{std::max<std::int64_t>(mean - deviation, 0)};
  const duration high{mean + deviation};
  const auto up = grain(high);
  return {low / grain(low).count() * grain(low).count(),
          (high + up - duration{1}) / up.count() * up.count()};
}

std::vector<notice> line_notices::look(const std::vector<place>& all,
                                       time_point now) {
  std::vector<notice> out;
  std::map<session_id, told> next;
  for (const auto& x : all) {
    const notice what{x.session, x.position,
                      expected_wait(x.position, x.length, x.longest)};
    const auto before = told_.find(x.session);
    if (before != told_.end()) {
      const auto& was = before->second;
      const auto step = std::max(1, was.what.position / 10);
      const auto again =
        now - was.at >= repeat_time
        && (was.what.wait != what.wait || was.what.position > what.position);
      if (x.position > was.what.position - step && !again) {
        next.insert(*before);
        continue;
      }
    }
    next.insert({x.session, told{what, now}});
    out.push_back(what);
  }
  told_ = std::move(next);
  return out;
}

} // namespace switchboard::router
