#pragma once

#include "actors/front.hpp"
#include "gateways/auth/token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The agent protocol `switchboard.v1.json`, as text and as values. Pure: no
/// socket, no clock, no thread. One JSON object is
///
///     {"id":7,"send":{...}}              a command, from the agent
///     {"id":7,"result":{...}}            its answer
///     {"id":7,"error":{problem}}         its answer
///     {"push":{"entry":{...}}}           something new on the screen
///
/// and a frame holds one or several of them, separated by newlines. Ids
/// (session, agent, message) are strings; seq, ownership and the number of an
/// offer are numbers; times are RFC 3339 in UTC.
namespace switchboard::agent_protocol {

inline constexpr std::string_view subprotocol = "switchboard.v1.json";
inline constexpr std::size_t frame_bytes_max = 256 * 1024;
inline constexpr std::size_t commands_per_frame_max = 256;
inline constexpr std::size_t reason_bytes_max = 1024;
inline constexpr std::size_t device_bytes_max = 128;
inline constexpr std::size_t resume_sessions_max = 1024;
inline constexpr std::int32_t history_limit_max = 500;

/// Close codes, in the range that WebSocket leaves to applications.
enum class close_code : std::uint16_t {
  normal = 1000,
  bad_frame = 4400,
  unauthorized = 4401,
  forbidden = 4403,
  timed_out = 4408,
  replaced = 4409,
  too_large = 4413,
  too_fast = 4429, ///< Or too slow a reader.
  draining = 4503,
};

/// Must be the first command of a connection.
struct connect {
  std::string token;
  screen_position resume{};
  std::string device{}; ///< Signing in again from it replaces the connection.
};

/// Entries after `after`, or the last ones before `before`.
struct history {
  session_id session;
  std::int32_t after = 0;
  std::optional<std::int32_t> before{};
  std::int32_t limit = 100;
};

struct person {
  session_id session;
  std::optional<time_point> before{}; ///< Nothing: before now.
  std::int32_t limit = 100;
};

struct pong {};

using request = std::variant<connect, agent_ask, history, person, pong>;

struct command {
  std::int64_t id = 0;
  request what;
};

/// Why an object was not understood. With an id the sender can be told which
/// one; without, the connection speaks something else and is closed.
struct refusal {
  std::optional<std::int64_t> id;
  error why;
};

using parsed = std::variant<command, refusal>;

/// Reads every object of a frame. Any bytes are fine, none crash it.
[[nodiscard]] std::vector<parsed> parse_frame(std::string_view frame);

/// The command's name, for metrics: "send", "offer.accept".
[[nodiscard]] std::string_view name_of(const request& what) noexcept;

/// The same command as text: what a client sends.
[[nodiscard]] std::string format(const command& what);

[[nodiscard]] std::string format(const agent_push& what);
[[nodiscard]] std::string format_ping();
[[nodiscard]] std::string format_welcome(std::int64_t id, const identity& who,
                                         time_point now);
[[nodiscard]] std::string format_result(std::int64_t id, const receipt& what);
[[nodiscard]] std::string format_result(std::int64_t id, session_id of,
                                        const std::vector<entry>& what);
[[nodiscard]] std::string
format_result(std::int64_t id, const std::vector<front::person_line>& what);
[[nodiscard]] std::string format_error(std::int64_t id, const error& what);

/// Entries as the REST interface shows them: {"session":"1","entries":[...]}.
[[nodiscard]] std::string format_entries(session_id of,
                                         const std::vector<entry>& what);

/// May be lost under pressure: the next one makes it whole again.
[[nodiscard]] bool droppable(const agent_push& what) noexcept;

/// "2026-11-21T08:00:00.123Z", and back (nothing for anything else).
[[nodiscard]] std::string format_time(time_point at);
[[nodiscard]] std::optional<time_point> parse_time(std::string_view text);

} // namespace switchboard::agent_protocol
