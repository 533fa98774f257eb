#include "tests/cluster/fault.hpp"

#include "tests/cluster/node_faults.hpp"
#include "tests/cluster/server_faults.hpp"

#include <algorithm>
#include <stdexcept>

namespace switchboard::faults {

const fault_name& name_of(fault_kind x) {
  return *std::find_if(fault_names.begin(), fault_names.end(),
                       [&](const auto& n) { return n.kind == x; });
}

std::optional<fault_kind> parse_fault(std::string_view name) {
  for (const auto& x : fault_names)
    if (x.name == name)
      return x.kind;
  return std::nullopt;
}

void must(bool held, const std::string& what) {
  if (!held)
    throw std::runtime_error("no effect: " + what);
}

std::unique_ptr<fault> make_fault(fault_kind kind, scene& in, taken& busy) {
  switch (kind) {
    case fault_kind::node_killed: return make_node_killed(in, busy);
    case fault_kind::node_frozen: return make_node_frozen(in, busy);
    case fault_kind::node_restarted: return make_node_restarted(in, busy);
    case fault_kind::node_joins: return make_node_joins(in, busy);
    case fault_kind::taker_killed: return make_taker_killed(in, busy);
    case fault_kind::postgres_cut:
    case fault_kind::postgres_mute:
    case fault_kind::postgres_deaf:
    case fault_kind::postgres_slow:
    case fault_kind::nats_cut:
    case fault_kind::nats_mute:
    case fault_kind::nats_deaf: return make_link_fault(kind, in, busy);
    case fault_kind::nats_leader_killed:
    case fault_kind::nats_other_killed:
      return make_nats_killed(kind == fault_kind::nats_leader_killed, in, busy);
    case fault_kind::nats_all_killed:
    case fault_kind::postgres_killed:
    case fault_kind::servers_killed: return make_outage(kind, in, busy);
  }
  return nullptr;
}

} // namespace switchboard::faults
