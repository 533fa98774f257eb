#pragma once

#include "actors/front.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::test {

/// A screen that keeps what it is shown and checks, as a browser would, that
/// each session's entries come in order without gap or repetition.
class watching_screen final : public agent_screen {
public:
  void show(const agent_push& what) override {
    const std::lock_guard lock{mutex_};
    if (const auto* added = std::get_if<push::entry_added>(&what)) {
      auto& last = last_[added->session];
      if (added->line.seq != last + 1)
        ++broken_;
      last = added->line.seq;
    }
    seen_.push_back(what);
    changed_.notify_all();
  }

  void end(std::string_view reason) override {
    const std::lock_guard lock{mutex_};
    ended_ = reason;
    changed_.notify_all();
  }

  /// What the screen has already, before it connects.
  void has(session_id session, std::int32_t seq) { last_[session] = seq; }

  /// Waits for a push of this kind that `fits`, looking also at those that came
  /// before. @returns nothing after 20 s
  template <class Push>
  std::optional<Push> wait(std::function<bool(const Push&)> fits = {}) {
    std::unique_lock lock{mutex_};
    std::optional<Push> found;
    changed_.wait_for(lock, std::chrono::seconds{20}, [&] {
      for (const auto& x : seen_)
        if (const auto* p = std::get_if<Push>(&x); p && (!fits || fits(*p))) {
          found = *p;
          return true;
        }
      return false;
    });
    return found;
  }

  /// Waits until it was ended. @returns why; empty after 20 s
  std::string wait_end() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{20},
                      [&] { return !ended_.empty(); });
    return ended_;
  }

  template <class Push>
  std::size_t count() const {
    const std::lock_guard lock{mutex_};
    std::size_t n = 0;
    for (const auto& x : seen_)
      n += std::holds_alternative<Push>(x) ? 1 : 0;
    return n;
  }

  /// Entries that came out of order, twice, or after a gap.
  int broken() const {
    const std::lock_guard lock{mutex_};
    return broken_;
  }

  std::map<session_id, std::int32_t> last() const {
    const std::lock_guard lock{mutex_};
    return last_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<agent_push> seen_;
  std::map<session_id, std::int32_t> last_;
  std::string ended_;
  int broken_ = 0;
};

} // namespace switchboard::test
