#pragma once

#include "actors/intake.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace switchboard {

/// Reads the buffered lane (JetStream stream SB_IN) in order, without
/// acknowledgements: how far a slot has come stands in PostgreSQL and moves on
/// after the commit of what it covers. Overload pauses the reading, and it goes
/// on from the same place.
/// Thread safety: all members may be called from any thread.
class lane_reader {
public:
  using deliver = std::function<void(slot_number, arrived)>;

  lane_reader(bus& wire, writer& log, statistics& counted, admission& gate,
              deliver to);
  ~lane_reader();

  /// Begins at the lowest offset of the owned slots. A stream that is not the
  /// one the offsets speak of (restored, made anew) is read from its start; the
  /// message ids make that harmless.
  result<void> start(const std::vector<claimed_slot>& owned,
                     const bus::stream_state& stream);

  /// The message at this offset is committed, or a dead letter.
  void finish(slot_number slot, std::uint64_t offset);

  /// Called a few times a second: writes watermarks, resumes after a pause.
  void tick();

  void stop();

private:
  struct progress {
    bool owned = false;
    std::int64_t epoch = 0;
    std::uint64_t done_before = 0; ///< Committed when we began.
    std::uint64_t written = 0;     ///< The last watermark submitted.
    std::set<std::uint64_t> under_way{};
  };

  void on_packet(const bus::packet& x);
  result<void> consume_from(std::uint64_t offset);

  bus& wire_;
  writer& log_;
  statistics& counted_;
  admission& gate_;
  deliver to_;

  std::mutex mutex_;
  std::array<progress, slots> slots_{};
  std::string stream_;
  std::uint64_t position_ = 0; ///< Everything up to here was seen.
  bool paused_ = false;
  bool stopped_ = false;
  // Last: ends first, so that no handler runs while the rest is taken down.
  std::unique_ptr<bus::subscription> subscription_;
};

} // namespace switchboard
