#include "gateways/http/gateway.hpp"

#include "config/child_process.hpp"
#include "config/thread_name.hpp"
#include "gateways/agent/connection.hpp"
#include "gateways/agent/protocol.hpp"
#include "gateways/http/shard.hpp"
#include "gateways/visitor/connection.hpp"
#include "gateways/visitor/protocol.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <condition_variable>
#include <thread>

namespace switchboard {

duration tick_time(const gateway_limits& x) {
  const auto least = std::min({x.request_time, x.idle_time, x.sign_in_time,
                               x.ping_time, x.dead_time, x.close_time});
  return std::clamp(least / 8, duration{5}, duration{1000});
}

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;
using timer =
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>,
                             executor>;
using request_parser = http::request_parser<http::string_body>;
using response = http::response<http::string_body>;

std::string text_of(beast::string_view x) {
  return {x.data(), x.size()};
}

std::string next_request_id() {
  static const auto prefix = random_secret(6);
  static std::atomic<std::uint64_t> count = 0;
  return prefix + "-" + std::to_string(count.fetch_add(1));
}

/// One HTTP connection: a few requests, or the beginning of a WebSocket.
class http_connection final : public timed {
public:
  http_connection(shard& home, tcp_socket socket, socket_count counted)
    : home_(home), socket_(std::move(socket)), counted_(std::move(counted)) {}

  awaitable<void> run() {
    std::optional<upgrade_request> upgrade;
    {
      const listed in_the_list{home_, *this};
      upgrade = co_await serve();
    }
    if (!upgrade)
      co_return;
    if (offers(*upgrade, visitor_protocol::subprotocol))
      co_await serve_visitor(home_, std::move(socket_), std::move(*upgrade),
                             std::move(counted_));
    else
      co_await serve_agent(home_, std::move(socket_), std::move(*upgrade));
  }

  void tick(steady_time now) override {
    if (now > deadline_)
      cut();
  }

  void drain() override {
    leaving_ = true;
    if (idle_)
      cut();
  }

private:
  const gateway_limits& limits() const { return home_.state->how.limits; }

  void limit(duration time) {
    deadline_ = std::chrono::steady_clock::now() + time;
  }

  void cut() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  /// @returns the request that turns this into a WebSocket, if one comes
  awaitable<std::optional<upgrade_request>> serve() {
    limit(limits().request_time);
    for (;;) {
      request_parser parser;
      parser.header_limit(
        static_cast<std::uint32_t>(limits().header_bytes_max));
      parser.body_limit(limits().body_bytes_max);
      if (const auto ec = co_await read(parser)) {
        co_await complain(ec);
        co_return std::nullopt;
      }
      auto request = parser.release();
      const auto asked = understand(request);
      if (beast::websocket::is_upgrade(request) && is_door(request)) {
        const auto refused = refuse_upgrade(request, asked);
        if (!refused)
          co_return request;
        co_await write(*refused, request, false);
        co_return std::nullopt;
      }
      const auto keep = request.keep_alive();
      if (!co_await answer(request, asked, keep) || !keep || leaving_)
        co_return std::nullopt;
      limit(limits().idle_time);
    }
  }

  awaitable<boost::system::error_code> read(request_parser& parser) {
    boost::system::error_code ec;
    idle_ = buffer_.size() == 0;
    if (idle_) {
      // Wait for the first byte with the patience for an idle connection, then
      // start the clock that a slow sender cannot stop.
      co_await socket_.async_wait(tcp_socket::wait_read,
                                  asio::redirect_error(use_awaitable, ec));
      if (ec)
        co_return ec;
    }
    idle_ = false;
    limit(limits().request_time);
    co_await http::async_read_header(socket_, buffer_, parser,
                                     asio::redirect_error(use_awaitable, ec));
    if (ec)
      co_return ec;
    if (beast::iequals(parser.get()[http::field::expect], "100-continue"))
      co_await asio::async_write(
        socket_, asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25),
        asio::redirect_error(use_awaitable, ec));
    if (!ec)
      co_await http::async_read(socket_, buffer_, parser,
                                asio::redirect_error(use_awaitable, ec));
    co_return ec;
  }

  static http_request understand(const upgrade_request& from) {
    http_request out{text_of(from.method_string()), text_of(from.target())};
    out.body = from.body();
    out.authorization = text_of(from[http::field::authorization]);
    out.idempotency_key = text_of(from["Idempotency-Key"]);
    out.request_id = sane_id(text_of(from["X-Request-Id"]));
    if (out.request_id.empty())
      out.request_id = next_request_id();
    out.trace_id = trace_id_of(text_of(from["traceparent"]));
    return out;
  }

  static bool is_door(const upgrade_request& request) {
    const auto target = text_of(request.target());
    return target == "/v1/ws" || target.starts_with("/v1/ws?");
  }

