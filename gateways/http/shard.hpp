#pragma once

// Internal to the gateway: the only header of it that shows Asio and Beast.

#include "gateways/http/gateway.hpp"
#include "gateways/http/metrics.hpp"
#include "gateways/http/routes.hpp"
#include "gateways/http/wheel.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace switchboard {

namespace asio = boost::asio;

/// The concrete executor spares each operation a virtual call and an
/// allocation.
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
template <class T>
using awaitable = asio::awaitable<T, executor>;
inline constexpr asio::use_awaitable_t<executor> use_awaitable;

using steady_time = std::chrono::steady_clock::time_point;

/// How often time limits are looked at: a fraction of the smallest, but no busy
/// loop and no snail.
[[nodiscard]] duration tick_time(const gateway_limits& x);

/// Something with time limits. One timer per thread walks over all of them,
/// which costs less than a timer in each.
class timed {
public:
  virtual ~timed() = default;
  virtual void tick(steady_time now) = 0;
  virtual void drain() {} ///< The node wants to go: say good-bye.
};

class agent_link;

/// What all threads of a gateway share.
struct gateway_state {
  explicit gateway_state(gateway_options given)
    : how(std::move(given)), answers(how, metrics, draining) {}

  gateway_options how;
  gateway_metrics metrics;
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> sockets = 0;
  std::atomic<std::size_t> agents = 0;
  std::atomic<std::size_t> visitors = 0;
  routes answers;

  std::mutex devices_mutex;
  /// Who is signed in with a named device: (agent, device).
  std::map<std::pair<std::string, std::string>, std::weak_ptr<agent_link>>
    devices;
};

/// Counts a socket for as long as it is served, by whomever.
/// @pre it was added to `sockets` when it was accepted
class socket_count {
public:
  explicit socket_count(std::shared_ptr<gateway_state> in)
    : in_(std::move(in)) {
    in_->metrics.socket_opened();
  }
  ~socket_count() {
    if (!in_)
      return;
    in_->metrics.socket_closed();
    in_->sockets.fetch_sub(1);
  }
  socket_count(socket_count&&) noexcept = default;
  socket_count& operator=(socket_count&&) = delete;

private:
  std::shared_ptr<gateway_state> in_;
};

/// One thread and the connections that live and die on it. The connections know
/// it by reference, for they end with its context; other threads know it
/// weakly.
struct shard : std::enable_shared_from_this<shard> {
  explicit shard(std::shared_ptr<gateway_state> shared)
    : state(std::move(shared)),
      clock(std::chrono::steady_clock::now(), tick_time(state->how.limits)) {}

  std::shared_ptr<gateway_state> state;
  std::unordered_set<timed*> all;
  wheel clock; ///< Of customers' connections, which are not in `all`.
  /// What has just been read; nobody keeps anything in it.
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  asio::io_context context{1};
};

/// Keeps `what` in the shard's list while the coroutine runs.
class listed {
public:
  listed(shard& home, timed& what) : home_(home), what_(what) {
    home_.all.insert(&what_);
  }
  ~listed() { home_.all.erase(&what_); }
  listed(const listed&) = delete;
  listed& operator=(const listed&) = delete;

private:
  shard& home_;
  timed& what_;
};

/// Waits on the shard's thread for a callback that comes from any thread.
/// `start` is given the callback; nothing of the coroutine is kept alive by it,
/// so it may also come late, or never.
/// @returns nothing after `patience`; the answer then goes to `late`
template <class T, class Start, class Late>
awaitable<std::optional<T>> wait_for(shard& home, duration patience,
                                     Start start, Late late) {
  struct waiting {
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               executor>
      alarm;
    std::optional<T> got{};
  };
  const auto slot = std::make_shared<waiting>(
    waiting{{home.context.get_executor(),
             std::chrono::steady_clock::now() + patience}});
  // `slot` is only ever locked on the shard's thread: its timer belongs there.
  start([weak_home = home.weak_from_this(),
         weak_slot = std::weak_ptr<waiting>(slot), late](T got) {
    const auto to = weak_home.lock();
    if (!to)
      return late(std::move(got));
    asio::post(to->context, [weak_slot, late, x = std::move(got)]() mutable {
      const auto s = weak_slot.lock();
      if (!s)
        return late(std::move(x));
      s->got.emplace(std::move(x));
      s->alarm.cancel();
    });
  });
  boost::system::error_code ec;
  co_await slot->alarm.async_wait(asio::redirect_error(use_awaitable, ec));
  co_return std::move(slot->got);
}

} // namespace switchboard
