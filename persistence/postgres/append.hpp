#pragma once

#include "persistence/postgres/connection.hpp"
#include "persistence/store.hpp"

namespace switchboard::postgres {

/// Calls append_v1 (persistence/migrations/0002_append.sql) with the batch laid
/// out as columns.
result<std::vector<outcome>> append(connection& to, const node_id& node,
                                    const batch& what);

} // namespace switchboard::postgres
