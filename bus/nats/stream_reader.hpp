#pragma once

#include "bus/nats/listener.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace switchboard::nats {

/// Reads a stream in order, whatever happens to connection and broker. It reads
/// through a consumer that the broker forgets when nobody listens; the place
/// reached is kept here. When a packet is missing or the consumer falls silent,
/// `tend` makes the next consumer at that place.
class stream_reader {
public:
  using time = std::chrono::steady_clock::time_point;

  /// The broker says that it lives this often.
  static constexpr std::chrono::milliseconds heartbeat{500};
  /// Silence after which the consumer is taken for dead.
  static constexpr std::chrono::milliseconds silence_max{1600};

  stream_reader(natsConnection* on, jsCtx* context, std::string stream,
                std::string pattern, std::uint64_t offset,
                bus::handler on_packet);

  /// Makes the consumer. @returns not_found when there is no such stream
  result<void> start();

  /// Makes it anew where it is needed; called by one thread every now and then.
  void tend(time now);

  /// Asks `tend` to make it anew: the connection was lost.
  void doubt() noexcept { broken_ = true; }

  /// After this the handler is not called any more.
  void stop();

private:
  result<void> open();
  void on_message(natsMsg* raw);
  void on_status(natsMsg* raw);

  natsConnection* on_;
  jsCtx* context_;
  std::string stream_;
  std::string pattern_;
  bus::handler on_packet_;

  std::mutex mutex_; ///< Guards `listener_` and `stopped_`, not the handler.
  bool stopped_ = false;
  std::unique_ptr<listener> listener_;

  // Written by the listener's thread; by others only while there is none.
  std::uint64_t next_offset_;
  std::uint64_t delivered_ = 0; ///< By the present consumer.

  std::atomic<bool> broken_{false};
  std::atomic<std::int64_t> heard_ms_{0};
};

} // namespace switchboard::nats
