#pragma once

#include "actors/domain/membership.hpp"
#include "persistence/lease.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard {

/// Carries out what `membership` decides: renews the lease on a thread and a
/// connection of their own, looks at the others, claims, hands over; and tells
/// the node what it owns.
/// Thread safety: all members may be called from any thread.
class keeper {
public:
  /// Each is called with the keeper's mutex held, from its threads or from
  /// within `tell`: it hands over and returns, and calls no keeper.
  struct handlers {
    std::function<void(const lease_book::taken&)> on_serve;
    std::function<void(const membership::stop&)> on_stop;
    std::function<void(const membership::settle&)> on_settle;
    std::function<void(const membership::resume&)> on_resume;
    std::function<void(const membership::reroute&)> on_reroute;
    std::function<void(const membership::bury&)> on_bury;
    std::function<void(const membership::handed_over&)> on_handed_over;
    std::function<void(bool suspended)> on_suspend;
    /// Every second, with no mutex held, on a thread that may block.
    std::function<void()> on_second;
  };

  struct options {
    node_id me;
    std::string incarnation;
    std::string address{};
    /// A connection for each thread.
    std::function<std::unique_ptr<lease_book>()> open;
    membership::rules rules{};
  };

  keeper(options how, handlers to);
  ~keeper();
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

  /// Announces the node, and begins.
  /// @returns unavailable when the database is away
  result<void> start();

  void tell(const membership::event& what);

  /// Looks now, and not at the next turn.
  void hurry();

  /// Gives all slots to other nodes, if there are any that take them.
  /// @returns true if nothing is left
  bool drain(std::chrono::milliseconds patience);

  /// Ends the threads. What is owned stays so, and can still be written.
  void stop();

  /// After `stop`: gives up the lease and all slots, so that nobody need wait.
  void release();

  struct report {
    bool held = false; ///< The lease was renewed a moment ago.
    bool replaced = false;
    bool draining = false;
    std::size_t owned = 0;    ///< Slots, the router's included.
    std::size_t known = 0;    ///< Slots with an owner that lives.
    std::size_t nodes = 1;    ///< That live, with us.
    std::uint64_t claims = 0; ///< Slots taken from the dead.
    std::uint64_t moves = 0;  ///< Slots handed over.
  };
  [[nodiscard]] report now() const;

private:
  struct visitor;

  void renew_loop();
  void look_loop();
  void happen(const membership::event& what);
  void run(std::function<void(lease_book&)> task);
  void look(lease_book& book);

  options how_;
  handlers to_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  membership::state state_;
  std::map<slot_number, lease_book::taken> taken_; ///< By the last claim.
  std::deque<std::function<void(lease_book&)>> tasks_;
  std::uint64_t claims_ = 0;
  std::uint64_t moves_ = 0;
  bool hurry_ = false;
  bool started_ = false;
  bool stopping_ = false;
  bool drained_ = false;
  std::thread renewing_;
  std::thread looking_;
};

/// Time that nobody sets and that goes on while the machine sleeps.
membership::instant boot_time() noexcept;

} // namespace switchboard
