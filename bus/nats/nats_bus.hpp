#pragma once

#include "bus/bus.hpp"

#include <functional>
#include <memory>
#include <string>

namespace switchboard {

struct nats_options {
  std::string urls = "nats://127.0.0.1:4222"; ///< Several: with commas.
  std::string name = "switchboard";           ///< Shown by the server.
  std::string user{};
  std::string password{};
  std::string token{};
  std::function<void(bool connected)> on_state{}; ///< On a thread of the bus.
};

/// Connects to a NATS cluster; reconnects by itself, for ever.
/// @returns unavailable when no server answers now, unauthorized when it
/// refuses
result<std::unique_ptr<bus>> connect_nats(nats_options with);

} // namespace switchboard
