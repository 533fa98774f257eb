#pragma once

#include "actors/domain/router.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard {

/// Follows a router on a thread of its own: writes down what it is told and
/// what it chooses, and lets shadow policies think about the same. It never
/// delays the router: what does not fit into the queue is lost and counted, a
/// record says so, and shadows begin anew only with the next start.
/// Thread safety: `add` may be called from any thread.
class router_tape {
public:
  struct options {
    std::string file{};            ///< Empty: nothing is written down.
    std::vector<policy> shadows{}; ///< Each watches.
    std::size_t queue_max = 65'536;
    std::uint64_t file_bytes_max = std::uint64_t{4} << 30;

    /// Called on the tape's thread for each choice that a shadow would not have
    /// made.
    std::function<void(const router::disagreement&)> on_disagreement{};
  };

  /// @throws std::runtime_error when the file cannot be written
  explicit router_tape(options how);

  /// Finishes what has been added.
  ~router_tape();

  router_tape(const router_tape&) = delete;
  router_tape& operator=(const router_tape&) = delete;

  /// The router starts anew and knows nobody.
  void begin(time_point at);

  /// What the router was told, when, and what followed.
  void add(const router::event& what, time_point at,
           const router::effects& then);

  /// Waits until everything that was added is written and thought about.
  void drain();

  std::uint64_t lost() const;

private:
  struct item {
    router::event what;
    time_point at{};
    router::effects then{};
    bool begins = false;
    std::uint64_t lost_before = 0; ///< So many are missing before this one.
  };

  void run();
  void put(item x);
  void start_shadows();
  void follow(const item& x);
  void write(const std::string& line);

  options how_;
  std::ofstream file_;
  std::uint64_t written_ = 0;
  std::vector<std::unique_ptr<router::matcher>> shadows_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable drained_;
  std::vector<item> queue_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_now_ = 0; ///< Since the last item that fitted.
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace switchboard
