#pragma once

#include "bus/nats/local_nats.hpp"

#include <memory>
#include <string>
#include <vector>

namespace switchboard::faults {

/// Several nats-servers that work together and keep copies of each stream, on
/// free ports of 127.0.0.1, with config/nats.conf and generated secrets. They
/// do not tell clients of each other, so that nobody finds a way past a link.
/// Thread safety: none.
class nats_cluster {
public:
  nats_cluster(const std::string& folder, int count);

  [[nodiscard]] int count() const { return static_cast<int>(all_.size()); }
  [[nodiscard]] local_nats& at(int which) {
    return *all_.at(static_cast<std::size_t>(which));
  }

  /// What reaches all of them directly.
  [[nodiscard]] nats_options options(const std::string& name) const;
  [[nodiscard]] const std::string& user() const { return all_[0]->user(); }
  [[nodiscard]] const std::string& password() const { return password_; }

  /// Which server leads the stream, as whoever of them lives says.
  /// @returns -1 when none leads, or nobody answers
  [[nodiscard]] static int leader_of(bus& wire, const std::string& stream);

private:
  std::string password_;
  std::vector<std::unique_ptr<local_nats>> all_;
};

} // namespace switchboard::faults
