#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard {

/// Limits of one message, wherever it comes from. Counted in bytes.
inline constexpr std::size_t content_bytes_max = 64 * 1024;
inline constexpr std::size_t payload_bytes_max = 256 * 1024;
inline constexpr std::size_t message_id_bytes_max = 128;
inline constexpr std::size_t metadata_fields_max = 64;

/// How soon somebody should answer. The class sets the target that the waiting
/// time is compared with.
enum class urgency_class : std::uint8_t { normal, vip, urgent, relaxed };

std::string_view to_string(urgency_class x) noexcept;

/// What a session asks of an agent.
struct needs {
  queue_id queue{"default"};
  std::string language{}; ///< BCP 47 primary tag, "zh"; empty: any.
  std::vector<std::string> skills{};
  urgency_class urgency = urgency_class::normal;

  friend bool operator==(const needs&, const needs&) = default;
};

/// One customer message, decoded and checked: the unified message of all
/// channels. A plain value; it knows neither bus nor store.
struct inbound {
  message_id id; ///< The sender's; a repeat is recognised by it.
  contact from;
  std::string content; ///< UTF-8
  time_point sent_at{};
  std::vector<std::pair<std::string, std::string>> metadata{};
  needs want{};
  std::string phone{}; ///< Verified by the sender, E.164; joins contacts.
  std::string email{}; ///< Verified by the sender; joins contacts.

  friend bool operator==(const inbound&, const inbound&) = default;
};

/// Tells a repeat of a message from another message under the same id.
[[nodiscard]] std::int64_t digest(std::string_view content) noexcept;

/// The beginning of a UTF-8 text, at most `bytes_max` long, never cut inside a
/// character: a client must close a WebSocket that carries half of one.
[[nodiscard]] std::string prefix(std::string_view text, std::size_t bytes_max);

/// What a line of a session is. The numbers are stored; never reuse one.
enum class entry_kind : std::uint8_t {
  customer = 1, ///< Said by the customer.
  agent = 2,    ///< Said by an agent, goes out to the customer.
  bot = 3,      ///< Said by the bot, goes out to the customer.
  note = 4,     ///< Written by an agent for colleagues; never leaves.
  event = 5,    ///< Something happened: `event` names it.
};

std::string_view to_string(entry_kind x) noexcept;

/// One line of a session. Lines are numbered 1, 2, 3 ... without a gap.
struct entry {
  std::int32_t seq = 0;
  entry_kind kind = entry_kind::customer;
  std::string
    event{}; ///< "queued", "assigned" ...; empty unless kind is event.
  std::string author{}; ///< The agent's id; empty for customer and system.
  std::string body{};   ///< UTF-8; for an event its detail.
  message_id id{};      ///< The sender's id of a message; empty for events.
  time_point at{};

  friend bool operator==(const entry&, const entry&) = default;
};

/// What the sender of anything is told after the commit.
struct receipt {
  session_id session;
  std::int32_t seq = 0;
  bool duplicate = false; ///< It was there already, under this seq.

  friend bool operator==(const receipt&, const receipt&) = default;
};

} // namespace switchboard
