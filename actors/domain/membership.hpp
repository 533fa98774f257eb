#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/placement.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// One node's part in the cluster: who lives, who owns which slot, what to
/// claim, what to give away, and when to keep still.
///
///     outside -- claimed --> owned -- quiet, handed_over --> outside
///                              |  ^                             ^
///                          settle  resume (target gone)         |
///                              |  |                             |
///                             moving ----- seen elsewhere ------+
///
/// The table of slots in the database decides; this machine only proposes
/// changes to it, each of which names the epoch that it was decided upon. So a
/// wrong guess (about who is dead, about who comes first) costs time and never
/// makes two owners.
namespace switchboard::membership {

/// Time since some moment in the past, by a clock that nobody sets and that
/// goes on while the machine sleeps (CLOCK_BOOTTIME). Never compared between
/// nodes.
using instant = std::chrono::milliseconds;

/// Slots with the router's.
inline constexpr std::size_t slots_all = slots + 1;

struct rules {
  /// A lease that has not moved for so long, while we looked all along, is
  /// dead.
  instant lease_time{1000};
  /// Without a renewal for so long a node stops serving by itself: sooner than
  /// anybody can take its lease for dead.
  instant restraint_time{800};
  /// Two looks further apart than this prove nothing about the time between.
  instant look_gap_max{450};
  /// The next in line claims what the first in line has left so long.
  instant patience{400};
  /// A node that came gets slots only after it has lived for so long.
  instant settle_time{1000};
  /// Without the bus for so long a node gives its slots to others that hear.
  instant deaf_time{1000};
  /// Slots that move at the same time: whoever takes one reads it, and the
  /// next in turn is served by its old owner until then.
  std::size_t moves_max = 1;
  /// The new owner's word that it serves may be lost: then it goes on.
  instant word_time{300};
};

/// What a node says of itself in its lease. Only serving nodes get slots.
enum class condition : std::uint8_t { serving, deaf, draining };

std::string_view to_string(condition c) noexcept;
std::optional<condition> parse_condition(std::string_view text) noexcept;

struct lease {
  node_id node;
  std::string incarnation; ///< Fresh for each start of the node.
  std::int64_t renewals = 0;
  condition says = condition::serving;

  friend bool operator==(const lease&, const lease&) = default;
};

struct place {
  slot_number slot = 0;
  node_id owner{}; ///< Empty: nobody.
  std::int64_t epoch = 0;