  std::optional<http_reply> refuse_upgrade(const upgrade_request& request,
                                           const http_request& asked) const {
    const auto no = [&](errc code, const char* why) {
      auto out = problem_reply(asked, fail(code, why));
      out.route = "/v1/ws";
      return out;
    };
    if (home_.state->draining)
      return no(errc::unavailable, "this node is going away: try another");
    if (!origin_allowed(text_of(request[http::field::origin]),
                        text_of(request[http::field::host]),
                        home_.state->how.origins))
      return no(errc::forbidden, "pages of this origin may not connect: add it "
                                 "to http.origins");
    if (!offers(request, agent_protocol::subprotocol)
        && !offers(request, visitor_protocol::subprotocol))
      return no(errc::malformed,
                "the subprotocol must be switchboard.v1.json (agents) or "
                "switchboard.customer.v1.json (customers)");
    return std::nullopt;
  }

  static bool offers(const upgrade_request& request, std::string_view name) {
    http::token_list all{request[http::field::sec_websocket_protocol]};
    return all.exists(beast::string_view(name.data(), name.size()));
  }

  awaitable<bool> answer(const upgrade_request& request,
                         const http_request& asked, bool keep) {
    limit(limits().answer_time + limits().request_time);
    const auto since = std::chrono::steady_clock::now();
    const auto& routes = home_.state->answers;
    // Named, for GCC 12 destroys a lambda twice that is made within a co_await.
    const auto start = [&](const http_answer& done) {
      routes.answer(asked, done);
    };
    const auto late = [](const http_reply&) {};
    auto reply =
      co_await wait_for<http_reply>(home_, limits().answer_time, start, late);
    if (!reply) {
      reply = problem_reply(
        asked, fail(errc::unavailable, "nobody answered in time: try again"));
      reply->route = "late";
    }
    reply->headers.emplace_back("X-Request-Id", asked.request_id);
    const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - since;
    home_.state->metrics.answered(reply->route, reply->status, took.count());
    co_return co_await write(*reply, request, keep && !leaving_);
  }

  awaitable<bool> write(const http_reply& reply, const upgrade_request& request,
                        bool keep) {
    response out{static_cast<http::status>(reply.status), request.version()};
    out.set(http::field::content_type, reply.type);
    for (const auto& [name, value] : reply.headers)
      out.set(name, value);
    out.keep_alive(keep);
    if (request.method() != http::verb::head)
      out.body() = reply.body;
    // Of HEAD, too, the length is told, though the body is not sent.
    out.content_length(reply.body.size());
    boost::system::error_code ec;
    co_await http::async_write(socket_, out,
                               asio::redirect_error(use_awaitable, ec));
    co_return !ec;
  }

  /// Says what was wrong with bytes that could not be read as a request.
  awaitable<void> complain(boost::system::error_code ec) {
    const auto& ours =
      http::make_error_code(http::error::bad_method).category();
    if (ec.category() != ours || ec == http::error::end_of_stream)
      co_return;
    http_request none;
    none.request_id = next_request_id();
    auto reply = problem_reply(
      none, fail(errc::malformed, "not an HTTP request: " + ec.message()));
    if (ec == http::error::body_limit)
      reply = problem_reply(
        none, fail(errc::too_large, "the body is larger than "
                                      + std::to_string(limits().body_bytes_max)
                                      + " bytes"));
    else if (ec == http::error::header_limit)
      reply = problem_reply(
        none,
        fail(errc::too_large, "the header is larger than "
                                + std::to_string(limits().header_bytes_max)
                                + " bytes"),
        431);
    reply.headers.emplace_back("X-Request-Id", none.request_id);
    home_.state->metrics.answered("unread", reply.status, 0);
    limit(limits().close_time);
    upgrade_request nothing;
    nothing.version(11);
    if (co_await write(reply, nothing, false))
      co_await swallow();
  }

  /// Closing while the peer still sends would reset the connection, and with it
  /// the answer; so its bytes are read and forgotten, until the deadline.
  awaitable<void> swallow() {
    boost::system::error_code ec;
    socket_.shutdown(tcp_socket::shutdown_send, ec);
    std::array<char, 4096> piece;
    while (!ec)
      co_await socket_.async_read_some(asio::buffer(piece),
                                       asio::redirect_error(use_awaitable, ec));
  }

  shard& home_;
  tcp_socket socket_;
  socket_count counted_;
  beast::flat_buffer buffer_;
  steady_time deadline_{};
  bool idle_ = true;
  bool leaving_ = false;
};

awaitable<void> serve_socket(shard& home, tcp_socket socket) {
  socket_count counted{home.state};
  boost::system::error_code ec;
  socket.set_option(asio::ip::tcp::no_delay(true), ec);
  if (const auto bytes = home.state->how.limits.send_buffer_bytes; bytes > 0)
    socket.set_option(asio::socket_base::send_buffer_size(bytes), ec);
  http_connection connection{home, std::move(socket), std::move(counted)};
  try {
    co_await connection.run();
  } catch (const std::exception& e) {
    // One connection's trouble (memory, say) must not be everybody's.
    spdlog::error("a connection failed: {}", e.what());
  }
}

