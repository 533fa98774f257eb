#include "bus/nats/listener.hpp"

#include <utility>

namespace switchboard::nats {

namespace {

/// The library's own limit, 65 536, drops in silence after a short pause of the
/// reader. These are reached only when something is broken; `dropped` tells.
constexpr int pending_messages_max = 4 * 1024 * 1024;
constexpr int pending_bytes_max = 1024 * 1024 * 1024;

constexpr std::int64_t drain_ms_max = 5000;

} // namespace

listener::listener(ending how, receiver on_message)
  : on_message_(std::move(on_message)), how_(how) {
  // nop
}

result<std::unique_ptr<listener>>
listener::start(natsConnection* on, const std::string& pattern,
                const std::string& group, ending how, receiver on_message) {
  std::unique_ptr<listener> made{new listener(how, std::move(on_message))};
  const auto receive = [](natsConnection*, natsSubscription*, natsMsg* raw,
                          void* self) {
    const message owned{raw};
    static_cast<listener*>(self)->on_message_(raw);
  };
  natsSubscription* raw = nullptr;
  auto status =
    group.empty()
      ? natsConnection_Subscribe(&raw, on, pattern.c_str(), receive, made.get())
      : natsConnection_QueueSubscribe(&raw, on, pattern.c_str(), group.c_str(),
                                      receive, made.get());
  if (status != NATS_OK)
    return translate(status, "subscribing to " + pattern);
  made->raw_.reset(raw);
  natsSubscription_SetPendingLimits(raw, pending_messages_max,
                                    pending_bytes_max);
  status = natsSubscription_SetOnCompleteCB(
    raw, [](void* self) { static_cast<listener*>(self)->ended_.release(); },
    made.get());
  if (status != NATS_OK) {
    made->raw_.reset(); // Closed already: nobody will release `ended_`.
    return translate(status, "subscribing to " + pattern);
  }
  return made;
}

listener::~listener() {
  if (!raw_)
    return;
  // Ending does not wait for a receiver under way, and that uses `this`.
  if (how_ == ending::cut
      || natsSubscription_DrainTimeout(raw_.get(), drain_ms_max) != NATS_OK)
    natsSubscription_Unsubscribe(raw_.get());
  ended_.acquire();
}

std::uint64_t listener::dropped() const {
  std::int64_t count = 0;
  natsSubscription_GetDropped(raw_.get(), &count);
  return static_cast<std::uint64_t>(count);
}

} // namespace switchboard::nats
