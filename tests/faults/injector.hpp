#pragma once

#include "bench/rig.hpp"
#include "tests/faults/witness.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace switchboard::faults {

/// What can be killed.
enum class target : std::uint8_t { node, nats, postgres };

inline constexpr std::array targets{target::node, target::nats,
                                    target::postgres};

[[nodiscard]] std::string_view to_string(target x) noexcept;

/// Kills the node, the nats-server or PostgreSQL with SIGKILL and makes sure
/// that it had an effect: the process is gone, an open connection broke, a new
/// one is refused. Used on the main thread only: children end with the thread
/// that started them.
class injector {
public:
  explicit injector(bench::rig& on) : on_(on) {}

  /// @param whole of PostgreSQL: every process of it, not only the first one,
  ///        whose children would end by themselves
  /// @throws std::runtime_error when the kill had no effect
  void kill(target what, bool whole);

  void restart(target what);

  /// Kills that found a server which took connections (a node may be killed
  /// while it starts).
  [[nodiscard]] int witnessed() const noexcept { return witnessed_; }

private:
  [[nodiscard]] int pid_of(target what) const;
  [[nodiscard]] std::uint16_t port_of(target what) const;

  bench::rig& on_;
  int witnessed_ = 0;
};

} // namespace switchboard::faults
