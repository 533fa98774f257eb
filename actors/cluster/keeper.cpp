#include "actors/cluster/keeper.hpp"
#include "config/thread_name.hpp"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace switchboard {

namespace {

using namespace std::chrono_literals;
using namespace membership;

constexpr auto renew_time = 200ms;
constexpr auto look_time = 100ms;
constexpr auto second = 1000ms;

} // namespace

instant boot_time() noexcept {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return std::chrono::duration_cast<instant>(
    std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec});
}

/// One overload for each effect: forgetting one does not compile.
struct keeper::visitor {
  keeper& k;

  void operator()(const claim& e) {
    k.run([this_ = &k, e](lease_book& book) {
      const auto got = book.claim(this_->how_.me, this_->how_.incarnation, e);
      if (!got)
        spdlog::warn("cannot claim slots: {}", got.error().detail);
      const std::lock_guard lock{this_->mutex_};
      claimed told;
      for (const auto& x : e.what)
        told.asked.push_back(x.slot);
      if (got)
        for (const auto& x : *got) {
          this_->taken_[x.what.slot] = x;
          told.got.push_back(x.what);
        }
      if (!e.from.empty() && e.from != this_->how_.me && !told.got.empty()) {
        this_->claims_ += told.got.size();
        spdlog::warn("took {} slots over from node {}", told.got.size(),
                     e.from.text);
      }
      this_->happen(told);
    });
  }
  void operator()(const serve& e) { k.to_.on_serve(k.taken_.at(e.slot)); }
  void operator()(const membership::stop& e) { k.to_.on_stop(e); }
  void operator()(const settle& e) { k.to_.on_settle(e); }
  void operator()(const resume& e) { k.to_.on_resume(e); }
  void operator()(const hand_over& e) {
    k.run([this_ = &k, e](lease_book& book) {
      const auto got = book.hand_over(this_->how_.me, e.slot, e.epoch, e.to);
      const std::lock_guard lock{this_->mutex_};
      if (!got) {
        spdlog::warn("slot {} was not handed over: {}", e.slot,
                     got.error().detail);
        this_->happen(hand_over_failed{e.slot});
        return;
      }
      ++this_->moves_;
      const handed_over done{e.slot, *got, e.to};
      this_->to_.on_handed_over(done);
      this_->happen(done);
    });
  }
  void operator()(const reroute& e) { k.to_.on_reroute(e); }
  void operator()(const bury& e) {
    spdlog::warn("node {} is gone", e.node.text);
    k.to_.on_bury(e);
    k.run([e](lease_book& book) {
      if (const auto done = book.terminate(e.node, e.incarnation); !done)
        spdlog::warn("cannot end the connections of node {}: {}", e.node.text,
                     done.error().detail);
    });
  }
  void operator()(const say& e) {
    spdlog::info("this node is {} now", to_string(e.what));
  }
  void operator()(const suspend&) {
    spdlog::warn("the lease could not be renewed in time; nothing new is "
                 "taken");
    k.to_.on_suspend(true);
  }
  void operator()(const go_on&) {
    spdlog::warn("the lease is held again");
    k.to_.on_suspend(false);
  }
  void operator()(const drained&) {
    k.drained_ = true;
    k.wake_.notify_all();
  }
};

keeper::keeper(options how, handlers to)
  : how_(std::move(how)), to_(std::move(to)) {
  // nop
}

keeper::~keeper() {
  stop();
}

result<void> keeper::start() {
  const auto book = how_.open();
  const auto begin = boot_time();
  if (const auto done = book->announce(how_.me, how_.incarnation, how_.address);
      !done)
    return done;
  state_ = membership::start(how_.me, how_.incarnation, begin);
  started_ = true;
  looking_ = std::thread{[this] {
    name_thread("lease-look");
    look_loop();
  }};
  renewing_ = std::thread{[this] {
    name_thread("lease-renew");
    renew_loop();
  }};
  return {};
}

