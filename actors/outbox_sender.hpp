#pragma once

#include "actors/alarm.hpp"
#include "bus/bus.hpp"
#include "persistence/store.hpp"
#include "persistence/writer.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace switchboard {

/// Sends what was committed to the outbox: in order for each session, one under
/// way at a time, repeated until the broker has stored it, always with the same
/// id (header Nats-Msg-Id). Then the row is deleted.
/// Thread safety: all members may be called from any thread.
class outbox_sender {
public:
  /// So many rows are held in memory; the rest stays in the database and is
  /// read back (`wants_more`) when these are gone.
  static constexpr std::size_t held_max = 100'000;

  outbox_sender(bus& wire, writer& log, alarm& timers);
  ~outbox_sender();

  outbox_sender(const outbox_sender&) = delete;
  outbox_sender& operator=(const outbox_sender&) = delete;

  void send(outbox_row row);

  /// Takes nothing new; acknowledgements still to come are ignored.
  void stop();

  /// True once after rows were left in the database and the held ones are gone.
  bool wants_more();

  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] std::uint64_t sent() const;

private:
  // Callbacks of bus and alarm may come after our end; they find this empty.
  struct shared;
  std::shared_ptr<shared> self_;
};

} // namespace switchboard
