#pragma once

#include "bus/nats/nats_bus.hpp"
#include "config/child_process.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace switchboard {

/// A private nats-server on a free port of 127.0.0.1, with config/nats.conf and
/// generated secrets: for `switchboard dev`, benchmarks and tests. It ends with
/// its owner; its streams stay in `data`.
/// Thread safety: none.
class local_nats {
public:
  /// Starts the server and returns when it takes connections.
  /// @param data a folder for streams and the server's log; made if missing
  /// @throws std::runtime_error, saying what to do, when it does not come up
  explicit local_nats(std::string data);

  /// One of several that work together.
  struct member {
    std::string data;     ///< As above; each has its own.
    std::string more{};   ///< Further lines for its configuration.
    std::string password; ///< Of clients, the same for all.
  };
  /// Does not wait for the others. @throws as above
  explicit local_nats(member what);

  ~local_nats();

  [[nodiscard]] bool alive();

  /// Starts it again after `stop` or `kill`: same port, streams and secrets.
  void start();

  /// Ends it in order.
  void stop();

  /// Ends it as a power cut would (SIGKILL).
  void kill();

  /// @param number SIGSTOP freezes it, SIGCONT lets it go on.
  void signal(int number);

  /// "nats://127.0.0.1:<port>", without secrets.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const std::string& password() const noexcept {
    return password_;
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] int pid() const noexcept;

  /// What `connect_nats` needs to reach it.
  [[nodiscard]] nats_options options(std::string name = "switchboard") const;

private:
  std::string data_;
  std::string more_;
  std::uint16_t port_ = 0;
  std::string user_ = "switchboard";
  std::string password_;
  std::string system_password_;
  std::unique_ptr<child_process> server_;
};

} // namespace switchboard
