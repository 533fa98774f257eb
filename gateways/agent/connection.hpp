#pragma once

// Internal to the gateway, see shard.hpp.

#include "gateways/http/shard.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace switchboard {

using upgrade_request =
  boost::beast::http::request<boost::beast::http::string_body>;

/// Serves one agent on a socket whose upgrade request has been read and found
/// good. Returns when the connection is over.
awaitable<void> serve_agent(shard& home, tcp_socket socket,
                            upgrade_request request);

} // namespace switchboard
