#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace switchboard {

/// Why an operation failed, one code for each thing a caller would do
/// differently. This is the one catalogue behind NATS, WebSocket and HTTP; a
/// broken promise of our own code is not listed: that is an assertion.
enum class errc : std::uint8_t {
  malformed,    ///< The bytes are not what they claim to be. Do not retry.
  too_large,    ///< Over a limit that the detail names. Do not retry.
  unauthorized, ///< Nobody knows who is asking. Sign in.
  forbidden,    ///< We know who is asking, and the answer is no.
  not_found,    ///< There is no such session, agent, queue ...
  conflict,     ///< The same id was used before for something else.
  stale_owner,  ///< The session has changed hands since. Refresh the screen.
  wrong_phase,  ///< Not possible in the state the session or agent is in.
  full,         ///< The agent has no room left.
  moved,        ///< Another node owns the slot. Ask that node.
  overloaded,   ///< A queue reached its limit. Retry later, more slowly.
  unavailable,  ///< A neighbour (bus, database) is away. Retry, same id.
};

/// The code as written on the wire, in logs and metrics: "stale_owner".
std::string_view to_string(errc code) noexcept;

/// The HTTP status that says the same: 409 for stale_owner.
int http_status(errc code) noexcept;

struct error {
  errc code;
  std::string detail; ///< What was wrong and what to do. For eyes, not code.

  friend bool operator==(const error&, const error&) = default;
};

/// A value or the reason there is none. Becomes std::expected with C++23.
template <class T>
using result = boost::system::result<T, error>;

/// Spells the failure side of a result: `return fail(errc::moved, "...")`.
inline error fail(errc code, std::string detail = {}) {
  return {code, std::move(detail)};
}

/// Tells boost::system::result what `.value()` throws; house code checks first
/// and therefore never gets here.
[[noreturn]] void throw_exception_from_error(const error& e,
                                             const boost::source_location&);

} // namespace switchboard
