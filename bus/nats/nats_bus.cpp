#include "bus/nats/nats_bus.hpp"

#include "bus/nats/event_loop.hpp"
#include "bus/nats/handle.hpp"
#include "bus/nats/listener.hpp"
#include "bus/nats/stored_publisher.hpp"
#include "bus/nats/stream_reader.hpp"
#include "bus/nats/streams.hpp"
#include "config/thread_name.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace switchboard {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t connect_ms_max = 2000;
constexpr std::int64_t ping_ms = 500;
constexpr int pings_unanswered_max = 2;
constexpr std::int64_t reconnect_wait_ms = 50;
constexpr std::int64_t reconnect_jitter_ms = 50;
constexpr int io_buffer_bytes = 256 * 1024;
constexpr int delivery_threads = 1;
constexpr std::int64_t close_flush_ms_max = 1000;
constexpr auto tend_every = 50ms;

/// Only what a server would take as a subject to publish to; it would cut off a
/// client that sends a space.
bool is_subject(std::string_view text) {
  char before = '.';
  for (const auto c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '*' || c == '>'
        || (c == '.' && before == '.'))
      return false;
    before = c;
  }
  return before != '.';
}

std::vector<std::string> split(const std::string& urls) {
  std::vector<std::string> all;
  for (std::size_t from = 0; from <= urls.size();) {
    const auto comma = std::min(urls.find(',', from), urls.size());
    auto one = urls.substr(from, comma - from);
    std::erase(one, ' ');
    if (!one.empty())
      all.push_back(std::move(one));
    from = comma + 1;
  }
  return all;
}

class nats_bus final : public bus {
public:
  explicit nats_bus(nats_options with) : with_(std::move(with)) {
    // nop
  }

  ~nats_bus() override;

  /// To be called once, before everything else.
  result<void> connect();

  result<void> publish(std::string_view subject, std::string_view bytes,
                       const header_list& with) override {
    return publish_request(subject, {}, bytes, with);
  }

  result<void> publish_request(std::string_view subject,
                               std::string_view reply_to,
                               std::string_view bytes,
                               const header_list& with) override;

  result<reply> request(std::string_view subject, std::string_view bytes,
                        std::chrono::milliseconds timeout,
                        const header_list& with) override;

  result<std::unique_ptr<subscription>> subscribe(std::string_view pattern,
                                                  std::string_view group,
                                                  handler on_packet) override;

  result<stream_state> ensure_stream(const stream_config& want) override;

  result<std::unique_ptr<subscription>> consume(std::string_view stream,
                                                std::string_view pattern,
                                                std::uint64_t offset,
                                                handler on_packet) override;

  void publish_stored(std::string_view subject, std::string_view bytes,
                      const header_list& with, on_ack on_stored) override;

  statistics stats() const override;

private:
  class shared_listener;
  class shared_reader;

  natsStatus configure(natsOptions* to);
  result<void> sendable(std::string_view subject) const;
  void on_connection(bool connected);
  void tend();

  nats_options with_;
  nats::event_loop loop_; ///< Outlives the connection.
  nats::connection connection_;
  nats::streams streams_;
  std::unique_ptr<nats::stored_publisher> stored_;
  std::binary_semaphore closed_{0};
  std::atomic<bool> connected_{false};
  mutable std::atomic<std::uint64_t> reconnects_{0}; ///< As last seen.

  mutable std::mutex mutex_;
  std::set<const nats::listener*> listeners_;
  std::set<std::shared_ptr<nats::stream_reader>> readers_;
  std::uint64_t dropped_before_ = 0; ///< By subscriptions that have ended.

  std::condition_variable wake_;
  bool ending_ = false;
  std::thread tender_; ///< Notices silence; never on the path of a packet.
};

/// A subscription whose losses are counted.
class nats_bus::shared_listener final : public subscription {
public:
  shared_listener(nats_bus& owner, std::unique_ptr<nats::listener> of)
    : owner_(owner), of_(std::move(of)) {
    const std::lock_guard lock{owner_.mutex_};
    owner_.listeners_.insert(of_.get());
  }

  ~shared_listener() override {
    const std::lock_guard lock{owner_.mutex_};
    owner_.listeners_.erase(of_.get());
    owner_.dropped_before_ += of_->dropped();
  } // Ends `of_` after the lock is gone: its handler may publish.

private:
  nats_bus& owner_;
  std::unique_ptr<nats::listener> of_;
};

class nats_bus::shared_reader final : public subscription {
public:
  shared_reader(nats_bus& owner, std::shared_ptr<nats::stream_reader> of)
    : owner_(owner), of_(std::move(of)) {
    const std::lock_guard lock{owner_.mutex_};
    owner_.readers_.insert(of_);
  }

  ~shared_reader() override {
    {
      const std::lock_guard lock{owner_.mutex_};
      owner_.readers_.erase(of_);
    }
    of_->stop();
  }

private:
  nats_bus& owner_;
  std::shared_ptr<nats::stream_reader> of_;
};

