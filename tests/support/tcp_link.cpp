#include "tests/support/tcp_link.hpp"

#include "config/child_process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace switchboard::test {

namespace {

using std::chrono::steady_clock;

/// What waits in one direction of a connection; then the sender has to wait.
constexpr std::size_t waiting_max = std::size_t{4} << 20;
constexpr std::size_t read_bytes = std::size_t{64} << 10;

/// A file descriptor with an owner.
class file {
public:
  explicit file(int raw = -1) : raw_(raw) {}
  ~file() { reset(); }
  file(const file&) = delete;
  file& operator=(const file&) = delete;

  void reset(int raw = -1) {
    if (raw_ >= 0)
      close(raw_);
    raw_ = raw;
  }
  [[nodiscard]] int raw() const noexcept { return raw_; }

private:
  int raw_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

int listen_on(std::uint16_t port) {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const auto where = loopback(port);
  if (s < 0
      || bind(s, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0
      || listen(s, 128) != 0) {
    const auto code = errno;
    close(s);
    throw std::system_error(code, std::generic_category(), "tcp_link");
  }
  return s;
}

void send_at_once(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

struct chunk {
  std::string bytes;
  steady_clock::time_point due;
};

/// One direction of one connection.
struct pipe {
  std::deque<chunk> waiting{};
  std::size_t size = 0;
  bool ended = false; ///< The sender has said its last word.
};

struct connection {
  connection(int c, int s) : client(c), server(s) {}

  file client;
  file server;
  pipe up{};
  pipe down{};
  bool lost = false;    ///< Bytes are missing in one direction.
  bool over = false;    ///< To be forgotten.
  std::size_t slot = 0; ///< Of its first socket in the list for poll.
};

} // namespace

struct tcp_link::impl {
  explicit impl(std::uint16_t server)
    : server_port(server),
      wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      port(free_port()) {
    listener.reset(listen_on(port));
    thread = std::thread{[this] { work(); }};
  }

  ~impl() {
    {
      const std::lock_guard lock{mutex};
      ending = true;
    }
    rouse();
    thread.join();
  }

  void rouse() const {
    const std::uint64_t one = 1;
    static_cast<void>(!write(wake.raw(), &one, sizeof one));
  }

  void work();
  void accept_all();
  int watch(std::vector<pollfd>& all);
  void handle(connection& x, const std::vector<pollfd>& all);
  void take(connection& x, int from, pipe& to, flow how, std::int64_t& kept);
  void give(connection& x, pipe& from, int to, flow how, std::int64_t& sent);

  const std::uint16_t server_port;
  file wake;
  const std::uint16_t port;
  mutable std::mutex mutex;
  file listener;
  flow up = flow::pass;
  flow down = flow::pass;
  std::chrono::milliseconds late{0};
  std::list<connection> all;
  counts counted;
  bool ending = false;
  std::thread thread;
};

/// Fills the list for poll. @returns how long to wait for, in ms
int tcp_link::impl::watch(std::vector<pollfd>& list) {
  list.clear();
  list.push_back({wake.raw(), POLLIN, 0});
  list.push_back({listener.raw(), POLLIN, 0}); // -1 is passed over.
  int wait = 1000;
  const auto now = steady_clock::now();
  const auto out = [&](const pipe& p, flow how) {
    if (p.waiting.empty() || how != flow::pass)
      return 0;
    const auto ms =
      std::chrono::ceil<std::chrono::milliseconds>(p.waiting.front().due - now);
    if (ms.count() <= 0)
      return POLLOUT;
    wait = std::min(wait, static_cast<int>(ms.count()));
    return 0;
  };
  const auto in = [](const pipe& p) {
    return p.ended || p.size >= waiting_max ? 0 : POLLIN;
  };
  for (auto& x : all) {
    x.slot = list.size();
    // With no event wanted not even an end is looked for: it would be reported
    // again and again.
    const auto client = in(x.up) | out(x.down, down);
    const auto server = in(x.down) | out(x.up, up);
    list.push_back(
      {client ? x.client.raw() : -1, static_cast<short>(client), 0});
    list.push_back(
      {server ? x.server.raw() : -1, static_cast<short>(server), 0});
  }
  return wait;
}

void tcp_link::impl::work() {
  std::vector<pollfd> list;
  std::unique_lock lock{mutex};
  while (!ending) {
    const auto wait = watch(list);
    lock.unlock();
    poll(list.data(), list.size(), wait);
    std::uint64_t drained = 0;
    static_cast<void>(!read(wake.raw(), &drained, sizeof drained));
    lock.lock();
    for (auto& x : all)
      if (!x.over)
        handle(x, list);
    all.remove_if([](const auto& x) { return x.over; });
    counted.open = static_cast<int>(all.size());
    if (listener.raw() >= 0)
      accept_all();
  }
  all.clear();
}

void tcp_link::impl::accept_all() {
  for (;;) {
    const int client =
      accept4(listener.raw(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
      return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto where = loopback(server_port);
    // On the loopback this answers at once.
    if (connect(server, reinterpret_cast<const sockaddr*>(&where), sizeof where)
        != 0) {
      close(server);
      close(client);
      continue;
    }
    send_at_once(client);
    send_at_once(server);
    all.emplace_back(client, server);
    ++counted.taken;
    counted.open = static_cast<int>(all.size());
  }
}

/// @pre `x` has been watched
void tcp_link::impl::handle(connection& x, const std::vector<pollfd>& list) {
  if (x.slot == 0)
    return; // It came after the list was made.
  const auto client = list[x.slot].revents;
  const auto server = list[x.slot + 1].revents;
  constexpr auto readable = POLLIN | POLLHUP | POLLERR;
  if (client & readable && !x.up.ended)
    take(x, x.client.raw(), x.up, up, counted.up_kept);
  if (server & readable && !x.down.ended)
    take(x, x.server.raw(), x.down, down, counted.down_kept);
  give(x, x.up, x.server.raw(), up, counted.up);
  give(x, x.down, x.client.raw(), down, counted.down);
  // An end is passed on after all that stood before it, and as little as bytes
  // through a direction that is disturbed.
  if ((x.up.ended && x.up.waiting.empty() && up == flow::pass)
      || (x.down.ended && x.down.waiting.empty() && down == flow::pass))
    x.over = true;
}

void tcp_link::impl::take(connection& x, int from, pipe& to, flow how,
                          std::int64_t& kept) {
  thread_local std::array<char, read_bytes> buffer;
  const auto got = read(from, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    to.ended = true;
    return;
  }
  if (how != flow::pass)
    kept += got;
  if (how == flow::drop) {
    x.lost = true;
    return;
  }
  const auto size = static_cast<std::size_t>(got);
  if (late.count() > 0)
    counted.delayed += got;
  to.waiting.push_back({{buffer.data(), size}, steady_clock::now() + late});
  to.size += size;
}

void tcp_link::impl::give(connection& x, pipe& from, int to, flow how,
                          std::int64_t& sent) {
  if (how != flow::pass)
    return;
  const auto now = steady_clock::now();
  while (!from.waiting.empty() && from.waiting.front().due <= now) {
    auto& first = from.waiting.front();
    const auto put = send(to, first.bytes.data(), first.bytes.size(),
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (put < 0) {
      x.over = true;
      return;
    }
    sent += put;
    from.size -= static_cast<std::size_t>(put);
    first.bytes.erase(0, static_cast<std::size_t>(put));
    if (!first.bytes.empty())
      return;
    from.waiting.pop_front();
  }
}

tcp_link::tcp_link(std::uint16_t server_port)
  : impl_(std::make_unique<impl>(server_port)) {
  // nop
}

tcp_link::~tcp_link() = default;

std::uint16_t tcp_link::port() const noexcept {
  return impl_->port;
}

void tcp_link::cut() {
  {
    const std::lock_guard lock{impl_->mutex};
    impl_->listener.reset();
    for (auto& x : impl_->all)
      x.over = true;
  }
  impl_->rouse();
}

void tcp_link::disturb(flow up, flow down) {
  {
    const std::lock_guard lock{impl_->mutex};
    impl_->up = up;
    impl_->down = down;
  }
  impl_->rouse();
}

void tcp_link::delay(std::chrono::milliseconds each_way) {
  {
    const std::lock_guard lock{impl_->mutex};
    impl_->late = each_way;
  }
  impl_->rouse();
}

void tcp_link::heal() {
  {
    const std::lock_guard lock{impl_->mutex};
    impl_->up = impl_->down = flow::pass;
    impl_->late = {};
    for (auto& x : impl_->all)
      x.over = x.over || x.lost;
    if (impl_->listener.raw() < 0)
      impl_->listener.reset(listen_on(impl_->port));
  }
  impl_->rouse();
}

tcp_link::counts tcp_link::now() const {
  const std::lock_guard lock{impl_->mutex};
  return impl_->counted;
}

} // namespace switchboard::test
