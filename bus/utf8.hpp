#pragma once

#include <string_view>

namespace switchboard {

/// @returns true for well-formed UTF-8 (RFC 3629: no overlong form, no
///          surrogate) without U+0000, which PostgreSQL cannot keep in a text.
bool is_text(std::string_view bytes) noexcept;

} // namespace switchboard
