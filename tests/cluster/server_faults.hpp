#pragma once

#include "tests/cluster/fault.hpp"

#include <memory>

namespace switchboard::faults {

/// One nats-server of the cluster.
/// @param leader the one that leads the buffered lane's stream; else another
std::unique_ptr<fault> make_nats_killed(bool leader, scene& in, taken& busy);

/// All nats-servers, PostgreSQL, or both.
std::unique_ptr<fault> make_outage(fault_kind kind, scene& in, taken& busy);

} // namespace switchboard::faults
