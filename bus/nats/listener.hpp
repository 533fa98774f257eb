#pragma once

#include "bus/nats/handle.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>

namespace switchboard::nats {

/// One subscription of the C library whose end can be waited for.
class listener final : public bus::subscription {
public:
  /// Gets every message; does not own it.
  using receiver = std::function<void(natsMsg*)>;

  /// What is left to be handled when it ends.
  enum class ending { drain, cut };

  static result<std::unique_ptr<listener>>
  start(natsConnection* on, const std::string& pattern,
        const std::string& group, ending how, receiver on_message);

  /// Returns after the last call of the receiver.
  ~listener() override;

  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// Messages that were thrown away because the receiver was too slow.
  [[nodiscard]] std::uint64_t dropped() const;

private:
  listener(ending how, receiver on_message);

  receiver on_message_;
  ending how_;
  std::binary_semaphore ended_{0};
  nats::subscription raw_;
};

} // namespace switchboard::nats
