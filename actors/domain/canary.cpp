#include "actors/domain/canary.hpp"

#include <algorithm>

namespace switchboard::router {

namespace {

/// "12.5 %"
std::string percent(std::int64_t thousandths) {
  return std::to_string(thousandths / 10) + '.'
         + std::to_string(thousandths % 10) + " %";
}

} // namespace

void canary_watch::decided(std::size_t arm, duration wait) {
  auto& x = arms_.at(arm);
  ++x.decided;
  x.waited_ms += std::max<std::int64_t>(wait.count(), 0);
}

std::string canary_watch::broken() const {
  const auto& acting = arms_[0];
  const auto& tried = arms_[1];
  if (std::min(acting.sessions(), tried.sessions()) < sessions_min)
    return {};
  const auto share = [](std::int64_t part, std::int64_t of) {
    return of == 0 ? 0 : part * 1000 / of;
  };
  const auto left = share(tried.given_up, tried.sessions());
  const auto left_before = share(acting.given_up, acting.sessions());
  if (left > left_before + given_up_margin)
    return percent(left) + " of its customers gave up waiting, "
           + percent(left_before) + " of the others";
  const auto again = share(tried.repeated, tried.decided);
  const auto again_before = share(acting.repeated, acting.decided);
  if (again > again_before + repeated_margin)
    return percent(again) + " of its offers came to nothing, "
           + percent(again_before) + " of the others";
  const auto wait = tried.waited_ms / std::max<std::int64_t>(tried.decided, 1);
  const auto wait_before =
    acting.waited_ms / std::max<std::int64_t>(acting.decided, 1);
  if (wait > wait_before * 3 / 2 + wait_margin.count())
    return "its customers waited " + std::to_string(wait) + " ms, the others "
           + std::to_string(wait_before) + " ms";
  return {};
}

} // namespace switchboard::router
