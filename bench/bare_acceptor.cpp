#include "bench/bare_acceptor.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace switchboard::bench {

namespace {

constexpr std::string_view upgraded =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
  "Connection: upgrade\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI="
  "\r\nSec-WebSocket-Protocol: switchboard.customer.v1.json\r\n\r\n";

std::string welcome() {
  const std::string text =
    R"({"id":1,"result":{"user":"storm-12345","channel":"web",)"
    R"("token_until":"2026-01-01T00:00:00.000Z",)"
    R"("now":"2026-01-01T00:00:00.000Z"}})";
  std::string out{'\x81', '\x7e'};
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size());
  return out + text;
}

} // namespace

bare_acceptor::bare_acceptor() {
  door_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (bind(door_, reinterpret_cast<sockaddr*>(&at), size) != 0
      || listen(door_, 4096) != 0
      || getsockname(door_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("the floor cannot listen");
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { run(); });
}

bare_acceptor::~bare_acceptor() {
  ending_ = true;
  thread_.join();
  close(door_);
}

void bare_acceptor::run() {
  if (unshare(CLONE_FILES) != 0)
    return;
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event on{.events = EPOLLIN, .data = {.fd = door_}};
  epoll_ctl(poll_, EPOLL_CTL_ADD, door_, &on);
  std::array<epoll_event, 512> some{};
  while (!ending_) {
    const auto count =
      epoll_wait(poll_, some.data(), static_cast<int>(some.size()), 20);
    for (int i = 0; i < count; ++i)
      if (const auto fd = some[static_cast<std::size_t>(i)].data.fd;
          fd == door_)
        accept_all();
      else
        answer(fd);
  }
  // The thread's own table goes with it, and what is open in it.
  close(poll_);
}

void bare_acceptor::accept_all() {
  for (;;) {
    const auto fd =
      accept4(door_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_event on{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &on);
    ++open_;
  }
}

void bare_acceptor::answer(int fd) {
  static thread_local std::array<char, 65536> piece;
  static const auto greeting = welcome();
  const auto got = recv(fd, piece.data(), piece.size(), 0);
  if (got <= 0) {
    close(fd);
    --open_;
    return;
  }
  const auto text = piece[0] == 'G' ? upgraded : std::string_view{greeting};
  static_cast<void>(send(fd, text.data(), text.size(), MSG_NOSIGNAL));
}

} // namespace switchboard::bench
