#include "actors/domain/placement.hpp"

namespace switchboard {

namespace {

/// 2024-01-01 00:00:00 UTC in milliseconds since 1970.
constexpr std::int64_t first_ms = 1'704'067'200'000;

constexpr int slot_bits = 7;
constexpr int count_bits = 15;

} // namespace

std::uint32_t fnv1a(std::string_view bytes, std::uint32_t seed) noexcept {
  auto hash = seed;
  for (const auto c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 16777619u;
  }
  return hash;
}

slot_number slot_of(std::string_view channel, std::string_view token) noexcept {
  return static_cast<slot_number>(fnv1a(token, fnv1a(channel)) % slots);
}

slot_number slot_of(const agent_id& agent) noexcept {
  return slot_of("agent:", agent.text);
}

slot_number slot_of(session_id session) noexcept {
  constexpr auto mask = (std::int64_t{1} << slot_bits) - 1;
  return static_cast<slot_number>((session.value >> count_bits) & mask);
}

session_id make_session_id(time_point at, slot_number slot,
                           std::uint16_t count) noexcept {
  const auto ms = at.time_since_epoch().count() - first_ms;
  constexpr auto count_mask = (std::int64_t{1} << count_bits) - 1;
  return {(ms << (slot_bits + count_bits)) | (std::int64_t{slot} << count_bits)
          | (count & count_mask)};
}

} // namespace switchboard
