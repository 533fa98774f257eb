#pragma once

// Internal to the gateway, see shard.hpp.

#include "gateways/agent/link.hpp"
#include "gateways/http/shard.hpp"

#include <chrono>
#include <memory>
#include <string_view>

namespace switchboard {

/// What to do with the answer to a command, on whatever thread it comes. It
/// holds nothing that belongs to the connection's thread.
/// @pre the command was counted with `socket_link::begin`
template <class T, class Format>
front::callback<T> reply_over(std::shared_ptr<socket_link> link,
                              std::shared_ptr<gateway_state> state,
                              std::int64_t id, std::string_view name,
                              Format format_it) {
  return [link = std::move(link), state = std::move(state), id, name, format_it,
          since = std::chrono::steady_clock::now()](result<T> got) {
    const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - since;
    state->metrics.asked(name, got ? "ok" : to_string(got.error().code),
                         took.count());
    link->put(got ? format_it(id, *got)
                  : agent_protocol::format_error(id, got.error()));
    link->finish();
  };
}

} // namespace switchboard
