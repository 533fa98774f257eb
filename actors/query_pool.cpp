#include "actors/query_pool.hpp"
#include "config/thread_name.hpp"

#include <algorithm>
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
  decltype(waiting_) dropped; // Destroyed without the lock: may hold actors.
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

std::size_t query_pool::waiting() const {
  std::size_t all = 0;
  for (const auto& x : waiting_)
    all += x.size();
  return all;
}

bool query_pool::run(query what, rank when) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || waiting() >= waiting_max)
      return false;
    waiting_.at(static_cast<std::size_t>(when)).push_back(std::move(what));
  }
  filled_.notify_one();
  return true;
}

void query_pool::work(store& with) {
  for (;;) {
    query next;
    {
      std::unique_lock lock{mutex_};
      filled_.wait(lock, [this] { return stopping_ || waiting() > 0; });
      if (stopping_)
        return;
      auto& from =
        *std::find_if(waiting_.begin(), waiting_.end(),
                      [](const auto& some) { return !some.empty(); });
      next = std::move(from.front());
      from.pop_front();
    }
    next(with);
  }
}

} // namespace switchboard
