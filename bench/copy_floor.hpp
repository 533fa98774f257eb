#pragma once

#include <cstdint>
#include <string>

namespace switchboard::bench {

/// Writes `rows` entries, and a `seen` row for each, into copies of the real
/// tables with the same keys by COPY, 1 000 entries a commit, fsync on.
/// @returns entries a second
double copy_floor(const std::string& conninfo, std::int64_t rows);

/// The same rows, each with a prepared INSERT for the entry and one for the id,
/// and a commit of its own.
/// @returns entries a second
double row_by_row_floor(const std::string& conninfo, std::int64_t rows);

} // namespace switchboard::bench
