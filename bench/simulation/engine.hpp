#pragma once

#include "bench/simulation/dispatcher.hpp"
#include "bench/simulation/world.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchboard::simulation {

enum class ending : std::uint8_t {
  to_come,   ///< Has not arrived; only before the day is over.
  waiting,   ///< Still waiting when the service closed.
  abandoned, ///< Lost patience.
  served,
};

/// What became of one customer.
struct fate {
  ending how = ending::to_come;
  duration wait{};        ///< Until served, gone, or closing.
  duration care{};        ///< From the assignment to the end of the chat.
  std::size_t worker = 0; ///< Index; only of the served.
  bool acquainted = false;
  bool resolved = false;

  friend bool operator==(const fate&, const fate&) = default;
};

/// What a worker did, inside their shifts.
struct effort {
  double shift_s = 0; ///< Time on duty.
  double chats_s = 0; ///< Chats, summed over that time.
  int served = 0;

  friend bool operator==(const effort&, const effort&) = default;
};

struct day {
  std::vector<fate> fates{};     ///< One for each customer, in their order.
  std::vector<effort> efforts{}; ///< One for each worker, in their order.
  std::size_t lost_wakeups = 0;  ///< See `dispatcher::lost_wakeups`.

  /// Of all fates: two days with the same hash went the same way.
  [[nodiscard]] std::uint64_t hash() const;
};

/// Lets one day pass. The same world and rule give the same day.
/// @throws std::logic_error when `d` assigns what must not be: somebody who
/// does not wait, a worker off duty, without the abilities or without room
[[nodiscard]] day simulate(const world& w, dispatcher& d);

} // namespace switchboard::simulation
