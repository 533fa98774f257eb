#pragma once

#include "tests/cluster/fault.hpp"

#include <memory>
#include <string>
#include <vector>

namespace switchboard::faults {

/// A node, what it owned when its fault began, and what it may not do later.
class victim {
public:
  /// Takes one that owns slots and is in no other fault.
  victim(scene& in, taken& busy);

  [[nodiscard]] int node() const { return node_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Notes what it owns now.
  void remember();

  /// Waits until somebody else owns each of these slots, at a later epoch.
  void must_lose_all();

  /// Waits a little and sees that its lease does not move.
  void must_not_renew();

  /// From here on it must write nothing at the epochs that are over.
  void count_lines();
  /// @throws std::runtime_error when it did
  void must_not_have_written() const;

private:
  [[nodiscard]] std::int64_t lines() const;

  scene& in_;
  int node_;
  std::string name_;
  ownership_watch::view before_{};
  std::string over_{}; ///< "(slot,epoch),...": what it had and others have now.
  std::int64_t lines_ = 0;
};

std::unique_ptr<fault> make_node_killed(scene& in, taken& busy);
std::unique_ptr<fault> make_node_frozen(scene& in, taken& busy);
std::unique_ptr<fault> make_node_restarted(scene& in, taken& busy);
std::unique_ptr<fault> make_node_joins(scene& in, taken& busy);
std::unique_ptr<fault> make_taker_killed(scene& in, taken& busy);

/// The links of one node: cut, one direction lost, slow.
std::unique_ptr<fault> make_link_fault(fault_kind kind, scene& in, taken& busy);

} // namespace switchboard::faults
