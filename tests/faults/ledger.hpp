#pragma once

#include "actors/domain/message.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace switchboard::faults {

/// A message as its sender knows it: whose it is, and its number there.
struct numbered {
  std::string user;
  std::int64_t number = 0;

  /// "talk-3" and 17 give "talk-3-17".
  [[nodiscard]] std::string name() const {
    return user + '-' + std::to_string(number);
  }
};

/// What senders were promised: the receipts they hold. Thread safety: full.
class ledger {
public:
  /// Notes a receipt. A message that was given two places is noted as doubled.
  void keep(const std::string& message, const receipt& where) {
    const std::lock_guard lock{mutex_};
    const auto [at, fresh] = all_.emplace(message, where);
    if (!fresh
        && (at->second.session != where.session || at->second.seq != where.seq))
      ++doubled_;
  }

  [[nodiscard]] bool holds(const std::string& message) const {
    const std::lock_guard lock{mutex_};
    return all_.contains(message);
  }

  [[nodiscard]] std::map<std::string, receipt> all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }

  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock{mutex_};
    return all_.size();
  }

  [[nodiscard]] int doubled() const {
    const std::lock_guard lock{mutex_};
    return doubled_;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, receipt> all_;
  int doubled_ = 0;
};

} // namespace switchboard::faults
