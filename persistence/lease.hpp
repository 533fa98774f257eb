#pragma once

#include "actors/domain/membership.hpp"
#include "actors/domain/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// Who lives and who owns what, as the database has it: the one place where
/// ownership is decided. Each member is one statement that names what it was
/// decided upon, so a stale caller changes nothing.
/// Thread safety: none; each thread has its own.
class lease_book {
public:
  virtual ~lease_book() = default;

  /// Announces this node under a fresh incarnation; a former one is replaced.
  /// @param address where its HTTP can be reached, for operators
  virtual result<void> announce(const node_id& node,
                                std::string_view incarnation,
                                std::string_view address) = 0;

  /// Keeps the lease and says how the node is.
  /// @returns whether an operator asked the node to drain; moved when another
  ///          incarnation has replaced ours
  virtual result<bool> renew(const node_id& node, std::string_view incarnation,
                             membership::condition says) = 0;

  /// All leases and all slots, read by one statement.
  virtual result<membership::view> look() = 0;

  /// A slot that became ours, and how far its buffered lane was read.
  struct taken {
    membership::place what;
    std::uint64_t offset = 0;
    std::string stream{};
  };

  /// Takes those of `what.what` that still stand as given, if our lease is
  /// there and the owner's has not moved since; each gets the next epoch.
  virtual result<std::vector<taken>> claim(const node_id& node,
                                           std::string_view incarnation,
                                           const membership::claim& what) = 0;

  /// Gives a slot to a node that lives and serves. Waits for the statement
  /// that writes for the slot at this moment, if any.
  /// @returns the new epoch; moved when the slot is not ours at `epoch`, or
  ///          `to` takes nothing
  virtual result<std::int64_t> hand_over(const node_id& node, slot_number slot,
                                         std::int64_t epoch,
                                         const node_id& to) = 0;

  /// Takes the lease away and gives all slots up, so that nobody need wait.
  virtual result<void> release(const node_id& node,
                               std::string_view incarnation) = 0;

  /// Ends the database connections of a node's former life, which may be
  /// frozen inside a statement.
  virtual result<void> terminate(const node_id& node,
                                 std::string_view incarnation) = 0;

  /// Asks a node to drain, or no longer. @returns not_found if it has no lease
  virtual result<void> ask_to_drain(const node_id& node, bool wanted) = 0;

  /// For people.
  struct line {
    membership::lease what;
    std::string address;
    std::int64_t slots = 0;
    bool router = false;
    bool drain_asked = false;
  };
  virtual result<std::vector<line>> list() = 0;
};

} // namespace switchboard
