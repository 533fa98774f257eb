#include "actors/query_pool.hpp"
#include "config/thread_name.hpp"

#include <utility>

namespace switchboard {

query_pool::query_pool(std::vector<std::unique_ptr<store>> stores)
  : stores_(std::move(stores)) {
  for (auto& x : stores_)
    threads_.emplace_back([this, with = x.get()] {
      name_thread("reader");
      work(*with);
    });
}

query_pool::~query_pool() {
  stop();
}

void query_pool::stop() {
  std::deque<query> dropped; // Destroyed without the lock: may hold actors.
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    dropped.swap(waiting_);
  }
  filled_.notify_all();
  for (auto& x : threads_)
    x.join();
  threads_.clear();
}

bool query_pool::run(query what) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || waiting_.size() >= waiting_max)
      return false;
    waiting_.push_back(std::move(what));
  }
  filled_.notify_one();
  return true;
}

void query_pool::work(store& with) {
  for (;;) {
    query next;
    {
      std::unique_lock lock{mutex_};
      filled_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_)
        return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next(with);
  }
}

} // namespace switchboard
