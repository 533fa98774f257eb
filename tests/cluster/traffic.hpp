#pragma once

#include "actors/domain/placement.hpp"
#include "bench/load.hpp"
#include "tests/cluster/site.hpp"
#include "tests/faults/checks.hpp"
#include "tests/faults/desk.hpp"
#include "tests/faults/ledger.hpp"
#include "tests/faults/out_log.hpp"
#include "tests/faults/senders.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace switchboard::faults {

/// Everybody who works with the cluster while it is disturbed: integrators of
/// both lanes with users in every slot, customers who talk with agents, and
/// agents at sockets of all nodes. They reach the servers past all links.
class traffic {
public:
  static constexpr const char* direct_run = "direct";
  static constexpr const char* buffered_run = "buffered";
  static constexpr const char* talk_run = "talk";

  /// Queue and agents, before anybody writes.
  static void prepare(site& on);

  explicit traffic(site& on);

  /// Nobody says anything new; waits for all receipts.
  /// @returns whether all came
  [[nodiscard]] bool stop(std::chrono::milliseconds patience);

  [[nodiscard]] bench::load& direct() { return *direct_; }
  [[nodiscard]] const bench::load& direct() const { return *direct_; }
  [[nodiscard]] buffered_senders& buffered() { return *buffered_; }
  [[nodiscard]] talkers& talking() { return *talking_; }
  [[nodiscard]] std::deque<desk>& desks() { return desks_; }
  [[nodiscard]] bus& wire() { return *wire_; }
  [[nodiscard]] const ledger& said() const { return said_; }
  [[nodiscard]] const ledger& answers() const { return answers_; }
  [[nodiscard]] const out_log& left() const { return *left_; }

  [[nodiscard]] const std::vector<std::string>& direct_users() const {
    return direct_users_;
  }

  /// Slots of the users of the direct lane, by number; every slot is there.
  [[nodiscard]] const std::vector<slot_number>& direct_slots() const {
    return direct_slots_;
  }

private:
  std::unique_ptr<bus> wire_;
  ledger said_;    ///< By customers, to agents.
  ledger answers_; ///< By agents.
  std::vector<std::string> direct_users_;
  std::vector<slot_number> direct_slots_;
  std::unique_ptr<bench::load> direct_;
  std::unique_ptr<out_log> left_;
  std::unique_ptr<buffered_senders> buffered_;
  std::unique_ptr<talkers> talking_;
  std::deque<desk> desks_;
};

/// What was lost, doubled, reordered, or shown wrongly.
struct verdict {
  damage all{};
  int broken_screens = 0;
  std::int64_t shown = 0; ///< Entries that screens showed.
  std::string findings{}; ///< Of `switchboard verify`.
  rest left{};
  bool quiet = false;

  [[nodiscard]] bool clean() const {
    return all.clean() && broken_screens == 0 && findings.empty() && quiet;
  }
};

/// Waits until all is at rest, and compares what everybody was promised and
/// shown with what the database holds. @pre `x.stop`
verdict judge(site& on, traffic& x);

} // namespace switchboard::faults