nats_bus::~nats_bus() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  wake_.notify_all();
  if (tender_.joinable())
    tender_.join();
  if (!connection_)
    return;
  if (connected_)
    natsConnection_FlushTimeout(connection_.get(), close_flush_ms_max);
  stored_.reset();
  streams_.reset();
  natsConnection_Close(connection_.get());
  closed_.acquire(); // The last of the callbacks, which use `this`.
  loop_.stop();
}

natsStatus nats_bus::configure(natsOptions* to) {
  const auto urls = split(with_.urls);
  std::vector<const char*> servers;
  for (const auto& url : urls)
    servers.push_back(url.c_str());
  std::vector<natsStatus> all{
    natsOptions_SetServers(to, servers.data(),
                           static_cast<int>(servers.size())),
    natsOptions_SetName(to, with_.name.c_str()),
    natsOptions_SetTimeout(to, connect_ms_max),
    natsOptions_SetPingInterval(to, ping_ms),
    natsOptions_SetMaxPingsOut(to, pings_unanswered_max),
    natsOptions_SetMaxReconnect(to, -1),
    natsOptions_SetReconnectWait(to, reconnect_wait_ms),
    natsOptions_SetReconnectJitter(to, reconnect_jitter_ms,
                                   reconnect_jitter_ms),
    natsOptions_SetFailRequestsOnDisconnect(to, true),
    natsOptions_SetIOBufSize(to, io_buffer_bytes), loop_.serve(to),
    // Without this a thread of the library waits 1 ms before it wakes our loop.
    natsOptions_SetSendAsap(to, true),
    natsOptions_UseGlobalMessageDelivery(to, true),
    natsOptions_SetDisconnectedCB(
      to,
      [](natsConnection*, void* self) {
        static_cast<nats_bus*>(self)->on_connection(false);
      },
      this),
    natsOptions_SetReconnectedCB(
      to,
      [](natsConnection*, void* self) {
        static_cast<nats_bus*>(self)->on_connection(true);
      },
      this),
    natsOptions_SetClosedCB(
      to,
      [](natsConnection*, void* self) {
        static_cast<nats_bus*>(self)->closed_.release();
      },
      this),
    // The default prints to stderr. Lost packets are counted by `stats`.
    natsOptions_SetErrorHandler(
      to, [](natsConnection*, natsSubscription*, natsStatus, void*) {},
      nullptr)};
  if (!with_.user.empty())
    all.push_back(
      natsOptions_SetUserInfo(to, with_.user.c_str(), with_.password.c_str()));
  if (!with_.token.empty())
    all.push_back(natsOptions_SetToken(to, with_.token.c_str()));
  const auto bad = std::find_if(all.begin(), all.end(),
                                [](natsStatus x) { return x != NATS_OK; });
  return bad == all.end() ? NATS_OK : *bad;
}

result<void> nats_bus::connect() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Whoever holds a lock may well be waiting for the processor that a
    // spinning thread keeps from it.
    nats_Open(0);
    nats_SetMessageDeliveryPoolSize(delivery_threads);
  });
  const auto doing = "connecting to " + with_.urls;
  natsOptions* raw_options = nullptr;
  auto status = natsOptions_Create(&raw_options);
  const nats::options options{raw_options};
  if (status == NATS_OK)
    status = configure(options.get());
  if (status != NATS_OK)
    return nats::translate(status, doing);
  natsConnection* raw = nullptr;
  status = natsConnection_Connect(&raw, options.get());
  if (status != NATS_OK)
    return nats::translate(status, doing);
  connection_.reset(raw);
  connected_ = true;
  jsCtx* raw_streams = nullptr;
  status = natsConnection_JetStream(&raw_streams, raw, nullptr);
  streams_.reset(raw_streams);
  if (status != NATS_OK)
    return nats::translate(status, doing);
  stored_ = std::make_unique<nats::stored_publisher>(raw);
  if (auto started = stored_->start(); !started)
    return started;
  tender_ = std::thread{[this] {
    name_thread("bus-tend");
    tend();
  }};
  return {};
}

result<void> nats_bus::sendable(std::string_view subject) const {
  if (!is_subject(subject))
    return fail(errc::malformed, "'" + std::string(subject)
                                   + "' is not a subject to publish to: "
                                     "tokens with dots between, no wildcard, "
                                     "no space");
  if (!connected_)
    return fail(errc::unavailable, "the bus is away, retry");
  return {};
}

