#pragma once

#include "config/settings.hpp"

#include <functional>

namespace switchboard::cli {

/// Runs one node with its gateway until SIGINT or SIGTERM: the composition
/// root.
/// @param started is called with the gateway's port once it serves
/// @param turn    is called about every 100 ms; false ends the node
/// @returns the exit code
int run_node(const settings& s, const std::function<void(int port)>& started,
             const std::function<bool()>& turn = {});

/// From now on SIGINT and SIGTERM are asked for with `stop_asked`.
void catch_signals();
[[nodiscard]] bool stop_asked();

/// Sets level and format of the log.
void set_up_log(const settings& s);

} // namespace switchboard::cli
