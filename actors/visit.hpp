#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/message.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// A customer who looks at their conversation, as gateways and actors see it.
namespace switchboard {

namespace visit {

/// Where a customer's screen stands: the last line that it has, and of which
/// conversation. Session 0: it has nothing.
struct position {
  session_id session{};
  std::int32_t seq = 0;

  friend bool operator==(const position&, const position&) = default;
};

/// A line of the conversation, as the customer may see it.
struct said {
  session_id session{};
  entry what{};
};

/// How the conversation stands, and who answers.
struct standing {
  session_id session{};
  std::int32_t last_seq = 0;
  std::string agent{}; ///< The name to show; empty: nobody at the moment.
};

/// The conversation is over; the next message begins another.
struct closed {
  session_id session{};
};

/// The agent types.
struct typing {
  session_id session{};
};

/// The agent has read everything up to `seq`.
struct read {
  session_id session{};
  std::int32_t seq = 0;
};

/// The customer's place in the line, which never gets worse. It is worth
/// nothing a moment later, and never kept.
struct place {
  session_id session{};
  std::int32_t position = 0; ///< 1: the next.
  duration wait_min{};       ///< What is expected from now on ...
  duration wait_max{};       ///< ... 0: nobody can tell yet.
};

} // namespace visit

/// On the wire an alternative is named by its place: add at the end only.
using visit_push = std::variant<visit::said, visit::standing, visit::closed,
                                visit::typing, visit::read, visit::place>;

/// What customers and those who answer them have said. Notes are for
/// colleagues, events for the service.
[[nodiscard]] inline bool visible(const entry& x) noexcept {
  return x.kind == entry_kind::customer || x.kind == entry_kind::agent
         || x.kind == entry_kind::bot;
}

/// A line as it may leave for a customer's screen: what is not visible keeps
/// its number and its event's name, who wrote it is nobody's business.
[[nodiscard]] inline entry for_customer(entry x) {
  x.author.clear();
  if (!visible(x)) {
    x.body.clear();
    x.id = {};
  }
  return x;
}

/// One connection of a customer. Lines of one conversation come in order,
/// without repetition, and from the position that it asked for without a gap
/// (but for numbers that are not visible to customers).
class visitor_screen {
public:
  virtual ~visitor_screen() = default;

  /// Hands over and returns; called from any thread.
  virtual void show(const visit_push& what) = 0;

  /// True while so much waits to be written that history is better held back.
  [[nodiscard]] virtual bool lags() { return false; }

  virtual void end(std::string_view reason) = 0;
};

} // namespace switchboard
