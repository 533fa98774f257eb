#include "gateways/http/ws_clients.hpp"

#include "config/thread_name.hpp"
#include "gateways/http/shard.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace switchboard {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using ws_stream = websocket::stream<tcp_socket, false>;

constexpr auto return_after = std::chrono::milliseconds{50};

} // namespace

struct ws_clients::impl {
  using pause =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               executor>;

  struct line {
    std::optional<ws_stream> stream;
    std::deque<std::string> out{}; ///< Frames to be written.
    bool open = false;
    bool writing = false;
  };

  impl(std::uint16_t port, std::size_t count, handlers to)
    : port_(port), to_(std::move(to)), lines_(count) {
    for (std::size_t i = 0; i < count; ++i)
      asio::co_spawn(context_, live(i), asio::detached);
    thread_ = std::thread{[this] {
      name_thread("clients");
      context_.run();
    }};
  }

  ~impl() {
    context_.stop();
    thread_.join();
  }

  awaitable<void> live(std::size_t who) {
    auto& at = lines_[who];
    for (;;) {
      at.stream.emplace(context_.get_executor());
      if (co_await connect(*at.stream)) {
        at.open = true;
        co_await converse(who, at);
        at.open = false;
      }
      do // Somebody may still write on the stream that is to be replaced.
        co_await wait(return_after);
      while (at.writing);
    }
  }

  awaitable<bool> connect(ws_stream& to) {
    boost::system::error_code ec;
    co_await to.next_layer().async_connect(
      {asio::ip::address_v4::loopback(), port_},
      asio::redirect_error(use_awaitable, ec));
    if (ec)
      co_return false;
    to.next_layer().set_option(asio::ip::tcp::no_delay(true), ec);
    to.set_option(
      websocket::stream_base::decorator([](websocket::request_type& request) {
        request.set(beast::http::field::sec_websocket_protocol,
                    "switchboard.v1.json");
      }));
    to.read_message_max(0);
    co_await to.async_handshake("127.0.0.1", "/v1/ws",
                                asio::redirect_error(use_awaitable, ec));
    co_return !ec;
  }

  /// Until the connection ends.
  awaitable<void> converse(std::size_t who, line& at) {
    beast::flat_buffer buffer;
    boost::system::error_code ec;
    at.out.clear();
    put(at, to_.opened(who));
    while (!ec) {
      co_await at.stream->async_read(buffer,
                                     asio::redirect_error(use_awaitable, ec));
      if (!ec)
        put(at,
            to_.received(who, {static_cast<const char*>(buffer.data().data()),
                               buffer.size()}));
      buffer.consume(buffer.size());
    }
  }

  awaitable<void> say(line& at, std::chrono::milliseconds after,
                      std::function<std::string()> what) {
    co_await wait(after);
    if (at.open)
      put(at, what());
  }

  void put(line& at, std::string frame) {
    if (frame.empty())
      return;
    at.out.push_back(std::move(frame));
    if (!std::exchange(at.writing, true))
      asio::co_spawn(context_, write(at), asio::detached);
  }

  static awaitable<void> write(line& at) {
    boost::system::error_code ec;
    while (!ec && !at.out.empty()) {
      const auto frame = std::move(at.out.front());
      at.out.pop_front();
      co_await at.stream->async_write(asio::buffer(frame),
                                      asio::redirect_error(use_awaitable, ec));
    }
    at.writing = false;
  }

  awaitable<void> wait(std::chrono::milliseconds how_long) {
    boost::system::error_code ec;
    pause p{context_.get_executor(), how_long};
    co_await p.async_wait(asio::redirect_error(use_awaitable, ec));
  }

  std::uint16_t port_;
  handlers to_;
  asio::io_context context_{1};
  std::vector<line> lines_; ///< End before their context.
  std::thread thread_;
};

ws_clients::ws_clients(std::uint16_t port, std::size_t count, handlers to)
  : impl_(std::make_unique<impl>(port, count, std::move(to))) {
  // nop
}

ws_clients::~ws_clients() = default;

void ws_clients::cut(std::size_t who) {
  asio::post(impl_->context_, [&at = impl_->lines_.at(who)] {
    boost::system::error_code ignored;
    if (at.stream)
      at.stream->next_layer().close(ignored);
  });
}

void ws_clients::later(std::size_t who, std::chrono::milliseconds after,
                       std::function<std::string()> what) {
  asio::co_spawn(impl_->context_,
                 impl_->say(impl_->lines_.at(who), after, std::move(what)),
                 asio::detached);
}

} // namespace switchboard
