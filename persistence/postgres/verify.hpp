#pragma once

#include "persistence/postgres/connection.hpp"
#include "persistence/store.hpp"

namespace switchboard::postgres {

/// Checks the invariants that the database alone can show.
result<std::vector<finding>> verify(connection& from);

} // namespace switchboard::postgres
