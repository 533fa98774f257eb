#pragma once

#include "bench/desks.hpp"
#include "bench/load.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace switchboard::bench {

/// The same customers through several open loops, so that their sessions stay
/// open; every line of theirs is answered at the desks.
/// Thread safety: none.
class course {
public:
  /// @param run the name that the desks listen for, too
  course(bus& wire, desks& at, std::string run, int users)
    : wire_(wire), at_(at), run_(std::move(run)), users_(users) {}

  /// The next open loop: not started.
  std::unique_ptr<load> make(std::int64_t messages, double rate);

  /// Everybody writes once and gets a reply: sessions are open, plans are warm.
  /// @throws std::runtime_error if not everybody is answered after 30 s
  void open_sessions();

  /// Three seconds at this rate. @returns whether the system kept up
  bool keeps_up(double rate);

  /// Waits for the last receipt and the last reply: the next loop must not meet
  /// what this one left behind.
  /// @throws std::runtime_error after a minute
  void finish(load& x);

private:
  bool all_replied(const load& x, int patience_ms);

  bus& wire_;
  desks& at_;
  std::string run_;
  int users_;
  std::int64_t numbered_ = 0;
  std::int64_t settled_ = 0; ///< Replies to all earlier loops.
};

/// The highest rate that is kept up with, in steps of a quarter.
/// @throws std::runtime_error if not even `lowest` is
double climb(course& on, double lowest = 1000);

/// What became of one open loop, from both ends.
struct trip {
  latencies there_and_back; ///< From when it was due to the reply's arrival.
  std::int64_t unanswered = 0;
  std::int64_t reordered = 0;
};

/// @param x a loop that has ended
[[nodiscard]] trip follow(const desks& at, const load& x,
                          const std::string& run);

/// "not_owner 3, overloaded 1"
[[nodiscard]] std::string
errors_text(const std::map<std::string, std::int64_t>& all);

} // namespace switchboard::bench
