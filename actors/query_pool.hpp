#pragma once

#include "persistence/store.hpp"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace switchboard {

/// Threads that read from the store, so that no actor ever waits for it.
/// Thread safety: `run` may be called from any thread.
class query_pool {
public:
  using query = std::function<void(store&)>;

  /// Which of those that wait is next; of equals the first.
  enum class rank : std::uint8_t {
    first,  ///< A whole slot waits for it.
    normal, ///< Somebody waits for it.
    last,   ///< Nobody does.
  };

  /// A further query is refused while so many wait.
  static constexpr std::size_t waiting_max = 100'000;

  explicit query_pool(std::vector<std::unique_ptr<store>> stores);

  /// Ends after the queries under way; those that wait are dropped.
  ~query_pool();

  query_pool(const query_pool&) = delete;
  query_pool& operator=(const query_pool&) = delete;

  /// Ends the threads; from now on `run` refuses.
  void stop();

  /// @returns false when too many wait already; then `what` is not called.
  bool run(query what, rank when = rank::normal);

private:
  [[nodiscard]] std::size_t waiting() const;
  void work(store& with);

  std::mutex mutex_;
  std::condition_variable filled_;
  std::array<std::deque<query>, 3> waiting_; ///< By rank.
  bool stopping_ = false;
  std::vector<std::unique_ptr<store>> stores_;
  std::vector<std::thread> threads_;
};

} // namespace switchboard
