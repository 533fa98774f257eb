#pragma once

#include "bus/bus.hpp"
#include "tests/cluster/ownership_watch.hpp"
#include "tests/cluster/site.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace switchboard::faults {

/// What can happen to a cluster.
enum class fault_kind : std::uint8_t {
  node_killed,
  node_frozen,
  node_restarted,
  node_joins,
  taker_killed,
  postgres_cut,
  postgres_mute,
  postgres_deaf,
  postgres_slow,
  nats_cut,
  nats_mute,
  nats_deaf,
  nats_leader_killed,
  nats_other_killed,
  nats_all_killed,
  postgres_killed,
  servers_killed,
};

/// A kind's name on the command line and what it is, for people.
struct fault_name {
  fault_kind kind;
  std::string_view name;
  std::string_view what;
};

inline constexpr std::array<fault_name, 17> fault_names{{
  {fault_kind::node_killed, "node-killed", "a node, SIGKILL"},
  {fault_kind::node_frozen, "node-frozen", "a node, SIGSTOP beyond its lease"},
  {fault_kind::node_restarted, "node-restarted", "a node drains, ends, starts"},
  {fault_kind::node_joins, "node-joins", "a fourth node comes, and leaves"},
  {fault_kind::taker_killed, "taker-killed",
   "a node drains, its taker is killed"},
  {fault_kind::postgres_cut, "postgres-cut", "node | PostgreSQL, refused"},
  {fault_kind::postgres_mute, "postgres-mute", "node -> PostgreSQL lost"},
  {fault_kind::postgres_deaf, "postgres-deaf", "PostgreSQL -> node lost"},
  {fault_kind::postgres_slow, "postgres-slow", "node, PostgreSQL 20 ms away"},
  {fault_kind::nats_cut, "nats-cut", "node | NATS, refused"},
  {fault_kind::nats_mute, "nats-mute", "node -> NATS lost"},
  {fault_kind::nats_deaf, "nats-deaf", "NATS -> node lost"},
  {fault_kind::nats_leader_killed, "nats-leader-killed",
   "the stream's leading nats-server"},
  {fault_kind::nats_other_killed, "nats-other-killed", "another nats-server"},
  {fault_kind::nats_all_killed, "nats-all-killed", "all nats-servers"},
  {fault_kind::postgres_killed, "postgres-killed", "PostgreSQL, SIGKILL"},
  {fault_kind::servers_killed, "servers-killed",
   "all nats-servers and PostgreSQL"},
}};

[[nodiscard]] const fault_name& name_of(fault_kind x);
[[nodiscard]] std::optional<fault_kind> parse_fault(std::string_view name);

/// What faults are made with.
struct scene {
  site& on;
  const ownership_watch& owners;
  bus& wire; ///< Past all links.
  std::mt19937_64& random;

  int draw(int count) {
    return std::uniform_int_distribution<int>{0, count - 1}(random);
  }
};

/// One disturbance. Each function throws std::runtime_error when the fault did
/// not do what it should have done: then the run proves nothing.
class fault {
public:
  using steady_clock = std::chrono::steady_clock;

  virtual ~fault() = default;

  /// Makes it, and sees that it is there: the process gone, the connections
  /// ended, the bytes kept back.
  virtual void begin() = 0;

  /// Waits, while it lasts, for what it must do to the cluster: the lease
  /// stands still, others take over, another server leads.
  virtual void witness() {}

  /// Ends it.
  virtual void end() = 0;

  /// When everything is served again: what must not have happened meanwhile.
  virtual void look_back() {}

  /// While it lasts nobody can be served.
  [[nodiscard]] virtual bool outage() const { return false; }

  /// What was done to whom.
  [[nodiscard]] virtual std::string text() const = 0;

  /// When it struck. After `begin`.
  [[nodiscard]] steady_clock::time_point struck_at() const { return struck_; }

protected:
  void strike() { struck_ = steady_clock::now(); }

private:
  steady_clock::time_point struck_{};
};

/// What two faults at once must not have in common.
struct taken {
  std::set<int> nodes{};
  std::set<int> nats{};
  bool postgres = false;
};

/// @param busy what other faults of this moment use; added to
std::unique_ptr<fault> make_fault(fault_kind kind, scene& in, taken& busy);

/// @throws std::runtime_error, saying that there was no effect
void must(bool held, const std::string& what);

} // namespace switchboard::faults
