#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace switchboard {

/// A timing wheel (after Varghese and Lauck, 1987): many things that each want
/// to be looked at at a time of their own, at the cost of two pointers and no
/// timer each. Times are kept to one step. Pure; the clock is the caller's.
/// Thread safety: none.
class wheel {
  struct node {
    node* before_ = this;
    node* after_ = this;
  };

public:
  using time = std::chrono::steady_clock::time_point;
  using step = std::chrono::steady_clock::duration;

  /// Belongs to one wheel at a time, and leaves it when it ends.
  class guest : private node {
  public:
    guest() = default;
    guest(const guest&) = delete;
    guest& operator=(const guest&) = delete;
    virtual ~guest() { leave(); }

    /// The time has come; it is not on the wheel any more unless it is set
    /// again. Must not end another guest.
    virtual void due(time now) = 0;

    /// The node wants to go: say good-bye.
    virtual void drain() {}

  protected:
    void leave() {
      before_->after_ = after_;
      after_->before_ = before_;
      before_ = after_ = this;
    }

  private:
    friend class wheel;
    time at_{};
  };

  explicit wheel(time start, step each) : each_(each), turned_(start) {}
  wheel(const wheel&) = delete;
  wheel& operator=(const wheel&) = delete;

  void set(guest& x, time at) {
    x.leave();
    x.at_ = at;
    // What is farther away than a turn is put off when its place comes.
    const auto steps = std::clamp<step::rep>(
      (at - turned_) / each_ + 1, 1, static_cast<step::rep>(places) - 1);
    auto& place = ring_[(now_ + static_cast<std::size_t>(steps)) % places];
    node& n = x;
    n.before_ = place.before_;
    n.after_ = &place;
    place.before_->after_ = &n;
    place.before_ = &n;
  }

  /// Moves on to `now`, and calls `due` of all whose time has come.
  void turn(time now) {
    for (std::size_t turned = 0; turned_ + each_ <= now; ++turned) {
      turned_ += each_;
      now_ = (now_ + 1) % places;
      if (turned < places) // After a long sleep one round is enough.
        empty(ring_[now_], now);
    }
  }

  /// All that are on the wheel.
  [[nodiscard]] std::vector<guest*> all() {
    std::vector<guest*> found;
    for (auto& place : ring_)
      for (auto* x = place.after_; x != &place; x = x->after_)
        found.push_back(static_cast<guest*>(x));
    return found;
  }

private:
  static constexpr std::size_t places = 256;

  void empty(node& place, time now) {
    if (place.after_ == &place)
      return;
    // Taken off first: whoever is set again may come to this very place.
    node mine;
    mine.before_ = std::exchange(place.before_, &place);
    mine.after_ = std::exchange(place.after_, &place);
    mine.before_->after_ = &mine;
    mine.after_->before_ = &mine;
    while (mine.after_ != &mine) {
      auto& x = *static_cast<guest*>(mine.after_);
      x.leave();
      if (x.at_ <= now)
        x.due(now);
      else
        set(x, x.at_);
    }
  }

  step each_;
  time turned_;
  std::size_t now_ = 0;
  std::array<node, places> ring_{};
};

} // namespace switchboard
