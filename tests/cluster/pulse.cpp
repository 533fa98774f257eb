#include "tests/cluster/pulse.hpp"

#include <algorithm>

namespace switchboard::faults {

namespace {

template <std::size_t N>
std::string list_missing(const char* lane, const std::bitset<N>& done) {
  if (done.all())
    return {};
  std::string to = std::string(lane) + ": slots";
  for (std::size_t k = 0; k < N; ++k)
    if (!done[k])
      to += ' ' + std::to_string(k);
  return to + "; ";
}

} // namespace

pulse::pulse(traffic& of, const ownership_watch& owners,
             steady_clock::time_point since)
  : of_(of),
    owners_(owners),
    since_(since),
    // Those that came before cannot have been due after it.
    answers_seen_(static_cast<std::size_t>(of.direct().answered())) {
  // nop
}

void pulse::look_at_direct() {
  for (const auto& x : of_.direct().answers_after(answers_seen_)) {
    ++answers_seen_;
    if (x.due < since_)
      continue;
    direct_.set(of_.direct_slots()[static_cast<std::size_t>(x.user)]);
    direct_at_ =
      std::max(direct_at_, x.due + std::chrono::microseconds{x.latency_us});
    if (direct_.all()) {
      took_[0] = std::chrono::duration_cast<std::chrono::milliseconds>(
        direct_at_ - since_);
      return;
    }
  }
}

void pulse::look_at_buffered() {
  const auto now = owners_.last();
  if (now.asked_at < since_)
    return;
  if (!read_until_) {
    read_until_ = *std::max_element(now.offset.begin(), now.offset.end());
    return;
  }
  for (std::size_t k = 0; k < slots; ++k)
    if (now.offset.at(k) > *read_until_)
      buffered_.set(k);
}

bool pulse::look() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
    steady_clock::now() - since_);
  if (!took_[0])
    look_at_direct();
  if (!took_[1]) {
    look_at_buffered();
    if (buffered_.all())
      took_[1] = now;
  }
  if (!took_[2] && of_.talking().all_answered_since(since_))
    took_[2] = now;
  return std::all_of(took_.begin(), took_.end(),
                     [](const auto& x) { return x.has_value(); });
}

std::string pulse::missing() const {
  return list_missing("direct lane", direct_)
         + list_missing("buffered lane", buffered_)
         + (took_[2] ? "" : "some customers have no answer from an agent");
}

} // namespace switchboard::faults
