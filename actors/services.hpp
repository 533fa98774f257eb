#pragma once

#include "actors/domain/result.hpp"
#include "actors/query_pool.hpp"
#include "bus/bus.hpp"

#include <memory>
#include <string>

namespace switchboard {

/// What programs may ask over the bus, as services that any NATS client finds
/// (`nats micro ls`). All nodes serve in one queue group and answer from the
/// database, so it does not matter which of them is asked.
///
///     sb.v1.svc.router.explain  {"session":"7"}
///     sb.v1.svc.session.get     {"session":"7","after":0,"limit":100}
///     sb.v1.svc.session.list    {"limit":100,"closed":false}
///     sb.v1.svc.agent.list      {}
///
/// An empty payload means {}. An error is a problem document, with the headers
/// Nats-Service-Error and Nats-Service-Error-Code.
class services {
public:
  /// Ends the subscriptions; what is being read then is still answered.
  virtual ~services() = default;
};

/// @param id [A-Za-z0-9_-]+, unique among all nodes
/// @pre `on` and `reads` outlive the last answer: stop `reads` before they go
result<std::unique_ptr<services>> make_services(bus& on, query_pool& reads,
                                                const std::string& id);

} // namespace switchboard