/// @pre the mutex is held
void keeper::happen(const event& what) {
  visitor v{*this};
  for (const auto& e : membership::apply(state_, what, how_.rules, boot_time()))
    std::visit(v, e);
}

void keeper::tell(const event& what) {
  const std::lock_guard lock{mutex_};
  if (started_)
    happen(what);
}

/// @pre the mutex is held
void keeper::run(std::function<void(lease_book&)> task) {
  tasks_.push_back(std::move(task));
  wake_.notify_all();
}

void keeper::hurry() {
  const std::lock_guard lock{mutex_};
  hurry_ = true;
  wake_.notify_all();
}

void keeper::renew_loop() {
  const auto book = how_.open();
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto says = state_.says;
    lock.unlock();
    const auto sent_at = boot_time();
    const auto kept = book->renew(how_.me, how_.incarnation, says);
    lock.lock();
    if (stopping_)
      return;
    if (kept) {
      happen(renewed{sent_at});
      if (*kept && !state_.draining)
        happen(drain_asked{});
    } else if (kept.error().code == errc::moved) {
      spdlog::critical("another process runs as node '{}'; this one stops "
                       "serving. Give every node a name of its own.",
                       how_.me.text);
      happen(replaced{});
      return;
    } else {
      happen(ticked{});
    }
    // A node that has something new to say does not wait for its turn.
    const auto until = std::chrono::steady_clock::now() + renew_time;
    wake_.wait_until(lock, until,
                     [&] { return stopping_ || state_.says != says; });
  }
}

void keeper::look(lease_book& book) {
  const auto asked_at = boot_time();
  auto got = book.look();
  const std::lock_guard lock{mutex_};
  if (got)
    happen(seen{asked_at, std::move(*got)});
  else
    happen(look_failed{});
}

void keeper::look_loop() {
  const auto book = how_.open();
  auto next_look = std::chrono::steady_clock::now();
  auto next_second = next_look + second;
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto now = std::chrono::steady_clock::now();
    if (!tasks_.empty()) {
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task(*book);
      lock.lock();
    } else if (hurry_ || now >= next_look) {
      hurry_ = false;
      next_look = now + look_time;
      lock.unlock();
      look(*book);
      lock.lock();
    } else if (now >= next_second) {
      next_second = now + second;
      lock.unlock();
      to_.on_second();
      lock.lock();
    } else {
      wake_.wait_until(lock, std::min(next_look, next_second), [this] {
        return stopping_ || hurry_ || !tasks_.empty();
      });
    }
  }
}

bool keeper::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  if (!started_ || state_.replaced)
    return true;
  happen(drain_asked{});
  happen(ticked{}); // So that the lease says so at once.
  wake_.notify_all();
  const auto takers =
    std::any_of(state_.others.begin(), state_.others.end(), [](const auto& x) {
      return x.second.alive && x.second.last.says == condition::serving;
    });
  if (!takers)
    return state_.owned.empty();
  wake_.wait_for(lock, patience, [this] { return drained_ || stopping_; });
  return state_.owned.empty();
}

void keeper::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopping_, true) || !started_)
      return;
  }
  wake_.notify_all();
  renewing_.join();
  looking_.join();
}

void keeper::release() {
  if (!started_ || state_.replaced)
    return;
  if (const auto done = how_.open()->release(how_.me, how_.incarnation); !done)
    spdlog::warn("cannot give the slots up: {}", done.error().detail);
}

keeper::report keeper::now() const {
  const std::lock_guard lock{mutex_};
  report r{.held = started_ && !state_.suspended,
           .replaced = state_.replaced,
           .draining = state_.draining,
           .owned = state_.owned.size(),
           .claims = claims_,
           .moves = moves_};
  const auto lives = [&](const node_id& x) {
    const auto at = state_.others.find(x);
    return at != state_.others.end() && at->second.alive;
  };
  for (const auto& x : state_.places)
    r.known += state_.owned.contains(x.slot) || lives(x.owner) ? 1 : 0;
  for (const auto& [id, x] : state_.others)
    r.nodes += x.alive ? 1 : 0;
  return r;
}

} // namespace switchboard
