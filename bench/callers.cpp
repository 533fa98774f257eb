#include "bench/callers.hpp"

#include "gateways/auth/token.hpp"

#include <boost/json.hpp>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <deque>
#include <stdexcept>
#include <string_view>

namespace switchboard::bench {

namespace json = boost::json;

namespace {

/// A text frame. The mask is zero: the bytes are what they are.
std::string framed(std::string_view text) {
  std::string out{'\x81'};
  if (text.size() < 126) {
    out += static_cast<char>(0x80 | text.size());
  } else {
    out += static_cast<char>(0xfe);
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size());
  }
  return out.append(4, '\0').append(text);
}

/// Takes the first whole frame off `from`. @returns false if there is none
bool take_frame(std::string& from, char& kind, std::string& body) {
  if (from.size() < 2)
    return false;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint8_t>(from[i]);
  };
  std::size_t size = byte(1) & 127;
  std::size_t at = 2;
  const std::size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (from.size() < at + wide)
    return false;
  if (wide > 0)
    size = 0;
  for (std::size_t i = 0; i < wide; ++i)
    size = size << 8 | byte(at++);
  if (from.size() < at + size)
    return false;
  kind = static_cast<char>(byte(0) & 15);
  body = from.substr(at, size);
  from.erase(0, at + size);
  return true;
}

constexpr std::string_view upgrade =
  "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
  "Sec-WebSocket-Protocol: switchboard.customer.v1.json\r\n\r\n";

} // namespace

/// One thread with its descriptor table and its share of the customers.
class callers::worker {
public:
  worker(callers& all, int first, int count)
    : all_(all), first_(first), lines_(static_cast<std::size_t>(count)) {
    for (int i = 0; i < count; ++i) {
      auto token = create_token(
        {.secret = all.how_.secret},
        {.subject = all.how_.run + '-' + std::to_string(first + i),
         .as = role::visitor},
        std::chrono::time_point_cast<duration>(switchboard::clock::now()));
      if (!token)
        throw std::runtime_error(token.error().detail);
      lines_[static_cast<std::size_t>(i)].token = std::move(*token);
    }
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { run(); });
  }

  ~worker() {
    tell([this] { ending_ = true; });
    thread_.join();
    ::close(wake_);
  }

  void tell(std::function<void()> what) {
    {
      const std::lock_guard lock{mutex_};
      todo_.push_back(std::move(what));
    }
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_, &one, sizeof one));
  }

  void connect() {
    waiting_ = 0;
    connecting_ = 0;
    const auto now = clock::now();
    for (auto& x : lines_)
      x.began = now;
    connect_more();
  }

  void drop() {
    for (auto& x : lines_)
      hang_up(x);
    waiting_ = lines_.size();
  }

  void write(int from, int upto) {
    for (std::size_t i = 0; i < lines_.size(); ++i)
      if (const auto number = first_ + static_cast<int>(i);
          number >= from && number < upto && lines_[i].signed_in)
        write(lines_[i]);
  }

  std::vector<std::int64_t> sign_in_times;
  std::vector<std::int64_t> reply_times;
  std::mutex times;