awaitable<void> accept_sockets(shard& home, acceptor& from) {
  auto& state = *home.state;
  while (from.is_open()) {
    boost::system::error_code ec;
    auto socket =
      co_await from.async_accept(asio::redirect_error(use_awaitable, ec));
    if (ec == asio::error::operation_aborted || !from.is_open())
      co_return;
    if (ec) {
      // Out of files, most likely: let some be closed first.
      spdlog::warn("cannot accept a connection: {}", ec.message());
      timer pause{home.context, std::chrono::milliseconds{50}};
      co_await pause.async_wait(asio::redirect_error(use_awaitable, ec));
      continue;
    }
    if (state.sockets.fetch_add(1) >= state.how.connections_max) {
      state.sockets.fetch_sub(1);
      state.metrics.refused_socket();
      continue;
    }
    asio::co_spawn(home.context, serve_socket(home, std::move(socket)),
                   asio::detached);
  }
}

awaitable<void> tick_all(shard& home, timer& each) {
  const auto time = tick_time(home.state->how.limits);
  boost::system::error_code ec;
  while (!ec) {
    each.expires_after(time);
    co_await each.async_wait(asio::redirect_error(use_awaitable, ec));
    const auto now = std::chrono::steady_clock::now();
    // A tick never ends a coroutine at once, so the list keeps still.
    if (!ec)
      for (auto* one : home.all)
        one->tick(now);
    if (!ec)
      home.clock.turn(now);
  }
}

/// One thread: its shard, its own listening socket, its clock.
class worker {
public:
  explicit worker(const std::shared_ptr<gateway_state>& state)
    : home_(std::make_shared<shard>(state)),
      door_(home_->context),
      clock_(home_->context) {}

  /// @returns the port, or why it cannot be listened on
  result<std::uint16_t> listen(std::uint16_t port) {
    const auto& how = home_->state->how;
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(how.address, ec);
    if (ec)
      return fail(errc::malformed,
                  "http.address is not an IP address: '" + how.address + "'");
    const asio::ip::tcp::endpoint where{address, port};
    using reuse_port =
      asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
    door_.open(where.protocol(), ec);
    if (!ec)
      door_.set_option(asio::socket_base::reuse_address(true), ec);
    // Each thread accepts for itself; the kernel spreads connections.
    if (!ec && how.threads > 1)
      door_.set_option(reuse_port(true), ec);
    if (!ec)
      door_.bind(where, ec);
    if (!ec)
      door_.listen(4096, ec);
    if (ec)
      return fail(errc::unavailable, "cannot listen on " + how.address + ":"
                                       + std::to_string(port) + ": "
                                       + ec.message());
    return door_.local_endpoint().port();
  }

  void start() {
    asio::co_spawn(home_->context, accept_sockets(*home_, door_),
                   asio::detached);
    asio::co_spawn(home_->context, tick_all(*home_, clock_), asio::detached);
    thread_ = std::thread([this] {
      name_thread("gateway");
      home_->context.run();
    });
  }

  void drain() {
    asio::post(home_->context, [this] {
      const std::vector<timed*> all(home_->all.begin(), home_->all.end());
      for (auto* one : all)
        one->drain();
      for (auto* one : home_->clock.all())
        one->drain();
    });
  }

  void close_door() {
    asio::post(home_->context, [this] {
      boost::system::error_code ignored;
      door_.close(ignored);
    });
  }

  void stop() {
    home_->context.stop();
    if (thread_.joinable())
      thread_.join();
  }

private:
  std::shared_ptr<shard> home_;
  acceptor door_;
  timer clock_;
  std::thread thread_;
};

class beast_gateway final : public gateway {
public:
  explicit beast_gateway(gateway_options how)
    : state_(std::make_shared<gateway_state>(std::move(how))) {}

  ~beast_gateway() override { stop(); }

  result<void> start() {
    auto port = state_->how.port;
    const auto threads = std::max<std::size_t>(1, state_->how.threads);
    for (std::size_t i = 0; i < threads; ++i) {
      workers_.push_back(std::make_unique<worker>(state_));
      const auto got = workers_.back()->listen(port);
      if (!got)
        return got.error();
      port_ = port = *got;
    }
    for (const auto& one : workers_)
      one->start();
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override { return state_->sockets; }
  std::size_t agents() const override { return state_->agents; }
  std::size_t visitors() const override { return state_->visitors; }

  void drain() override {
    state_->draining = true;
    for (const auto& one : workers_)
      one->drain();
  }

  void stop() override {
    const std::lock_guard lock{stopping_};
    if (std::exchange(stopped_, true))
      return;
    for (const auto& one : workers_)
      one->close_door();
    drain();
    const auto until =
      std::chrono::steady_clock::now() + state_->how.limits.drain_time;
    while (state_->sockets > 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    for (const auto& one : workers_)
      one->stop();
  }

private:
  std::shared_ptr<gateway_state> state_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::uint16_t port_ = 0;
  std::mutex stopping_;
  bool stopped_ = false;
};

} // namespace

result<std::unique_ptr<gateway>> make_gateway(gateway_options how) {
  if (how.verifier == nullptr || how.actors == nullptr)
    return fail(errc::malformed, "a gateway needs a verifier and actors");
  auto out = std::make_unique<beast_gateway>(std::move(how));
  if (auto ok = out->start(); !ok)
    return ok.error();
  return std::unique_ptr<gateway>(std::move(out));
}

} // namespace switchboard
