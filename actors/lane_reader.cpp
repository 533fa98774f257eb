#include "actors/lane_reader.hpp"

#include "bus/subject.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

lane_reader::lane_reader(bus& wire, writer& log, statistics& counted,
                         admission& gate, deliver to, look_up look)
  : wire_(wire),
    log_(log),
    counted_(counted),
    gate_(gate),
    to_(std::move(to)),
    look_(std::move(look)) {
  // nop
}

lane_reader::~lane_reader() {
  stop();
}

void lane_reader::start(const bus::stream_state& stream) {
  const std::lock_guard lock{mutex_};
  state_ = stream;
}

void lane_reader::own(const claimed_slot& x) {
  if (x.slot >= slots)
    return;
  const std::lock_guard lock{mutex_};
  slots_[x.slot] = progress{};
  slots_[x.slot].epoch = x.epoch;
  came_.push_back(x);
}

/// Takes up the slots that have come. Another node may have read further than
/// the stream was when we last looked: then we look again.
void lane_reader::take_up() {
  std::unique_lock lock{mutex_};
  const auto beyond = [&] {
    return std::any_of(came_.begin(), came_.end(), [&](const auto& x) {
      return x.offset > std::max(state_.last, position_);
    });
  };
  if (beyond()) {
    lock.unlock();
    const auto fresh = look_();
    lock.lock();
    if (!fresh)
      return; // At the next tick.
    state_ = *fresh;
  }
  for (const auto& x : std::exchange(came_, {})) {
    auto& at = slots_[x.slot];
    if (at.epoch != x.epoch)
      continue; // Gone again.
    at.owned = true;
    at.seen = x.offset;
    const auto other = !x.stream.empty() && x.stream != state_.identity;
    if (other || x.offset > std::max(state_.last, position_)) {
      if (x.offset > 0)
        spdlog::error("slot {}: the stream SB_IN was set back or made anew; "
                      "reading it from its start",
                      x.slot);
      at.seen = 0;
    }
    at.written = at.seen;
    go_back(std::max(at.seen + 1, std::max<std::uint64_t>(state_.first, 1)));
  }
}

/// @pre the mutex is held
void lane_reader::go_back(std::uint64_t to) {
  if (!subscription_ || to <= position_)
    back_to_ = std::min(back_to_.value_or(to), to);
}

void lane_reader::undone(slot_number slot, std::uint64_t offset) {
  const std::lock_guard lock{mutex_};
  auto& at = slots_[slot];
  if (!at.owned || at.under_way.erase(offset) == 0)
    return;
  at.seen = std::min(at.seen, offset - 1);
  go_back(offset);
}

void lane_reader::disown(slot_number slot, std::int64_t epoch) {
  if (slot >= slots)
    return;
  const std::lock_guard lock{mutex_};
  if (slots_[slot].epoch == epoch)
    slots_[slot] = progress{};
}

result<void> lane_reader::consume_from(std::uint64_t offset) {
  auto made = wire_.consume("SB_IN", "", offset,
                            [this](const bus::packet& x) { on_packet(x); });
  if (!made)
    return made.error();
  std::unique_ptr<bus::subscription> late;
  const std::lock_guard lock{mutex_};
  (stopped_ ? late : subscription_) = std::move(*made);
  return {};
}

void lane_reader::on_packet(const bus::packet& x) {
  const auto where = subject::parse_ingress(x.subject);
  slot_number slot = 0;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || paused_)
      return;
    // A subject that no sender of ours can produce still has a place: slot 0
    // buries it with its reason.
    slot = where ? where->slot : slot_number{0};
    auto& at = slots_[slot];
    if (!at.owned || x.offset <= at.seen) {
      position_ = x.offset;
      return;
    }
    if (!gate_.enter(counted_)) {
      paused_ = true; // Not seen: `tick` reads on from here.
      return;
    }
    position_ = x.offset;
    at.seen = x.offset;
    at.under_way.insert(x.offset);
  }
  to_(slot, arrived{.subject = std::string(x.subject),
                    .bytes = std::string(x.bytes),
                    .id = x.header("Nats-Msg-Id"),
                    .reply = {},
                    .offset = x.offset,
                    .at = std::chrono::steady_clock::now()});
}

void lane_reader::finish(slot_number slot, std::uint64_t offset) {
  const std::lock_guard lock{mutex_};
  slots_[slot].under_way.erase(offset);
}

void lane_reader::tick() {
  take_up();
  std::uint64_t again = 0;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;
    // Not while something before our position is still to be read.
    for (std::size_t k = 0; k < slots_.size() && !back_to_; ++k) {
      auto& at = slots_[k];
      if (!at.owned)
        continue;
      const auto low = at.under_way.empty() ? std::max(position_, at.seen)
                                            : *at.under_way.begin() - 1;
      if (low <= at.written)
        continue;
      at.written = low;
      log_.submit(
        watermark{static_cast<slot_number>(k), at.epoch, low, state_.identity});
    }
    if (paused_ && gate_.relaxed(counted_))
      again = position_ + 1;
    if (back_to_ && (!paused_ || again > 0)) {
      again = again > 0 ? std::min(again, *back_to_) : *back_to_;
      back_to_.reset();
      paused_ = true; // What still comes from the old place is not taken.
    }
  }
  if (again == 0)
    return;
  std::unique_ptr<bus::subscription> old;
  {
    const std::lock_guard lock{mutex_};
    old = std::move(subscription_);
  }
  old.reset();
  {
    const std::lock_guard lock{mutex_};
    paused_ = false;
    position_ = again - 1;
  }
  if (const auto done = consume_from(again); !done) {
    spdlog::warn("buffered lane: cannot read on: {}", done.error().detail);
    const std::lock_guard lock{mutex_};
    back_to_ = std::min(back_to_.value_or(again), again);
  }
}

void lane_reader::stop() {
  std::unique_ptr<bus::subscription> old;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    old = std::move(subscription_);
  }
}

} // namespace switchboard
