#pragma once

// Internal to the gateway, see shard.hpp.

#include "gateways/agent/connection.hpp"
#include "gateways/http/shard.hpp"

namespace switchboard {

/// Answers the upgrade, and leaves the connection to itself: from then on it
/// costs one object, and no coroutine, stream or timer.
awaitable<void> serve_visitor(shard& home, tcp_socket socket,
                              upgrade_request request, socket_count counted);

} // namespace switchboard
