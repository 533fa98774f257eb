#pragma once

#include <string>
#include <string_view>

namespace switchboard {

/// @returns true for well-formed UTF-8 (RFC 3629: no overlong form, no
///          surrogate) without U+0000, which PostgreSQL cannot keep in a text.
bool is_text(std::string_view bytes) noexcept;

/// The text in these bytes: what `is_text` refuses in it becomes U+FFFD. For
/// what is shown or kept although its sender got it wrong.
std::string as_text(std::string_view bytes);

} // namespace switchboard
