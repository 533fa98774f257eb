#pragma once

#include "actors/domain/session.hpp"
#include "persistence/store.hpp"

#include <span>
#include <string>

namespace switchboard {

/// CloudEvents 1.0, binary mode, NATS protocol binding: attributes are headers.
headers cloud_event(std::string_view type, const std::string& id,
                    const std::string& subject, time_point at);

/// Where the session stands in its line, as the event session.place says it.
std::string place_body(const session::state& s, const session::placed& where);

/// What the durable effects of one or several events add up to: the entries,
/// what goes to the outbox (replies, domain events, decisions), and whether the
/// state itself must be written. Pure.
/// @pre `slot` and `epoch` are filled in by the caller
session_write rows_of(const session::state& before, const session::state& after,
                      std::span<const session::effects> todo);

} // namespace switchboard
