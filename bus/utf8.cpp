#include "bus/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace switchboard {

namespace {

/// How many bytes the character that starts with `lead` has; 0: none does.
std::size_t length_of(unsigned char lead) noexcept {
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return 2;
  if (lead >= 0xE0 && lead <= 0xEF)
    return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// The second byte carries the rules against overlong forms, surrogates and
/// what lies beyond U+10FFFF (RFC 3629, section 4).
bool is_second(unsigned char lead, unsigned char x) noexcept {
  switch (lead) {
    case 0xE0: return x >= 0xA0 && x <= 0xBF;
    case 0xED: return x >= 0x80 && x <= 0x9F;
    case 0xF0: return x >= 0x90 && x <= 0xBF;
    case 0xF4: return x >= 0x80 && x <= 0x8F;
    default: return (x & 0xC0) == 0x80;
  }
}

/// How many bytes the character at the front has; 0: it is none, or U+0000.
std::size_t character(std::string_view bytes) noexcept {
  const auto at = [&](std::size_t n) {
    return static_cast<unsigned char>(bytes[n]);
  };
  const auto length = length_of(at(0));
  if (at(0) == 0 || length > bytes.size())
    return 0;
  if (length > 1 && !is_second(at(0), at(1)))
    return 0;
  for (std::size_t n = 2; n < length; ++n)
    if ((at(n) & 0xC0) != 0x80)
      return 0;
  return length;
}

} // namespace

bool is_text(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto length = character(bytes);
    if (length == 0)
      return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string as_text(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto length = character(bytes);
    text += length == 0 ? "\xEF\xBF\xBD" : bytes.substr(0, length);
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

} // namespace switchboard
