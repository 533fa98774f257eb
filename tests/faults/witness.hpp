#pragma once

#include <cstdint>

namespace switchboard::faults {

/// A connection of our own to a server, which must break when it is killed.
class witness {
public:
  explicit witness(std::uint16_t port);
  ~witness();
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;

  [[nodiscard]] bool connected() const noexcept { return socket_ >= 0; }

  /// Waits for the other side to end the connection. @returns false if it still
  /// stands after 5 s
  [[nodiscard]] bool broken() const;

private:
  int socket_ = -1;
};

/// Waits until nobody listens there. @returns false after 5 s
[[nodiscard]] bool refuses(std::uint16_t port);

/// Whether there is such a process.
[[nodiscard]] bool exists(int pid);

} // namespace switchboard::faults