private:
  struct line {
    int fd = -1;
    bool upgraded = false;
    bool signed_in = false;
    std::int32_t said = 0;
    std::int32_t answered = 0; ///< The last "re <n>" by its number.
    std::int64_t session = 0;
    std::int64_t last_seq = 0;
    clock::time_point began{};
    std::string in{};
    std::string out{};
    std::string token{};
    /// When its lines were written, by seq as it comes; few are under way.
    std::vector<std::pair<std::int64_t, clock::time_point>> asked{};
  };

  void run() {
    // Numbers of descriptors are ours alone from here on.
    if (unshare(CLONE_FILES) != 0)
      return;
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    epoll_event on{.events = EPOLLIN, .data = {.u64 = lines_.size()}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &on);
    std::array<epoll_event, 512> some{};
    while (!ending_) {
      const auto count =
        epoll_wait(poll_, some.data(), static_cast<int>(some.size()), 1000);
      for (int i = 0; i < count; ++i) {
        const auto& x = some[static_cast<std::size_t>(i)];
        if (x.data.u64 == lines_.size())
          take_up();
        else
          happen(lines_[x.data.u64], x.events);
      }
    }
    drop();
    ::close(poll_);
  }

  void take_up() {
    std::uint64_t ignored = 0;
    static_cast<void>(::read(wake_, &ignored, sizeof ignored));
    std::vector<std::function<void()>> now;
    {
      const std::lock_guard lock{mutex_};
      now.swap(todo_);
    }
    for (const auto& x : now)
      x();
  }

  void connect_more() {
    while (waiting_ < lines_.size() && connecting_ < all_.how_.at_once)
      dial(waiting_++);
  }

  void dial(std::size_t index) {
    auto& x = lines_[index];
    x.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x.fd < 0) {
      ++all_.failed_;
      return;
    }
    ++connecting_;
    ++all_.open_;
    const int yes = 1;
    setsockopt(x.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(x.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const auto number =
      static_cast<std::uint32_t>(first_) + static_cast<std::uint32_t>(index);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f000002U + number / 5000);
    bind(x.fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(all_.how_.ports[number % all_.how_.ports.size()]);
    const auto done =
      ::connect(x.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    if (done != 0 && errno != EINPROGRESS)
      return fail(x);
    x.out = upgrade;
    epoll_event on{.events = EPOLLIN | EPOLLOUT, .data = {.u64 = index}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, x.fd, &on);
  }

  void hang_up(line& x) {
    if (x.fd < 0)
      return;
    ::close(x.fd);
    x.fd = -1;
    --all_.open_;
    if (x.signed_in)
      --all_.signed_in_;
    else
      --connecting_;
    x.upgraded = x.signed_in = false;
    x.in.clear();
    x.out.clear();
  }

  void fail(line& x) {
    if (x.fd < 0)
      return;
    ++all_.failed_;
    hang_up(x);
    connect_more();
  }

  void happen(line& x, std::uint32_t events) {
    if (x.fd >= 0 && (events & EPOLLOUT) != 0)
      flush(x);
    if (x.fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
      read(x);
  }

  void send(line& x, std::string bytes) {
    x.out += bytes;
    flush(x);
  }

  void flush(line& x) {
    const auto before = x.out.size();
    if (before > 0) {
      const auto put = ::send(x.fd, x.out.data(), before, MSG_NOSIGNAL);
      if (put < 0 && errno != EAGAIN)
        return fail(x);
      x.out.erase(0, put < 0 ? 0 : static_cast<std::size_t>(put));
    }
    const auto index = static_cast<std::size_t>(&x - lines_.data());
    epoll_event on{.events = EPOLLIN, .data = {.u64 = index}};
    if (!x.out.empty())
      on.events |= EPOLLOUT;
    epoll_ctl(poll_, EPOLL_CTL_MOD, x.fd, &on);
  }

  void read(line& x) {
    const auto got = recv(x.fd, piece_.data(), piece_.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN))
      return fail(x);
    if (got < 0)
      return;
    x.in.append(piece_.data(), static_cast<std::size_t>(got));
    if (!x.upgraded) {
      const auto end = x.in.find("\r\n\r\n");
      if (end == std::string::npos)
        return;
      if (x.in.find(" 101 ") > 16)
        return fail(x);
      x.in.erase(0, end + 4);
      x.upgraded = true;
      send(x, framed(R"({"id":1,"connect":{"token":")" + x.token + "\"}}"));
    }
    char kind = 0;
    std::string body;
    while (x.fd >= 0 && take_frame(x.in, kind, body))
      if (kind == 8)
        return fail(x);
      else if (kind == 1)
        take(x, body);
      else if (kind == 9)
        send(x, std::string{"\x8a\x80\0\0\0\0", 6});
    if (x.in.empty())
      std::string{}.swap(x.in);
  }

  void take(line& x, std::string_view frame) {
    while (!frame.empty()) {
      const auto end = std::min(frame.find('\n'), frame.size());
      one(x, frame.substr(0, end));
      frame.remove_prefix(std::min(end + 1, frame.size()));
    }
  }

  void one(line& x, std::string_view text) {
    if (text.starts_with(R"({"id":1,"result")"))
      return welcome(x);
    if (text.starts_with(R"({"id":)")) {
      ++(text.find(R"("result")") != text.npos ? all_.receipts_
                                               : all_.refused_);
      return;
    }
    if (!text.starts_with(R"({"push":{"entry")"))
      return;
    boost::system::error_code ec;
    const auto value = json::parse(json::string_view(text), ec);
    if (!ec)
      shown(x, value.at("push").at("entry").as_object());
  }

  void welcome(line& x) {
    if (std::exchange(x.signed_in, true))
      return;
    {
      const std::lock_guard lock{times};
      sign_in_times.push_back(us_since(x.began));
    }
    ++all_.signed_in_;
    --connecting_;
    connect_more();
  }

  /// The agents answer the customer's line number n with "re n".
  void shown(line& x, const json::object& entry) {
    const auto seq = entry.at("seq").as_int64();
    const auto session =
      std::stoll(json::value_to<std::string>(entry.at("session")));
    if (session != x.session)
      x.last_seq = 0;
    x.session = session;
    if (seq <= x.last_seq)
      ++all_.reordered_;
    x.last_seq = std::max(x.last_seq, seq);
    const auto body = json::value_to<std::string>(entry.at("body"));
    if (entry.at("kind").as_string() == "customer") {
      const auto mine =
        std::find_if(x.asked.begin(), x.asked.end(),
                     [](const auto& a) { return a.first == 0; });
      if (mine != x.asked.end())
        mine->first = seq;
      return;
    }
    if (!body.starts_with("re "))
      return;
    std::int32_t to = 0;
    std::from_chars(body.data() + 3, body.data() + body.size(), to);
    if (to <= x.answered)
      ++(to == x.answered ? all_.doubled_ : all_.reordered_);
    x.answered = std::max(x.answered, to);
    ++all_.replies_;
    const auto at = std::find_if(x.asked.begin(), x.asked.end(),
                                 [&](const auto& a) { return a.first == to; });
    if (at == x.asked.end())
      return;
    const std::lock_guard lock{times};
    reply_times.push_back(us_since(at->second));
    x.asked.erase(at);
  }

  static std::int64_t us_since(clock::time_point at) {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock::now()
                                                                 - at)
      .count();
  }

  void write(line& x) {
    const auto number = std::to_string(++x.said);
    x.asked.emplace_back(0, clock::now());
    send(x, framed(R"({"id":2,"send":{"client_id":"c)" + number
                   + R"(","body":"line )" + number + R"("}})"));
  }

  callers& all_;
  int first_;
  std::vector<line> lines_;
  std::size_t waiting_ = 0; ///< Before this one all have begun to connect.
  int connecting_ = 0;
  int poll_ = -1;
  int wake_ = -1;
  bool ending_ = false;
  std::array<char, 65536> piece_{};
  std::mutex mutex_;
  std::vector<std::function<void()>> todo_;
  std::thread thread_;
};

