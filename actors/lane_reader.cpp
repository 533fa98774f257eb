#include "actors/lane_reader.hpp"

#include "bus/subject.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

lane_reader::lane_reader(bus& wire, writer& log, statistics& counted,
                         admission& gate, deliver to)
  : wire_(wire), log_(log), counted_(counted), gate_(gate), to_(std::move(to)) {
  // nop
}

lane_reader::~lane_reader() {
  stop();
}

result<void> lane_reader::start(const std::vector<claimed_slot>& owned,
                                const bus::stream_state& stream) {
  std::uint64_t from = stream.last + 1;
  {
    const std::lock_guard lock{mutex_};
    stream_ = stream.identity;
    for (const auto& x : owned) {
      if (x.slot >= slots)
        continue;
      auto& at = slots_[x.slot];
      at.owned = true;
      at.epoch = x.epoch;
      at.done_before = x.offset;
      const auto other = !x.stream.empty() && x.stream != stream.identity;
      if (other || x.offset > stream.last) {
        if (x.offset > 0)
          spdlog::error("slot {}: the stream SB_IN was set back or made anew; "
                        "reading it from its start",
                        x.slot);
        at.done_before = 0;
      }
      at.written = at.done_before;
      from = std::min(from, at.done_before + 1);
    }
    from = std::max(from, stream.first);
    position_ = from > 0 ? from - 1 : 0;
  }
  return consume_from(std::max<std::uint64_t>(from, 1));
}

result<void> lane_reader::consume_from(std::uint64_t offset) {
  auto made = wire_.consume("SB_IN", "", offset,
                            [this](const bus::packet& x) { on_packet(x); });
  if (!made)
    return made.error();
  const std::lock_guard lock{mutex_};
  subscription_ = std::move(*made);
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
    if (!at.owned || x.offset <= at.done_before) {
      position_ = x.offset;
      return;
    }
    if (!gate_.enter(counted_)) {
      paused_ = true; // Not seen: `tick` reads on from here.
      return;
    }
    position_ = x.offset;
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
  std::uint64_t again = 0;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;
    for (std::size_t k = 0; k < slots_.size(); ++k) {
      auto& at = slots_[k];
      if (!at.owned)
        continue;
      const auto low =
        at.under_way.empty() ? position_ : *at.under_way.begin() - 1;
      if (low <= at.written)
        continue;
      at.written = low;
      log_.submit(
        watermark{static_cast<slot_number>(k), at.epoch, low, stream_});
    }
    if (paused_ && gate_.relaxed(counted_))
      again = position_ + 1;
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
  }
  if (const auto done = consume_from(again); !done) {
    spdlog::warn("buffered lane: cannot read on: {}", done.error().detail);
    const std::lock_guard lock{mutex_};
    paused_ = true;
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
