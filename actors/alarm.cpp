#include "actors/alarm.hpp"

#include <utility>

namespace switchboard {

time_point now() noexcept {
  return std::chrono::time_point_cast<duration>(clock::now());
}

alarm::alarm() : thread_([this] { work(); }) {
  // nop
}

alarm::~alarm() {
  stop();
}

void alarm::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
  // What a timer holds may be released only without the lock: its end may ask
  // for another timer.
  std::priority_queue<timer> dropped;
  const std::lock_guard lock{mutex_};
  dropped.swap(pending_);
}

void alarm::at(time_point when, std::function<void()> call) {
  bool first = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_)
      return;
    first = pending_.empty() || when < pending_.top().when;
    pending_.push({when, set_++, std::move(call)});
  }
  if (first)
    changed_.notify_one();
}

void alarm::work() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    if (pending_.empty()) {
      changed_.wait(lock);
      continue;
    }
    // A copy: while this thread waits, others add timers and move the first.
    if (const auto when = pending_.top().when; when > now()) {
      changed_.wait_until(lock, when);
      continue;
    }
    const auto call = pending_.top().call;
    pending_.pop();
    lock.unlock();
    call();
    lock.lock();
  }
}

} // namespace switchboard
