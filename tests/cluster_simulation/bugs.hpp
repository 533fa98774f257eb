#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// Bugs that can be planted in the simulated database, in the adapters around
/// the machines, or in the rules that the machines are given: one at a time, to
/// prove that the checks would find them.
namespace switchboard::cluster_simulation {

enum class bug : std::uint8_t {
  none,
  early_fence,          ///< Looks at the slot before the write, not within it.
  owner_only_fence,     ///< A former life of the owner may still write.
  early_receipt,        ///< Tells the sender before the commit.
  unknown_is_committed, ///< A lost reply is taken for a commit.
  fenced_is_committed,  ///< A refused write is taken for a commit.
  no_seen,              ///< Ids that were stored before are not looked up.
  no_base,              ///< Where the session stands is not compared.
  early_offset,         ///< The watermark counts what is only under way.
  early_capacity,       ///< Counts the load first and writes afterwards.
  no_lease_check,       ///< Claims although the lease has moved meanwhile.
  wall_clock,           ///< Leases are judged by a clock that is set.
  no_gap_rule,          ///< Takes its own blindness for the others' silence.
  hand_over_same_epoch, ///< A planned move does not change the epoch.
  reclaim_same_epoch,   ///< A restarted node goes on at its old epoch.
  blind_claim,          ///< Does not compare what it claims.
  early_silence,        ///< Who gives a slot away stops listening at once.
  early_outbox_done,    ///< Marks a reply as sent, and then sends it.
  forgotten_settle,     ///< A slot that still loads is not told to leave.
  passed_on_lane,       ///< What was read from the stream is sent to the owner.
  count_,
};

inline constexpr std::array<std::string_view,
                            static_cast<std::size_t>(bug::count_)>
  bug_names{"none",
            "early_fence",
            "owner_only_fence",
            "early_receipt",
            "unknown_is_committed",
            "fenced_is_committed",
            "no_seen",
            "no_base",
            "early_offset",
            "early_capacity",
            "no_lease_check",
            "wall_clock",
            "no_gap_rule",
            "hand_over_same_epoch",
            "reclaim_same_epoch",
            "blind_claim",
            "early_silence",
            "early_outbox_done",
            "forgotten_settle",
            "passed_on_lane"};

} // namespace switchboard::cluster_simulation
