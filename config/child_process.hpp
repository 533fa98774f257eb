#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchboard {

/// A program started and owned by this one: a private nats-server, PostgreSQL,
/// another node. It dies with its owner, whatever kills the owner.
/// Thread safety: none.
class child_process {
public:
  struct options {
    std::vector<std::string>
      command; ///< Program (searched in PATH) and arguments.
    std::vector<std::string> environment{}; ///< "NAME=value", added to ours.
    std::string directory{};                ///< Working directory; empty: ours.
    std::string log{};  ///< File that gets stdout and stderr; empty: /dev/null.
    std::string user{}; ///< Run as this user (only root can); empty: as we are.
  };

  /// Starts the program.
  /// @throws std::runtime_error, saying what to install, when it cannot start
  explicit child_process(const options& how);

  /// Stops it: SIGTERM (or the signal given to `stop`), after 5 s SIGKILL.
  ~child_process();

  child_process(child_process&&) noexcept;
  child_process& operator=(child_process&&) noexcept;

  [[nodiscard]] int pid() const noexcept { return pid_; }

  /// @returns true while it runs.
  [[nodiscard]] bool alive();

  void signal(int number);

  /// Sends the signal, waits for the end, and after `patience` kills.
  /// @returns the exit code, or 128 + the signal that ended it.
  int stop(int number, std::chrono::milliseconds patience);

  /// Waits for the end. @returns nothing if it still runs after `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience);

private:
  int pid_ = -1;
  std::optional<int> ended_;
};

/// Runs a program to its end and collects what it printed.
struct finished_process {
  int exit_code = 0;
  std::string output; ///< stdout and stderr
};
finished_process run_process(const child_process::options& how);

/// A TCP port on 127.0.0.1 that nobody listens on at this moment.
std::uint16_t free_port();

/// `bytes` random bytes as lower-case hexadecimal, from the kernel's generator.
std::string random_secret(std::size_t bytes);

} // namespace switchboard
