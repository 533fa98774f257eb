#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace switchboard {

/// What waits to be written to one agent: bounded, oldest first. Under pressure
/// it first gives up what may be lost (typing, presence, queue lengths); when
/// that does not help it overflows for good, and the connection is closed, for
/// an agent that misses nothing after a resume is better off than one that is
/// an hour behind. Pure. Thread safety: none.
class send_queue {
public:
  struct limits {
    std::size_t objects_max;
    std::size_t bytes_max;
    std::size_t catch_up_bytes_max; ///< Until it ran empty for the first time.
  };

  explicit send_queue(limits at_most) : at_most_(at_most) {}

  /// @returns false when the queue has overflowed, now or before
  bool push(std::string text, bool may_drop);

  /// The answer to a sign-in goes before everything that it has caused.
  void push_front(std::string text);

  /// Takes the next frame: at least one object, and more of them, separated by
  /// newlines, while the frame stays under `bytes_max`.
  /// @returns an empty text when nothing waits
  [[nodiscard]] std::string take(std::size_t bytes_max);

  /// True when it is half full: what can wait should.
  [[nodiscard]] bool lags() const noexcept;

  [[nodiscard]] bool empty() const noexcept { return objects() == 0; }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t objects() const noexcept {
    return waiting_.size() - taken_;
  }
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_; }

private:
  struct item {
    std::string text;
    bool may_drop = false;
  };

  [[nodiscard]] bool fits(std::size_t more) const noexcept;
  void drop_what_may_be();
  void forget_taken();

  limits at_most_;
  // Not a deque, which holds half a KiB even while nothing waits.
  std::vector<item> waiting_;
  std::size_t taken_ = 0; ///< So many of them, from the front, are gone.
  std::size_t bytes_ = 0;
  std::size_t droppable_ = 0;
  std::size_t dropped_ = 0;
  bool caught_up_ = false;
  bool overflowed_ = false;
};

} // namespace switchboard
