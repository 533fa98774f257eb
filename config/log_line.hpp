#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace switchboard {

/// One event as one line of JSON, with a line feed at its end:
///
///     {"time":"2026-11-21T07:42:07.125Z","level":"warning","session":"7",
///      "message":"session 7: read back late"}
///
/// Whatever the message holds (quotes, line feeds, bytes that are no UTF-8),
/// the line stays one line and valid JSON. A message that begins with "session
/// <id>: ", "agent <id>: ", "slot <number>: " or "node <name>: " says whom it
/// is about in a field of that name too.
[[nodiscard]] std::string log_line(std::chrono::milliseconds since_1970,
                                   std::string_view level,
                                   std::string_view message);

} // namespace switchboard
