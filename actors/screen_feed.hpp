#pragma once

#include "actors/domain/message.hpp"

#include <cstdint>
#include <vector>

namespace switchboard {

/// What one screen has of one session: makes the stream of entries that it is
/// shown gap-free and without repetition (INV-8), whatever order and doubles
/// come in. Live entries that do not fit are not kept: they are committed, so a
/// fill from the store brings them. Pure.
class screen_feed {
public:
  /// @param last the seq that the screen has already; 0: nothing
  explicit screen_feed(std::int32_t last) : next_(last + 1) {}

  /// What to do with an entry: show it, drop it (the screen has it, or a fill
  /// is on its way that will bring it), or fill from the store first.
  enum class verdict { show, drop, fill };

  [[nodiscard]] verdict live(std::int32_t seq) {
    if (seq < next_)
      return verdict::drop;
    if (filling_) {
      beyond_ = true;
      return verdict::drop;
    }
    if (seq == next_) {
      ++next_;
      return verdict::show;
    }
    filling_ = true;
    return verdict::fill;
  }

  /// A fill must be asked for from `after()`. Called when one is begun without
  /// a live entry: on sign-in.
  void begin_fill() { filling_ = true; }

  [[nodiscard]] std::int32_t after() const { return next_ - 1; }

  /// Takes one entry that the store has; they come ascending.
  /// @returns true if it is to be shown
  [[nodiscard]] bool fill(std::int32_t seq) {
    if (seq != next_)
      return false;
    ++next_;
    return true;
  }

  /// Takes what the store has; `lines` are ascending.
  /// @returns those to show, in order
  [[nodiscard]] std::vector<entry> fill(const std::vector<entry>& lines) {
    std::vector<entry> fit;
    for (const auto& x : lines)
      if (fill(x.seq))
        fit.push_back(x);
    return fit;
  }

  /// Ends a fill. @returns true if another must follow, because there was more
  /// than one read brings, or something came in meanwhile.
  [[nodiscard]] bool end_fill(bool more) {
    filling_ = more || beyond_;
    beyond_ = false;
    return filling_;
  }

private:
  std::int32_t next_;
  bool filling_ = false;
  bool beyond_ = false;
};

} // namespace switchboard
