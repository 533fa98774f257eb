#pragma once

#include "bus/nats/listener.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace switchboard::nats {

/// Publishes into streams and matches the broker's answers: a packet leaves
/// with the number of its callback in the reply subject. Thread safety: all
/// members may be called from any thread.
class stored_publisher {
public:
  using time = std::chrono::steady_clock::time_point;

  static constexpr std::size_t pending_max = 64 * 1024;
  static constexpr std::chrono::seconds answer_max{5};

  explicit stored_publisher(natsConnection* on);

  /// Calls back everybody who still waits.
  ~stored_publisher();

  /// Listens for answers. To be called once, before `publish`.
  result<void> start();

  void publish(std::string_view subject, std::string_view bytes,
               const bus::header_list& with, bus::on_ack on_stored);

  /// Gives up on packets that were published before now - `answer_max`.
  void expire(time now);

  /// Gives up on all: the connection is lost, and the answers with it.
  void fail_all(const error& why);

private:
  struct waiting {
    bus::on_ack on_stored;
    time until;
  };

  void on_answer(natsMsg* raw);
  bus::on_ack take(std::uint64_t number);

  natsConnection* on_;
  std::string inbox_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, waiting> waiting_; ///< In the order of `until`.
  std::unique_ptr<listener> answers_;
};

} // namespace switchboard::nats
