#pragma once

#include "actors/domain/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard {

/// The message bus as the rest of the program sees it: named subjects and
/// bytes. `nats_bus` speaks to a NATS cluster; `memory_bus` stays in this
/// process.
///
/// Thread safety: all members may be called from any thread. Handlers run on
/// threads of the bus, one at a time for each subscription, in order of
/// arrival; they copy, hand over and return.
class bus {
public:
  using header_list = std::vector<std::pair<std::string, std::string>>;

  /// What arrived. The views end when the handler returns.
  struct packet {
    std::string_view subject;
    std::string_view reply; ///< Where an answer goes; empty: none is expected.
    std::string_view bytes;
    std::uint64_t offset = 0; ///< In its stream; 0: not from a stream.

    /// @returns the header's value, its name in any case; empty: there is none.
    [[nodiscard]] std::string header(std::string_view name) const;

    void* raw = nullptr; ///< The library's own message, for `header`.
    std::string (*read_header)(void* raw, std::string_view name) = nullptr;
  };

  using handler = std::function<void(const packet&)>;

  /// Ends the subscription when destroyed: takes no new packets, waits until
  /// those under way are handled (a drain, not a cut). Not to be destroyed by
  /// its own handler.
  class subscription {
  public:
    virtual ~subscription() = default;
  };

  virtual ~bus() = default;

  /// Hands `bytes` to the bus. Success means that the library has taken them,
  /// not that anybody has read them. Never waits: what is published while a
  /// write to the socket is under way leaves together with the next one.
  /// @returns unavailable while the bus is away, overloaded when its buffer is
  ///          full, malformed for a bad subject.
  virtual result<void> publish(std::string_view subject, std::string_view bytes,
                               const header_list& with = {}) = 0;

  /// Publishes with a reply subject.
  virtual result<void> publish_request(std::string_view subject,
                                       std::string_view reply,
                                       std::string_view bytes,
                                       const header_list& with = {}) = 0;

  /// Asks and waits. For tools and tests, never on the path of a message.
  struct reply {
    std::string bytes;
    header_list with;
  };
  virtual result<reply> request(std::string_view subject,
                                std::string_view bytes,
                                std::chrono::milliseconds timeout,
                                const header_list& with = {}) = 0;

  /// Calls `on_packet` for each packet whose subject fits `pattern`. Members of
  /// the same non-empty `group` share the packets among them.
  virtual result<std::unique_ptr<subscription>>
  subscribe(std::string_view pattern, std::string_view group,
            handler on_packet) = 0;

  // -- streams (JetStream) ----------------------------------------------------

  /// What a stream should be. `ensure` makes it or widens it, never narrows it.
  struct stream_config {
    std::string name;
    std::vector<std::string> subjects;
    std::int64_t bytes_max = 0;
    std::chrono::seconds age_max{0};
    int replicas = 1;
  };

  struct stream_state {
    std::string identity; ///< Changes when the stream was made anew.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  virtual result<stream_state> ensure_stream(const stream_config& want) = 0;

  /// Reads a stream in order from `offset` on (1 = from the start), without
  /// acknowledgements and without state on the broker; resumes by itself after
  /// a reconnect, and never skips or repeats an offset.
  /// @param pattern a subject filter within the stream
  virtual result<std::unique_ptr<subscription>>
  consume(std::string_view stream, std::string_view pattern,
          std::uint64_t offset, handler on_packet) = 0;

  /// Publishes into a stream; `on_stored` is called once, on a thread of the
  /// bus, when the broker has stored the packet or refused it.
  using on_ack = std::function<void(result<void>)>;
  virtual void publish_stored(std::string_view subject, std::string_view bytes,
                              const header_list& with, on_ack on_stored) = 0;

  struct statistics {
    bool connected = false;
    std::uint64_t reconnects = 0;
    std::uint64_t dropped = 0; ///< By full subscriptions. Must stay 0.
  };
  [[nodiscard]] virtual statistics stats() const = 0;
};

} // namespace switchboard
