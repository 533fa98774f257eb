#include "actors/domain/ids.hpp"

#include <charconv>

namespace switchboard {

std::string to_string(session_id x) {
  return std::to_string(x.value);
}

std::optional<session_id> parse_session_id(std::string_view text) {
  session_id x;
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, x.value);
  if (ec != std::errc{} || stop != end || x.value <= 0)
    return std::nullopt;
  return x;
}

} // namespace switchboard
