#pragma once

#include <string_view>

namespace switchboard {

/// The built-in page of `/`: an agent's desk in one HTML file. Every
/// `@NONCE@` in it is to be replaced by the nonce of the page's
/// Content-Security-Policy.
[[nodiscard]] std::string_view desk_page() noexcept;

} // namespace switchboard