callers::callers(options how) : how_(std::move(how)) {
  // At least two: one core each.
  const auto threads = std::max(
    how_.count > 1 ? 2 : 1, (how_.count + per_thread_max - 1) / per_thread_max);
  for (int i = 0; i < threads; ++i) {
    const auto first = static_cast<int>(std::int64_t{how_.count} * i / threads);
    const auto next =
      static_cast<int>(std::int64_t{how_.count} * (i + 1) / threads);
    workers_.push_back(std::make_unique<worker>(*this, first, next - first));
  }
}

callers::~callers() = default;

void callers::connect() {
  failed_ = 0;
  for (const auto& x : workers_) {
    {
      const std::lock_guard lock{x->times};
      x->sign_in_times.clear();
    }
    x->tell([w = x.get()] { w->connect(); });
  }
}

void callers::drop() {
  for (const auto& x : workers_)
    x->tell([w = x.get()] { w->drop(); });
}

void callers::write(int from, int upto) {
  for (const auto& x : workers_)
    x->tell([w = x.get(), from, upto] { w->write(from, upto); });
}

std::vector<std::int64_t> callers::sign_in_times() const {
  std::vector<std::int64_t> all;
  for (const auto& x : workers_) {
    const std::lock_guard lock{x->times};
    all.insert(all.end(), x->sign_in_times.begin(), x->sign_in_times.end());
  }
  return all;
}

std::vector<std::int64_t> callers::reply_times() {
  std::vector<std::int64_t> all;
  for (const auto& x : workers_) {
    const std::lock_guard lock{x->times};
    all.insert(all.end(), x->reply_times.begin(), x->reply_times.end());
    x->reply_times.clear();
  }
  return all;
}

bool callers::wait(const std::function<bool()>& that,
                   std::chrono::milliseconds patience) {
  const auto until = clock::now() + patience;
  while (!that() && clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return that();
}

} // namespace switchboard::bench
