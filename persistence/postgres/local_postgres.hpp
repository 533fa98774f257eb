#pragma once

#include "config/child_process.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace switchboard {

/// A private PostgreSQL cluster on loopback, for `dev`, benchmarks and tests:
/// the real server with fsync on, started as a child and ended with us. Its
/// folder is kept, so a second start takes well under a second.
/// Thread safety: none.
class local_postgres {
public:
  struct options {
    std::string folder;     ///< Made when it is not there.
    std::uint16_t port = 0; ///< 0: the port of last time, or a free one.
    std::string database = "switchboard";
  };

  /// Makes the cluster if needed and starts it.
  /// @throws std::runtime_error with the server's own words when it does not
  ///         come up, or with what to install
  explicit local_postgres(options how);
  ~local_postgres();

  local_postgres(const local_postgres&) = delete;
  local_postgres& operator=(const local_postgres&) = delete;

  [[nodiscard]] std::string conninfo() const { return conninfo(how_.database); }
  [[nodiscard]] std::string conninfo(const std::string& database) const;
  [[nodiscard]] int pid() const;
  [[nodiscard]] std::uint16_t port() const noexcept { return how_.port; }

  [[nodiscard]] bool alive();

  /// SIGKILL of the server's first process; its children notice and end.
  void kill();

  /// Sends it to every process of the server: SIGSTOP freezes it, SIGCONT lets
  /// it go on.
  void signal(int number);

  /// Fast shutdown, as an operator does it.
  void stop();

  /// Starts again on the same port and data.
  void start();

private:
  void make_cluster();
  void wait_until_ready();

  options how_;
  std::string programs_; ///< Folder of initdb and postgres.
  std::string user_;     ///< Who runs it: not root.
  std::string password_;
  std::optional<child_process> server_;
};

} // namespace switchboard
