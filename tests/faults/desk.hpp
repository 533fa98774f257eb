#pragma once

#include "bench/rig.hpp"
#include "gateways/http/ws_client.hpp"
#include "tests/faults/ledger.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <thread>

namespace switchboard::faults {

/// An agent over WebSocket who takes every offer, answers every line "x" with
/// "re-x", closes after some answers, and comes back after every fault,
/// resuming by seq. Answers of one session are sent one after the other and
/// repeated under the same id until their receipt is here, so their order is
/// certain.
class desk {
public:
  /// @param answers shared by all desks: the receipts of answers
  desk(const bench::rig& on, std::string agent, ledger& answers);
  ~desk() { stop(); }

  void stop();

  /// Entries that came out of order, twice, or after a gap.
  [[nodiscard]] int broken() const { return broken_; }
  [[nodiscard]] int connections() const { return connections_; }

  /// Commands that were refused, by code. After `stop`.
  [[nodiscard]] const std::map<std::string, int>& refusals() const {
    return refusals_;
  }

private:
  using steady_clock = std::chrono::steady_clock;

  struct conversation {
    std::int64_t ownership = 0;
    bool here = false;             ///< On our screen, on this connection.
    bool ended = false;            ///< It may still come back.
    std::int64_t last = 0;         ///< The last seq that we saw.
    std::deque<std::string> lines; ///< To be answered, in order.
    std::int64_t asked = 0;        ///< The command under way; 0: none.
    steady_clock::time_point asked_at{};
    int answers = 0;
  };

  void work();
  void serve(ws_client& to);
  void react(ws_client& to, const std::string& line);
  void shown(ws_client& to, const boost::json::object& push);
  void opened(const boost::json::object& session);
  void added(const boost::json::object& entry);
  void told(ws_client& to, std::int64_t id, const boost::json::object& reply);
  void answer(ws_client& to, const std::string& id, conversation& with);
  std::int64_t say(ws_client& to, std::string_view verb,
                   boost::json::object what);

  std::uint16_t port_;
  std::string secret_;
  std::string agent_;
  ledger& answers_;
  std::map<std::string, conversation> open_;  ///< By session.
  std::map<std::int64_t, std::string> asked_; ///< Command -> session.
  std::int64_t commands_ = 0;
  std::map<std::string, int> refusals_;
  std::atomic<int> broken_{0};
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace switchboard::faults
