#pragma once

#include "bus/bus.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace switchboard::faults {

/// What a channel's adapter sees: everything that left on sb.v1.out, read from
/// its stream in order. Thread safety: full.
class out_log {
public:
  struct line {
    std::string user;
    std::string id; ///< Of the message, for whoever drops repetitions.
    std::string body;
  };

  explicit out_log(bus& wire);

  /// Waits until this body has left. @returns false after `patience`
  bool wait(const std::string& body, std::chrono::milliseconds patience);

  /// The first appearance of each id, in order.
  [[nodiscard]] std::vector<line> lines() const;

  /// Appearances after the first.
  [[nodiscard]] int repeats() const;

  /// Ids that came with two contents.
  [[nodiscard]] int broken() const;

private:
  void take(const bus::packet& x);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<line> lines_;
  std::map<std::string, std::string> body_of_; ///< By id.
  std::set<std::string> bodies_;
  int repeats_ = 0;
  int broken_ = 0;
  std::unique_ptr<bus::subscription> reading_;
};

} // namespace switchboard::faults
