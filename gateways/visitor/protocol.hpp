#pragma once

#include "actors/visit.hpp"
#include "gateways/agent/protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The customers' protocol `switchboard.customer.v1.json`, as text and as
/// values: the shapes of the agents' (see gateways/agent/protocol.hpp), and
/// fewer words. Pure: no socket, no clock, no thread.
///
/// It has a name of its own so that the server knows before the first frame
/// that the connection is one of very many, and must cost little.
namespace switchboard::visitor_protocol {

using agent_protocol::close_code;
using agent_protocol::refusal;

inline constexpr std::string_view subprotocol = "switchboard.customer.v1.json";
/// Customers who connect here are users of this channel.
inline constexpr std::string_view channel = "web";
inline constexpr std::size_t frame_bytes_max = 128 * 1024;
/// Nobody has signed in yet who could be trusted with more.
inline constexpr std::size_t first_frame_bytes_max = 8 * 1024;
inline constexpr std::int32_t history_limit_max = 200;

/// Must be the first command of a connection.
struct connect {
  std::string token;
  visit::position resume{};
};

struct send {
  message_id client_id;
  std::string body;
};

/// The last lines of a conversation before `before`.
struct history {
  session_id session;
  std::optional<std::int32_t> before{};
  std::int32_t limit = 50;
};

struct typing {};

struct read {
  std::int32_t seq = 0;
};

struct pong {};

using request = std::variant<connect, send, history, typing, read, pong>;

struct command {
  std::int64_t id = 0;
  request what;
};

using parsed = std::variant<command, refusal>;

/// Reads every object of a frame; at least one. Any bytes are fine.
[[nodiscard]] std::vector<parsed> parse_frame(std::string_view frame);

/// The command's name, for metrics.
[[nodiscard]] std::string_view name_of(const request& what) noexcept;

[[nodiscard]] std::string format(const visit_push& what);

/// @param now the conversation and its last line; session 0: there is none
[[nodiscard]] std::string format_welcome(std::int64_t id, const identity& who,
                                         const receipt& now, time_point at);
[[nodiscard]] std::string format_lines(std::int64_t id, session_id of,
                                       const std::vector<entry>& what);

/// May be lost under pressure: it is worth nothing a moment later.
[[nodiscard]] bool droppable(const visit_push& what) noexcept;

} // namespace switchboard::visitor_protocol