result<void> nats_bus::publish_request(std::string_view subject,
                                       std::string_view reply_to,
                                       std::string_view bytes,
                                       const header_list& with) {
  if (auto ready = sendable(subject); !ready)
    return ready;
  natsStatus status = NATS_OK;
  if (with.empty()) {
    const auto size = static_cast<int>(bytes.size());
    const std::string to{subject};
    status = reply_to.empty()
               ? natsConnection_Publish(connection_.get(), to.c_str(),
                                        bytes.data(), size)
               : natsConnection_PublishRequest(connection_.get(), to.c_str(),
                                               std::string(reply_to).c_str(),
                                               bytes.data(), size);
  } else {
    const auto made = nats::make_message(subject, reply_to, bytes, with);
    if (!made)
      return made.error();
    status = natsConnection_PublishMsg(connection_.get(), made->get());
  }
  if (status != NATS_OK)
    return nats::translate(status, "publishing");
  return {};
}

result<bus::reply> nats_bus::request(std::string_view subject,
                                     std::string_view bytes,
                                     std::chrono::milliseconds timeout,
                                     const header_list& with) {
  if (auto ready = sendable(subject); !ready)
    return ready.error();
  const auto made = nats::make_message(subject, {}, bytes, with);
  if (!made)
    return made.error();
  natsMsg* raw = nullptr;
  const auto status =
    natsConnection_RequestMsg(&raw, connection_.get(), made->get(),
                              std::max<std::int64_t>(timeout.count(), 1));
  const nats::message answer{raw};
  if (status != NATS_OK)
    return nats::translate(status, "asking " + std::string(subject));
  return reply{std::string(nats::view(raw).bytes), nats::headers(raw)};
}

result<std::unique_ptr<bus::subscription>>
nats_bus::subscribe(std::string_view pattern, std::string_view group,
                    handler on_packet) {
  auto made = nats::listener::start(
    connection_.get(), std::string(pattern), std::string(group),
    nats::listener::ending::drain,
    [call = std::move(on_packet)](natsMsg* raw) { call(nats::view(raw)); });
  if (!made)
    return made.error();
  return std::unique_ptr<subscription>{
    std::make_unique<shared_listener>(*this, std::move(*made))};
}

result<bus::stream_state> nats_bus::ensure_stream(const stream_config& want) {
  return nats::ensure_stream(streams_.get(), want);
}

result<std::unique_ptr<bus::subscription>>
nats_bus::consume(std::string_view stream, std::string_view pattern,
                  std::uint64_t offset, handler on_packet) {
  auto reader = std::make_shared<nats::stream_reader>(
    connection_.get(), streams_.get(), std::string(stream),
    std::string(pattern), offset, std::move(on_packet));
  if (auto started = reader->start(); !started)
    return started.error();
  return std::unique_ptr<subscription>{
    std::make_unique<shared_reader>(*this, std::move(reader))};
}

void nats_bus::publish_stored(std::string_view subject, std::string_view bytes,
                              const header_list& with, on_ack on_stored) {
  if (auto ready = sendable(subject); !ready)
    on_stored(ready);
  else
    stored_->publish(subject, bytes, with, std::move(on_stored));
}

bus::statistics nats_bus::stats() const {
  statistics x;
  x.connected = connected_;
  x.reconnects = reconnects_;
  natsStatistics* raw = nullptr;
  // While it looks for a server the library holds its lock for as long as each
  // of them takes to answer.
  if (x.connected && natsStatistics_Create(&raw) == NATS_OK) {
    natsConnection_GetStats(connection_.get(), raw);
    natsStatistics_GetCounts(raw, nullptr, nullptr, nullptr, nullptr,
                             &x.reconnects);
    natsStatistics_Destroy(raw);
    reconnects_ = x.reconnects;
  }
  const std::lock_guard lock{mutex_};
  x.dropped = dropped_before_;
  for (const auto* one : listeners_)
    x.dropped += one->dropped();
  return x;
}

void nats_bus::on_connection(bool connected) {
  connected_ = connected;
  if (connected) {
    const std::lock_guard lock{mutex_};
    for (const auto& reader : readers_)
      reader->doubt();
    wake_.notify_all();
  } else if (stored_) {
    stored_->fail_all(fail(errc::unavailable, "the connection to the bus was "
                                              "lost; publish again with the "
                                              "same id"));
  }
  if (with_.on_state)
    with_.on_state(connected);
}

void nats_bus::tend() {
  std::unique_lock lock{mutex_};
  while (!ending_) {
    wake_.wait_for(lock, tend_every);
    const std::vector<std::shared_ptr<nats::stream_reader>> now(
      readers_.begin(), readers_.end());
    lock.unlock();
    const auto time = std::chrono::steady_clock::now();
    for (const auto& reader : now)
      reader->tend(time);
    stored_->expire(time);
    lock.lock();
  }
}

} // namespace

result<std::unique_ptr<bus>> connect_nats(nats_options with) {
  auto made = std::make_unique<nats_bus>(std::move(with));
  if (auto connected = made->connect(); !connected)
    return connected.error();
  return std::unique_ptr<bus>{std::move(made)};
}

} // namespace switchboard