  friend bool operator==(const place&, const place&) = default;
};

/// Leases and places as one statement read them.
struct view {
  std::vector<lease> leases;
  std::vector<place> places;
};

// -- events -------------------------------------------------------------------

struct renewed {
  static constexpr std::string_view name = "renewed";
  instant sent_at{}; ///< Before the statement left.
};

/// Another process has announced itself under our name.
struct replaced {
  static constexpr std::string_view name = "replaced";
};

struct seen {
  static constexpr std::string_view name = "seen";
  instant asked_at{};
  view what;
};

struct look_failed {
  static constexpr std::string_view name = "look_failed";
};

/// What came of a `claim`: these are ours now, the others of it are not.
struct claimed {
  static constexpr std::string_view name = "claimed";
  std::vector<slot_number> asked;
  std::vector<place> got;
};

/// The actors of the slot have committed what they had, and take nothing new.
struct quiet {
  static constexpr std::string_view name = "quiet";
  slot_number slot = 0;
  std::int64_t epoch = 0;
};

struct handed_over {
  static constexpr std::string_view name = "handed_over";
  slot_number slot = 0;
  std::int64_t epoch = 0; ///< The new one.
  node_id to;
};

/// The new owner of a slot that we gave away serves it.
struct served {
  static constexpr std::string_view name = "served";
  slot_number slot = 0;
};

/// The database refused, or did not answer: who owns the slot now is unknown.
struct hand_over_failed {
  static constexpr std::string_view name = "hand_over_failed";
  slot_number slot = 0;
};

/// A write was refused: at this epoch the slot is not ours any more.
struct fenced {
  static constexpr std::string_view name = "fenced";
  slot_number slot = 0;
  std::int64_t epoch = 0;
};

struct bus_lost {
  static constexpr std::string_view name = "bus_lost";
};

struct bus_found {
  static constexpr std::string_view name = "bus_found";
};

/// Give everything away, for good: the node is about to end.
struct drain_asked {
  static constexpr std::string_view name = "drain_asked";
};

/// Time has passed.
struct ticked {
  static constexpr std::string_view name = "ticked";
};

using event = std::variant<renewed, replaced, seen, look_failed, claimed, quiet,
                           handed_over, hand_over_failed, fenced, bus_lost,
                           bus_found, drain_asked, ticked, served>;

// -- effects ------------------------------------------------------------------

/// Try to take these slots, if they still stand as given. `claimed` must
/// follow, empty if it failed.
struct claim {
  static constexpr std::string_view name = "claim";
  node_id from{}; ///< Whose they are; empty: nobody's; or our former life's.
  std::optional<lease> last{}; ///< The owner's lease as last seen, if any.
  std::vector<place> what;
};

/// The slot is ours at this epoch: read it and serve it.
struct serve {
  static constexpr std::string_view name = "serve";
  slot_number slot = 0;
  std::int64_t epoch = 0;
};

/// The slot is not ours any more: end its actors without writing.
struct stop {
  static constexpr std::string_view name = "stop";
  slot_number slot = 0;
  std::int64_t epoch = 0; ///< As it was when it was ours.
};

/// The slot will move: let its actors finish, hold back what is new. `quiet`
/// must follow.
struct settle {
  static constexpr std::string_view name = "settle";
  slot_number slot = 0;
  std::int64_t epoch = 0;
  node_id to;
};

/// The slot does not move after all.
struct resume {
  static constexpr std::string_view name = "resume";
  slot_number slot = 0;
  std::int64_t epoch = 0;
};

/// Give the slot to another node, if it is ours at this epoch. `handed_over` or
/// `hand_over_failed` must follow.
struct hand_over {
  static constexpr std::string_view name = "hand_over";
  slot_number slot = 0;
  std::int64_t epoch = 0;
  node_id to;
};

/// These slots have another owner (empty: nobody who lives) or epoch than
/// before.
struct reroute {
  static constexpr std::string_view name = "reroute";
  std::vector<place> what;
};

/// A node has died, or started anew: what it held is void.
struct bury {
  static constexpr std::string_view name = "bury";
  node_id node;
  std::string incarnation;
};

/// Say this in the lease from now on.
struct say {
  static constexpr std::string_view name = "say";
  condition what = condition::serving;
};

/// Take nothing new: our lease may be over soon.
struct suspend {
  static constexpr std::string_view name = "suspend";
};

/// Our lease is held again, and what we own has been looked at since.
struct go_on {
  static constexpr std::string_view name = "go_on";
};

/// Draining, and nothing is left to give away.
struct drained {
  static constexpr std::string_view name = "drained";
};

using effect = std::variant<claim, serve, stop, settle, resume, hand_over,
                            reroute, bury, say, suspend, go_on, drained>;
using effects = std::vector<effect>;

// -- the machine --------------------------------------------------------------

/// What is thought of another node.
struct sighting {
  lease last;
  instant moved_at{};  ///< When its lease was last seen to move.
  instant met_at{};    ///< When this life of it was seen first.
  bool alive = false;  ///< It was seen to move, and not too long ago.
  bool buried = false; ///< It was found dead, and `bury` was said.
};

struct move {
  node_id to;
  /// Since when the outcome of the hand-over is not known.
  std::optional<instant> doubtful_since{};
};

struct state {
  node_id me;
  std::string incarnation;
  condition says = condition::serving;
  std::map<node_id, sighting> others{};
  std::array<place, slots_all> places{};
  std::array<std::optional<instant>, slots_all> orphan_since{};
  std::map<slot_number, std::int64_t> owned{}; ///< Slot -> epoch.
  std::map<slot_number, move> moving{};
  std::map<slot_number, instant> given{}; ///< Since when; not served yet.
  std::set<slot_number> claiming{};
  std::optional<instant> looked_at{}; ///< The last look that worked.
  instant renewed_at{};
  std::optional<instant> deaf_since{};
  bool suspended = false;
  bool draining = false;
  bool drained_said = false;
  bool replaced = false;
};

/// @param now when the lease was announced
[[nodiscard]] state start(node_id me, std::string incarnation, instant now);

/// Lets `what` happen. Any event may come at any time.
[[nodiscard]] effects apply(state& s, const event& what, const rules& r,
                            instant now);

/// Rendezvous hashing: of all nodes the one with the largest weight should own
/// the slot. Removing a node moves only its slots.
[[nodiscard]] std::uint64_t weight(const node_id& node,
                                   slot_number slot) noexcept;

/// Who should own the slot, of those that live and serve (`me` included if it
/// serves). Nothing if nobody does.
[[nodiscard]] std::optional<node_id> chosen(const state& s, slot_number slot);

} // namespace switchboard::membership
