#pragma once

#include "bench/audit.hpp"
#include "bench/report.hpp"
#include "bus/nats/local_nats.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/local_postgres.hpp"
#include "persistence/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::bench {

/// What benchmarks and fault tests run on: a private nats-server, a private
/// PostgreSQL with fsync on, and a node in a process of its own, so that each
/// one's CPU and memory can be told apart and each can be killed.
/// Thread safety: none; made and used on the main thread.
class rig {
public:
  /// @param program the switchboard binary; empty: this very program
  explicit rig(std::string program = "");

  /// What is started from now on is this program: an upgrade.
  void use(const std::string& program) {
    if (!program.empty())
      program_ = program;
  }
  ~rig();
  rig(const rig&) = delete;
  rig& operator=(const rig&) = delete;

  void start_node();
  /// A further node, named so, which its owner ends.
  [[nodiscard]] child_process make_node(const std::string& name,
                                        std::uint16_t port) const;
  void stop_node();
  void kill_node();
  [[nodiscard]] bool node_alive();
  /// Waits until the node is ready. @returns false after `patience`
  bool wait_ready(std::chrono::milliseconds patience);

  local_nats& nats() { return nats_; }
  local_postgres& postgres() { return postgres_; }
  [[nodiscard]] std::string folder() const { return folder_; }
  [[nodiscard]] std::uint16_t http_port() const noexcept { return http_port_; }
  [[nodiscard]] const std::string& secret() const noexcept { return secret_; }
  [[nodiscard]] std::unique_ptr<bus> connect(const std::string& name) const;
  [[nodiscard]] std::unique_ptr<store> open_store() const;
  [[nodiscard]] int node_pid() const;

  /// One SQL value or column, through psql. For checks.
  [[nodiscard]] std::string query(const std::string& sql) const;

  /// CPU time by process, in microseconds: "node", "postgres", "nats-server",
  /// "generator" (this process).
  [[nodiscard]] std::map<std::string, std::int64_t> cpu() const;

private:
  void run_in();

  std::string program_;
  std::string folder_;
  std::string secret_;
  local_nats nats_;
  local_postgres postgres_;
  std::uint16_t http_port_;
  std::optional<child_process> node_;
};

/// Adds "CPU per message" lines for the difference of two readings.
void add_cpu(report& to, const std::map<std::string, std::int64_t>& before,
             const std::map<std::string, std::int64_t>& after,
             std::int64_t messages);

/// What the database holds of a run: its messages' ids begin with its name.
[[nodiscard]] std::vector<stored_line> stored_lines(const rig& from,
                                                    const std::string& run);

/// What `switchboard verify` finds.
void check_invariants(report& to, const rig& from);

class load;

/// Compares every receipt with what the database holds, and both with what was
/// sent: fills lost, duplicated, reordered.
/// @param run the load's name; its users' names begin with it
void add_receipts(report& to, const rig& from, const load& what,
                  const std::string& run);

/// `add_receipts` and `check_invariants`.
void check(report& to, const rig& from, const load& what,
           const std::string& run);

} // namespace switchboard::bench
