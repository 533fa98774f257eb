#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/bus.hpp"

namespace switchboard::bench {

class rig;

/// Agents at their desks, each on a WebSocket, all on one thread (a thread each
/// would cost the machine more than what is measured): they take every offer
/// and answer each customer's line number n with "re n" at once. After a lost
/// connection they come back, and what they answered twice has the same id.
/// What arrives for the customers on sb.v1.out.web.* is kept.
/// Thread safety: full, but for constructor and destructor.
class desks {
public:
  using time = std::chrono::steady_clock::time_point;

  struct options {
    std::string run; ///< Only replies to users whose names begin so are kept.
    int agents = 100;
    int sessions = 20; ///< Of each agent at a time.
  };

  /// Makes the agents known and lets them sign in.
  /// @throws std::runtime_error if not all are signed in after 30 s
  desks(const rig& at, options how);
  ~desks();
  desks(const desks&) = delete;
  desks& operator=(const desks&) = delete;

  /// When the reply to line `seq` of a user's session first arrived.
  struct reply {
    std::int64_t session = 0;
    std::int32_t to_seq = 0; ///< Which of the customer's lines it answers.
    std::int32_t seq = 0;    ///< Its own number.
    time at{};
  };

  /// Replies by user, each once, in the order of their first arrival.
  [[nodiscard]] std::map<std::string, std::vector<reply>> replies() const;

  [[nodiscard]] std::int64_t replied() const { return replied_; }
  [[nodiscard]] std::int64_t repeated() const { return repeated_; }

  /// Cuts this agent's connection, as a lost network would; they come back.
  void cut(int agent);

  /// Refusals of the agents' commands, by code.
  [[nodiscard]] std::map<std::string, std::int64_t> errors() const;

private:
  class room; ///< The agents and their thread.

  void on_reply(const bus::packet& x);
  void refused(const std::string& code);

  options how_;
  std::unique_ptr<bus> wire_;
  std::unique_ptr<bus::subscription> arriving_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<reply>> replies_;
  std::map<std::string, std::map<std::int64_t, std::int32_t>> last_;
  std::map<std::string, std::int64_t> errors_;
  std::atomic<std::int64_t> replied_{0};
  std::atomic<std::int64_t> repeated_{0};
  std::atomic<int> signed_in_{0};
  std::unique_ptr<room> room_;
};

} // namespace switchboard::bench
