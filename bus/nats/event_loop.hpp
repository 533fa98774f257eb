#pragma once

#include <nats/nats.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace switchboard::nats {

/// One thread that reads and writes a connection's socket. A publish only
/// copies into the buffer and wakes this thread; what is published while it
/// writes leaves with its next write. So nothing waits for more, and nothing is
/// written alone that could go together.
class event_loop {
public:
  event_loop();
  ~event_loop();

  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// To be set before the connection is made; this object must outlive it.
  natsStatus serve(natsOptions* with);

  /// After this the connection is not touched any more. To be called between
  /// closing and destroying it.
  void stop();

private:
  void run();
  void change(bool attached, natsSock socket);
  void arm();

  int poll_ = -1;
  int wake_ = -1;
  std::mutex mutex_; ///< Guards what follows; calls come from any thread.
  natsConnection* connection_ = nullptr;
  natsSock socket_ = -1;
  bool reads_ = false;
  bool writes_ = false;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace switchboard::nats
