#pragma once

#include "bench/rig.hpp"
#include "persistence/lease.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::bench {

/// Several nodes, each a process of its own, on the servers of one rig.
/// Thread safety: none.
class crew {
public:
  /// Starts nodes n0, n1, ...
  crew(rig& on, int count);
  ~crew();
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  [[nodiscard]] int count() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] static std::string name(int which);
  [[nodiscard]] std::uint16_t port(int which) const;
  [[nodiscard]] bool alive(int which);
  [[nodiscard]] int pid(int which) const;

  void start(int which);
  void kill(int which);               ///< SIGKILL, and waits for its end.
  void signal(int which, int number); ///< SIGSTOP, SIGCONT, SIGTERM ...
  void stop(int which);               ///< As an operator would.

  /// Waits until each node that runs owns just what it should.
  bool wait_balanced(std::chrono::milliseconds patience);

  /// Slots of a node, as the database has it.
  [[nodiscard]] std::int64_t slots_of(int which);

private:
  struct member {
    std::optional<child_process> process;
    std::uint16_t port = 0;
  };

  rig& on_;
  std::unique_ptr<lease_book> book_;
  std::vector<member> nodes_;
};

} // namespace switchboard::bench
