#include "bus/nats/event_loop.hpp"
#include "config/thread_name.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace switchboard::nats {

event_loop::event_loop()
  : poll_(epoll_create1(EPOLL_CLOEXEC)),
    wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (poll_ < 0 || wake_ < 0)
    throw std::system_error(errno, std::generic_category(), "event loop");
  epoll_event what{};
  what.events = EPOLLIN;
  what.data.fd = wake_;
  epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &what);
  thread_ = std::thread{[this] {
    name_thread("bus-loop");
    run();
  }};
}

event_loop::~event_loop() {
  stop();
  close(wake_);
  close(poll_);
}

void event_loop::stop() {
  if (!thread_.joinable())
    return;
  ending_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof one));
  thread_.join();
}

natsStatus event_loop::serve(natsOptions* with) {
  return natsOptions_SetEventLoop(
    with, this,
    [](void** user, void* loop, natsConnection* of, natsSock socket) {
      auto& self = *static_cast<event_loop*>(loop);
      const std::lock_guard lock{self.mutex_};
      self.connection_ = of;
      self.reads_ = true;
      self.writes_ = false;
      self.change(true, socket);
      *user = loop;
      return NATS_OK;
    },
    [](void* user, bool add) {
      auto& self = *static_cast<event_loop*>(user);
      const std::lock_guard lock{self.mutex_};
      self.reads_ = add;
      self.arm();
      return NATS_OK;
    },
    [](void* user, bool add) {
      auto& self = *static_cast<event_loop*>(user);
      const std::lock_guard lock{self.mutex_};
      self.writes_ = add;
      self.arm();
      return NATS_OK;
    },
    [](void* user) {
      auto& self = *static_cast<event_loop*>(user);
      const std::lock_guard lock{self.mutex_};
      self.change(false, -1);
      return NATS_OK;
    });
}

/// @pre `mutex_` is held
void event_loop::change(bool attached, natsSock socket) {
  // A socket that was closed has left the set by itself.
  if (socket_ >= 0)
    epoll_ctl(poll_, EPOLL_CTL_DEL, socket_, nullptr);
  socket_ = attached ? socket : -1;
  if (!attached)
    return;
  epoll_event what{};
  what.events = EPOLLIN;
  what.data.fd = socket_;
  epoll_ctl(poll_, EPOLL_CTL_ADD, socket_, &what);
}

/// @pre `mutex_` is held
void event_loop::arm() {
  if (socket_ < 0)
    return;
  epoll_event what{};
  what.events = (reads_ ? EPOLLIN : 0u) | (writes_ ? EPOLLOUT : 0u);
  what.data.fd = socket_;
  epoll_ctl(poll_, EPOLL_CTL_MOD, socket_, &what);
}

void event_loop::run() {
  while (!ending_) {
    std::array<epoll_event, 2> ready{};
    const int count =
      epoll_wait(poll_, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < count; ++i) {
      const auto& one = ready.at(static_cast<std::size_t>(i));
      natsConnection* of = nullptr;
      {
        const std::lock_guard lock{mutex_};
        if (one.data.fd == socket_)
          of = connection_;
      }
      if (!of)
        continue;
      if (one.events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        natsConnection_ProcessReadEvent(of);
      if (one.events & EPOLLOUT)
        natsConnection_ProcessWriteEvent(of);
    }
  }
}

} // namespace switchboard::nats
