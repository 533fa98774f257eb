#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace switchboard::bench {

/// The floor of connections and storms: one thread, one epoll, accepts, answers
/// the upgrade and the first frame with fixed bytes of the length that ours
/// have, and keeps the socket. It checks nothing and keeps nothing.
class bare_acceptor {
public:
  bare_acceptor();
  ~bare_acceptor();
  bare_acceptor(const bare_acceptor&) = delete;
  bare_acceptor& operator=(const bare_acceptor&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int open() const { return open_; }

private:
  void run();
  void accept_all();
  void answer(int fd);

  int door_ = -1;
  int poll_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> open_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace switchboard::bench
