#pragma once

#include "bus/bus.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/local_postgres.hpp"
#include "tests/cluster/database.hpp"
#include "tests/cluster/nats_cluster.hpp"
#include "tests/support/tcp_link.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::faults {

using test::tcp_link;

/// A whole installation on one machine: nodes as processes of their own, three
/// nats-servers, one PostgreSQL, and links between each node and each server.
/// What it started ends with it, and its folder goes.
/// Thread safety: none; made and used on the main thread, since children end
/// with the thread that started them.
class site {
public:
  static constexpr int nodes_at_rest = 3;
  static constexpr int nodes_max = 4; ///< The last one only comes and goes.
  static constexpr int nats_servers = 3;

  /// Starts the servers; the nodes are started one by one.
  /// @param program the switchboard binary
  explicit site(std::string program);
  ~site();
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  // -- nodes ------------------------------------------------------------------

  [[nodiscard]] static std::string name(int node);
  void start(int node);
  void kill(int node); ///< SIGKILL, and waits for its end.
  void signal(int node, int number);
  /// Waits for the end. @returns its exit code, nothing after `patience`
  std::optional<int> wait(int node, std::chrono::milliseconds patience);
  [[nodiscard]] bool runs(int node);
  [[nodiscard]] int pid(int node) const;
  [[nodiscard]] std::uint16_t http_port(int node) const;
  [[nodiscard]] std::vector<std::uint16_t> http_ports() const;

  /// @returns the first node that has ended without being told to, or -1
  [[nodiscard]] int ended_by_itself();

  /// Waits until each of the nodes that run owns just what it should.
  bool wait_balanced(std::chrono::milliseconds patience);

  // -- links ------------------------------------------------------------------

  [[nodiscard]] tcp_link& to_postgres(int node);
  [[nodiscard]] std::vector<tcp_link*> to_nats(int node);

  // -- servers ----------------------------------------------------------------

  nats_cluster& nats() { return nats_; }
  local_postgres& postgres() { return postgres_; }
  /// On the main thread only.
  database& ask() { return ask_; }

  [[nodiscard]] std::unique_ptr<bus> connect(const std::string& name) const;
  [[nodiscard]] const std::string& secret() const noexcept { return secret_; }
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] const std::string& program() const noexcept { return program_; }

  /// The ends of all nodes' logs, for whoever has to find out why.
  [[nodiscard]] std::string logs(int lines) const;

  /// Leaves the folder behind. @returns it
  std::string keep();

private:
  struct member {
    std::uint16_t port = 0;
    std::unique_ptr<tcp_link> postgres{};
    std::vector<std::unique_ptr<tcp_link>> nats{};
    std::optional<child_process> process{};
    bool told_to_end = false;
  };

  member& at(int node) { return nodes_.at(static_cast<std::size_t>(node)); }
  [[nodiscard]] const member& at(int node) const {
    return nodes_.at(static_cast<std::size_t>(node));
  }
  [[nodiscard]] std::string conninfo_through(const tcp_link& by) const;

  std::string program_;
  std::string folder_;
  std::string secret_;
  bool kept_ = false;
  nats_cluster nats_;
  local_postgres postgres_;
  database ask_;
  std::vector<member> nodes_;
};

} // namespace switchboard::faults
