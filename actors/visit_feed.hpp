#pragma once

#include "actors/screen_feed.hpp"
#include "actors/visit.hpp"

#include <algorithm>
#include <cstdint>

namespace switchboard {

/// What one customer's screen has of their conversations, which follow each
/// other: makes the stream of lines that it is shown gap-free and without
/// repetition, whatever order and doubles come in. A later conversation begins
/// only when the rest of the former one has been read back. Pure.
class visit_feed {
public:
  explicit visit_feed(visit::position from)
    : at_(from.session), lines_(from.seq) {}

  /// What to do: show the line, drop it (the screen has it, or what is being
  /// read back will bring it), or read back from `where()`.
  enum class verdict { show, drop, fill };

  [[nodiscard]] verdict live(session_id of, std::int32_t seq) {
    if (of < at_)
      return verdict::drop;
    if (of > at_ && !begin(of))
      return turn_to(of);
    switch (lines_.live(seq)) {
      case screen_feed::verdict::show: return verdict::show;
      case screen_feed::verdict::drop: return verdict::drop;
      case screen_feed::verdict::fill: break;
    }
    filling_ = true;
    return verdict::fill;
  }

  /// The owner says which conversation there is (0: none) and its last line.
  /// @returns fill or drop
  [[nodiscard]] verdict stands(session_id now, std::int32_t last) {
    if (now.value == 0)
      return at_.value == 0 || filling_ ? verdict::drop : fill();
    if (now < at_)
      return verdict::drop;
    if (now > at_ && !begin(now))
      return turn_to(now);
    if (last <= lines_.after())
      return verdict::drop;
    if (!filling_)
      return fill();
    // What is being read back may have been read before that line was written.
    static_cast<void>(lines_.live(last));
    return verdict::drop;
  }

  /// Reads back even what seems to be complete.
  [[nodiscard]] verdict doubt() { return filling_ ? verdict::drop : fill(); }

  /// Takes one line that the store has; they come ascending.
  /// @returns true if it is to be shown
  [[nodiscard]] bool take(std::int32_t seq) { return lines_.fill(seq); }

  /// Ends what was read back. @returns true if more must be read, from
  /// `where()` on: there is more, something came in meanwhile, or the next
  /// conversation has begun.
  [[nodiscard]] bool end_fill(bool more) {
    if (lines_.end_fill(more))
      return true;
    if (next_ > at_) {
      at_ = next_;
      lines_ = screen_feed{0};
      lines_.begin_fill();
      return true;
    }
    filling_ = false;
    return false;
  }

  [[nodiscard]] visit::position where() const { return {at_, lines_.after()}; }
  [[nodiscard]] bool filling() const { return filling_; }

private:
  /// The first conversation that this screen hears of.
  bool begin(session_id of) {
    if (at_.value != 0)
      return false;
    at_ = of;
    lines_ = screen_feed{0};
    return true;
  }

  verdict turn_to(session_id next) {
    next_ = std::max(next_, next);
    return filling_ ? verdict::drop : fill();
  }

  verdict fill() {
    filling_ = true;
    lines_.begin_fill();
    return verdict::fill;
  }

  session_id at_;
  session_id next_{};
  screen_feed lines_;
  bool filling_ = false;
};

} // namespace switchboard
