#include "gateways/http/problem.hpp"

#include <boost/json.hpp>

namespace switchboard {

std::string_view title_of(errc code) noexcept {
  switch (code) {
    case errc::malformed: return "The request is malformed";
    case errc::too_large: return "The request is too large";
    case errc::unauthorized: return "A valid token is needed";
    case errc::forbidden: return "This is not allowed";
    case errc::not_found: return "There is no such thing";
    case errc::conflict: return "The id was used for something else";
    case errc::stale_owner: return "The session has changed hands";
    case errc::wrong_phase: return "Not possible in this state";
    case errc::full: return "The agent has no room left";
    case errc::moved: return "Another node is responsible";
    case errc::overloaded: return "Too much at once";
    case errc::unavailable: return "A part of the service is away";
  }
  return "Unknown";
}

std::string to_json(const problem& p) {
  const auto code = std::string(to_string(p.what.code));
  boost::json::object out;
  out["type"] = "urn:switchboard:problem:" + code;
  out["title"] = title_of(p.what.code);
  out["status"] = p.status != 0 ? p.status : http_status(p.what.code);
  out["code"] = code;
  out["detail"] = p.what.detail;
  if (!p.request_id.empty())
    out["request_id"] = p.request_id;
  if (!p.trace_id.empty())
    out["trace_id"] = p.trace_id;
  return boost::json::serialize(out);
}

} // namespace switchboard
