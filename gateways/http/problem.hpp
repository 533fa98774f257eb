#pragma once

#include "actors/domain/result.hpp"

#include <string>
#include <string_view>

namespace switchboard {

/// An error as RFC 9457 `application/problem+json`, the same for HTTP and
/// WebSocket: type, title, status, detail, code, request_id, trace_id.
struct problem {
  error what;
  int status = 0;           ///< 0: the one that belongs to the code.
  std::string request_id{}; ///< Empty: left out.
  std::string trace_id{};   ///< Empty: left out.
};

[[nodiscard]] std::string to_json(const problem& p);

/// A short sentence for the code that never changes: "Session changed hands".
[[nodiscard]] std::string_view title_of(errc code) noexcept;

} // namespace switchboard
