#pragma once

#include "tests/cluster_simulation/node.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace switchboard::cluster_simulation {

/// A message of the buffered lane, as the broker keeps it.
struct stored_message {
  slot_number slot = 0;
  inbound what;
};

struct figures {
  std::uint64_t hash = 0;
  std::int64_t lines = 0;
  std::int64_t receipts = 0;
  std::int64_t repeated = 0; ///< Requests that were sent again.
  std::int64_t entries = 0;
  std::int64_t takeovers = 0;
  std::int64_t moves = 0;
  std::int64_t fenced = 0;
  std::int64_t faults = 0;
};

/// Several nodes, a database, a bus, customers and agents, from one seed.
class cluster {
public:
  cluster(std::uint64_t seed, bug planted, bool print);

  /// Lives to the end. @throws violation
  figures run();

  // -- for nodes --------------------------------------------------------------

  world& around() { return world_; }
  database& store() { return store_; }
  node& at(const node_id& name);
  /// From node to node.
  void send(const node_id& to, letter what);
  void tell_target(const node_id& to);
  void tell_served(const node_id& by, slot_number slot);
  [[nodiscard]] const std::vector<stored_message>& stream() const {
    return stream_;
  }

  /// When the connections of a life were ended: what it had sent before is not
  /// carried out any more.
  std::map<std::string, instant> ended;

private:
  struct customer {
    std::string user;
    std::int64_t number = 0;
    std::int64_t attempts = 0;
    bool waits = false;
  };

  // -- the bus (cluster.cpp) --------------------------------------------------

  void post(const letter& what);
  void command(letter what);
  void deliver(node& to, const letter& what);

  // -- who uses it (users.cpp) ------------------------------------------------

  void say(customer& who);
  void try_again(customer& who);
  void answered(customer& who, std::int64_t number, const result<receipt>& x);
  void put(int who, int number);
  void sweep();
  void look_after(const database::row& x);
  void speak(const database::row& x, const agent_id& who);

  // -- what goes wrong (faults.cpp) -------------------------------------------

  void something_happens();
  void crash(node& x);
  void pause(node& x);
  void cut(node& x, bool database);
  void outage();
  void drain(node& x);
  void finish_drain(node& x, std::int64_t life);
  [[nodiscard]] bool is_served(const membership::place& x) const;
  [[nodiscard]] bool all_served() const;
  [[nodiscard]] bool is_draining() const;
  void must_be_well() const;

  world world_;
  database store_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<stored_message> stream_;
  std::vector<customer> customers_;
  std::map<session_id, std::int64_t> spoken_; ///< By agents, with a receipt.
  figures sum_;
  bool draining_ = false;
  bool closing_ = false; ///< Nothing new is said.
};

} // namespace switchboard::cluster_simulation
