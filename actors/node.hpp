#pragma once

#include "actors/domain/membership.hpp"
#include "actors/domain/person.hpp"
#include "actors/domain/result.hpp"
#include "actors/front.hpp"
#include "bus/nats/nats_bus.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace switchboard {

/// A running node: bus, writer, slots, sessions, agents, router. Whoever makes
/// one owns it; there may be several in a process (tests).
class node {
public:
  struct options {
    node_id name;
    std::string postgres_url;
    nats_options nats;
    std::size_t batch_rows_max = 1024;
    int readers = 2;                   ///< Connections for reading back.
    int threads = 2;                   ///< Of the actor system.
    std::size_t in_flight_max = 65536; ///< Messages accepted, not answered yet.
    std::int64_t stream_bytes_max = 1 << 30;
    int stream_replicas = 1;
    std::chrono::seconds stream_age_max{7 * 86400};
    std::string address{};      ///< Of its HTTP, as operators are told.
    membership::rules leases{}; ///< The same on all nodes of a cluster.
    person::rules persons{};    ///< Which addresses join contacts.
    duration agent_grace = agent::grace_time; ///< After a lost connection.
    std::function<bool()> give_up{}; ///< Polled while waiting at start.
    std::string policy_file{};       ///< Empty: the default routing policy.
    std::string router_record{}; ///< Folder for records; empty: none are kept.
    std::function<bool()> reload_asked{}; ///< Polled; true: read files again.
  };

  /// Starts a node. Waits for its dependencies as long as they are away, and
  /// logs what it waits for.
  /// @returns unavailable when `give_up` said so, forbidden for a database that
  ///          is not durable or not migrated
  static result<std::unique_ptr<node>> start(options how);

  /// Stops: takes nothing new, commits what was taken, gives its slots up.
  virtual ~node() = default;

  virtual front& face() = 0;

  /// Gives the slots to other nodes while it goes on serving, one after the
  /// other, and returns when nothing is left or nobody takes more (bounded).
  virtual void drain() = 0;
};

} // namespace switchboard
