#pragma once

#include "actors/domain/time_zone.hpp"

#include <string>

namespace switchboard {

/// Reads a time zone of the machine's IANA database: from the folder in TZDIR,
/// else /usr/share/zoneinfo. "UTC" is always there.
/// @returns not_found or malformed, with a sentence that says what to do
/// Thread safety: full.
result<time_zone> load_zone(const std::string& name);

} // namespace switchboard
