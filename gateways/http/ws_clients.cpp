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
    auto& line = lines_[who];
    for (;;) {
      line.emplace(context_.get_executor());
      if (co_await connect(*line))
        co_await converse(who, *line);
      boost::system::error_code ec;
      pause wait{context_.get_executor(), return_after};
      co_await wait.async_wait(asio::redirect_error(use_awaitable, ec));
    }
  }

  awaitable<bool> connect(ws_stream& line) {
    boost::system::error_code ec;
    co_await line.next_layer().async_connect(
      {asio::ip::address_v4::loopback(), port_},
      asio::redirect_error(use_awaitable, ec));
    if (ec)
      co_return false;
    line.next_layer().set_option(asio::ip::tcp::no_delay(true), ec);
    line.set_option(
      websocket::stream_base::decorator([](websocket::request_type& request) {
        request.set(beast::http::field::sec_websocket_protocol,
                    "switchboard.v1.json");
      }));
    line.read_message_max(0);
    co_await line.async_handshake("127.0.0.1", "/v1/ws",
                                  asio::redirect_error(use_awaitable, ec));
    co_return !ec;
  }

  /// Until the connection ends.
  awaitable<void> converse(std::size_t who, ws_stream& line) {
    beast::flat_buffer buffer;
    boost::system::error_code ec;
    auto out = to_.opened(who);
    while (!ec) {
      if (!out.empty())
        co_await line.async_write(asio::buffer(out),
                                  asio::redirect_error(use_awaitable, ec));
      if (!ec)
        co_await line.async_read(buffer,
                                 asio::redirect_error(use_awaitable, ec));
      if (ec)
        co_return;
      out = to_.received(
        who, {static_cast<const char*>(buffer.data().data()), buffer.size()});
      buffer.consume(buffer.size());
    }
  }

  std::uint16_t port_;
  handlers to_;
  asio::io_context context_{1};
  std::vector<std::optional<ws_stream>> lines_; ///< End before their context.
  std::thread thread_;
};

ws_clients::ws_clients(std::uint16_t port, std::size_t count, handlers to)
  : impl_(std::make_unique<impl>(port, count, std::move(to))) {
  // nop
}

ws_clients::~ws_clients() = default;

void ws_clients::cut(std::size_t who) {
  asio::post(impl_->context_, [&line = impl_->lines_.at(who)] {
    boost::system::error_code ignored;
    if (line)
      line->next_layer().close(ignored);
  });
}

} // namespace switchboard
