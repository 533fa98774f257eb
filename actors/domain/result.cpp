#include "actors/domain/result.hpp"

#include <stdexcept>

namespace switchboard {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::malformed: return "malformed";
    case errc::too_large: return "too_large";
    case errc::unauthorized: return "unauthorized";
    case errc::forbidden: return "forbidden";
    case errc::not_found: return "not_found";
    case errc::conflict: return "conflict";
    case errc::stale_owner: return "stale_owner";
    case errc::wrong_phase: return "wrong_phase";
    case errc::full: return "full";
    case errc::moved: return "moved";
    case errc::overloaded: return "overloaded";
    case errc::unavailable: return "unavailable";
  }
  return "unknown";
}

int http_status(errc code) noexcept {
  switch (code) {
    case errc::malformed: return 400;
    case errc::too_large: return 413;
    case errc::unauthorized: return 401;
    case errc::forbidden: return 403;
    case errc::not_found: return 404;
    case errc::conflict:
    case errc::stale_owner:
    case errc::wrong_phase:
    case errc::full: return 409;
    case errc::moved: return 421;
    case errc::overloaded: return 429;
    case errc::unavailable: return 503;
  }
  return 500;
}

void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::logic_error(std::string(to_string(e.code)) + ": " + e.detail);
}

} // namespace switchboard
