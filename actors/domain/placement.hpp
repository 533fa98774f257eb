#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <string_view>

/// Where things live: which of the 64 slots owns a contact, an agent, a
/// session. Every node and the NATS server's subject mapping compute the same
/// answer.
namespace switchboard {

using slot_number = std::uint8_t;

/// Slots 0 to 63 own contacts and agents; slot 64 owns the router.
inline constexpr slot_number slots = 64;
inline constexpr slot_number router_slot = 64;

/// FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv), the hash behind the
/// NATS server's `partition()`.
[[nodiscard]] std::uint32_t fnv1a(std::string_view bytes,
                                  std::uint32_t seed = 2166136261u) noexcept;

/// As the server maps `sb.v1.post.<channel>.<token>`: the hash of both tokens,
/// written one after the other without the dot.
/// @param token the user's subject token (bus/subject.hpp), not the raw name
[[nodiscard]] slot_number slot_of(std::string_view channel,
                                  std::string_view token) noexcept;

[[nodiscard]] slot_number slot_of(const agent_id& agent) noexcept;

/// Reads the slot out of the session's number.
[[nodiscard]] slot_number slot_of(session_id session) noexcept;

/// A new session's number: 41 bits of milliseconds since 2024-01-01 UTC, 7 bits
/// of slot, 15 bits of count (after Twitter's Snowflake). The owner of a slot
/// is the only one who numbers its sessions; `count` tells those of one
/// millisecond apart.
[[nodiscard]] session_id make_session_id(time_point at, slot_number slot,
                                         std::uint16_t count) noexcept;

} // namespace switchboard
