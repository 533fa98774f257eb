#pragma once

#include "actors/protocol.hpp"

#include <string_view>

namespace switchboard {

/// Reads what a channel says of its customer, and nobody keeps:
///
///     sb.v1.typing.<channel>.<user>   any payload
///     sb.v1.read.<channel>.<user>     {"seq":5}: has seen all up to line 5
///
/// @returns malformed, saying what is wrong
result<sign_from> read_sign(std::string_view subject, std::string_view bytes);

} // namespace switchboard
