#pragma once

#include "actors/intake.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  using look_up = std::function<result<bus::stream_state>()>;

  /// @param look how the stream is at this moment; may block
  lane_reader(bus& wire, writer& log, statistics& counted, admission& gate,
              deliver to, look_up look);
  ~lane_reader();

  /// Names the stream. Nothing is read before a slot is owned.
  void start(const bus::stream_state& stream);

  /// A slot is ours: its messages are read from where its last owner had come.
  /// A stream that is not the one the offset speaks of (restored, made anew) is
  /// read from its start; the message ids make that harmless.
  void own(const claimed_slot& x);

  /// A slot is another node's.
  void disown(slot_number slot, std::int64_t epoch);

  /// The message at this offset is committed, or a dead letter.
  void finish(slot_number slot, std::uint64_t offset);

  /// The message was not taken, for a reason that passes: read it again.
  void undone(slot_number slot, std::uint64_t offset);

  /// Called a few times a second: writes watermarks, resumes after a pause,
  /// goes back for slots that came.
  void tick();

  void stop();

private:
  struct progress {
    bool owned = false;
    std::int64_t epoch = 0;
    std::uint64_t seen = 0;    ///< Delivered, or committed before us.
    std::uint64_t written = 0; ///< The last watermark submitted.
    std::set<std::uint64_t> under_way{};
  };

  void take_up();
  void go_back(std::uint64_t to);
  void on_packet(const bus::packet& x);
  result<void> consume_from(std::uint64_t offset);

  bus& wire_;
  writer& log_;
  statistics& counted_;
  admission& gate_;
  deliver to_;
  look_up look_;

  std::mutex mutex_;
  std::array<progress, slots> slots_{};
  bus::stream_state state_;        ///< Of the stream, when we last looked.
  std::vector<claimed_slot> came_; ///< Owned, and not taken up yet.
  std::uint64_t position_ = 0;     ///< Everything up to here was seen.
  /// Where to go back to, for slots that came behind our position.
  std::optional<std::uint64_t> back_to_{};
  bool paused_ = false;
  bool stopped_ = false;
  // Last: ends first, so that no handler runs while the rest is taken down.
  std::unique_ptr<bus::subscription> subscription_;
};

} // namespace switchboard
