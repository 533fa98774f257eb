#include "actors/domain/message.hpp"

#include <algorithm>

namespace switchboard {

std::string_view to_string(urgency_class x) noexcept {
  switch (x) {
    case urgency_class::normal: return "normal";
    case urgency_class::vip: return "vip";
    case urgency_class::urgent: return "urgent";
    case urgency_class::relaxed: return "relaxed";
  }
  return "unknown";
}

std::string_view to_string(entry_kind x) noexcept {
  switch (x) {
    case entry_kind::customer: return "customer";
    case entry_kind::agent: return "agent";
    case entry_kind::bot: return "bot";
    case entry_kind::note: return "note";
    case entry_kind::event: return "event";
  }
  return "unknown";
}

std::int64_t digest(std::string_view content) noexcept {
  // FNV-1a, 64 bits: stored, so it must never change.
  std::uint64_t hash = 14695981039346656037u;
  for (const auto c : content) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211u;
  }
  return static_cast<std::int64_t>(hash);
}

std::string prefix(std::string_view text, std::size_t bytes_max) {
  auto end = std::min(text.size(), bytes_max);
  if (end < text.size())
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end; // A continuation byte cannot begin what is left out.
  return std::string{text.substr(0, end)};
}

} // namespace switchboard
