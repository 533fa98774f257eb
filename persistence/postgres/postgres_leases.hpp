#pragma once

#include "persistence/lease.hpp"

#include <memory>
#include <string>

namespace switchboard {

/// @param name as in pg_stat_activity: "switchboard/<node>/<incarnation>/…"
std::unique_ptr<lease_book> make_postgres_leases(std::string conninfo,
                                                 std::string name);

} // namespace switchboard
