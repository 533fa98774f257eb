#pragma once

#include <cstdint>

namespace switchboard::bench {

class rig;

/// The bus alone: the same requests as `load` sends, answered at once by a bare
/// responder on a connection of its own.
/// @returns answers a second
double bus_floor(const rig& on, int users, int window, std::int64_t messages);

} // namespace switchboard::bench
