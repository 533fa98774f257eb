#pragma once

#include "bus/bus.hpp"

#include <memory>

namespace switchboard {

/// A bus inside one process, for tests: same promises, no socket. Packets are
/// delivered by one thread of its own. Maps `sb.v1.{in,post}.<channel>.<user>`
/// to slots as the server's configuration does.
std::unique_ptr<bus> make_memory_bus();

} // namespace switchboard
