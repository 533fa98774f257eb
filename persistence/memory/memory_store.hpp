#pragma once

#include "persistence/store.hpp"

#include <memory>

namespace switchboard {

/// A store in this process: the same promises without the disk. All stores made
/// from one `memory_database` see the same data.
class memory_database {
public:
  memory_database();
  ~memory_database();
  memory_database(const memory_database&) = delete;
  memory_database& operator=(const memory_database&) = delete;

  /// @returns a store that must not outlive the database.
  std::unique_ptr<store> open();

  /// The next `append` calls do this: `lost_before` fails without writing,
  /// `lost_after` writes and then fails, as a connection does that breaks
  /// before or after the commit.
  enum class fault { none, lost_before, lost_after };
  void fail_next(fault what, int times = 1);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard
