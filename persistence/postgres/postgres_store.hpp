#pragma once

#include "persistence/store.hpp"

#include <memory>
#include <string>

namespace switchboard {

/// A store on PostgreSQL. Does not connect before its first use, so that a node
/// may start before its database.
/// @param conninfo a libpq connection string or URI; PG* variables are honoured
/// @param name     shown as application_name:
/// "switchboard/<node>/<incarnation>"
std::unique_ptr<store> make_postgres_store(std::string conninfo,
                                           std::string name);

/// Brings the schema to the version of this program: numbered files, forward
/// only, each in its own transaction, under a lock that lets one node do it.
struct migration_state {
  int current = 0;
  int newest = 0;
  std::vector<std::string> applied{}; ///< "0001_sessions"
  std::vector<std::string> pending{};
};
result<migration_state> migrate(const std::string& conninfo);
result<migration_state> migration_status(const std::string& conninfo);

/// Refuses a server that would forget: fsync and synchronous_commit must be on.
result<void> check_durability(const std::string& conninfo);

} // namespace switchboard
