#pragma once

#include "gateways/http/ws_client.hpp"
#include "tests/faults/ledger.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard::faults {

/// An agent over WebSocket who takes every offer, answers every line "x" with
/// "re-x", closes after some answers, and comes back after every fault,
/// resuming by seq. With several nodes it goes from one to the next whenever
/// its connection ends or nothing is heard on it any more. Answers of one
/// session are sent one after the other and repeated under the same id until
/// their receipt is here, so their order is certain.
class desk {
public:
  struct options {
    std::vector<std::uint16_t> ports; ///< Of the nodes, the first to try first.
    std::string secret{};             ///< That tokens are signed with.
    std::string agent{};
  };

  /// @param answers shared by all desks: the receipts of answers
  desk(options how, ledger& answers);
  ~desk() { stop(); }

  void stop();

  /// Entries that came out of order, twice, or after a gap.
  [[nodiscard]] int broken() const { return broken_; }
  [[nodiscard]] int connections() const { return connections_; }

  /// What the first of them was; empty if there was none.
  [[nodiscard]] std::string first_broken() const;

  /// Bodies that were shown, by session and seq. After `stop`.
  using shown_lines =
    std::map<std::pair<std::string, std::int64_t>, std::string>;
  [[nodiscard]] const shown_lines& seen() const { return seen_; }

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

  void wrong(const std::string& what);

  options how_;
  std::size_t node_ = 0; ///< Which of the ports is next.
  ledger& answers_;
  std::map<std::string, conversation> open_;  ///< By session.
  std::map<std::int64_t, std::string> asked_; ///< Command -> session.
  std::int64_t commands_ = 0;
  std::map<std::string, int> refusals_;
  shown_lines seen_;
  steady_clock::time_point heard_at_{};
  steady_clock::time_point probed_at_{};
  mutable std::mutex mutex_;
  std::string first_broken_;
  std::atomic<int> broken_{0};
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace switchboard::faults
