#include "bus/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

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

} // namespace

bool is_text(std::string_view bytes) noexcept {
  if (!bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()))
    return false;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto at = [&](std::size_t n) {
      return static_cast<unsigned char>(bytes[i + n]);
    };
    const auto lead = at(0);
    const auto length = length_of(lead);
    if (length == 0 || length > bytes.size() - i)
      return false;
    if (length > 1 && !is_second(lead, at(1)))
      return false;
    for (std::size_t n = 2; n < length; ++n)
      if ((at(n) & 0xC0) != 0x80)
        return false;
    i += length;
  }
  return true;
}

} // namespace switchboard
