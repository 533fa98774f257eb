#include "gateways/http/ws_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <array>

namespace switchboard {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using tcp = asio::ip::tcp;

namespace {

error away(const boost::system::error_code& ec) {
  return fail(errc::unavailable, ec.message());
}

/// Runs one operation to its end. @returns false, with the operation still
/// under way, after `patience`.
bool run(asio::io_context& on, const bool& done, duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  on.restart();
  while (!done && std::chrono::steady_clock::now() < until)
    on.run_one_until(until);
  return done;
}

result<void> dial(asio::io_context& on, tcp::socket& socket,
                  const std::string& host, std::uint16_t port,
                  duration patience, int receive_buffer_bytes = 0) {
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec)
    return fail(errc::malformed, "not an IP address: " + host);
  socket.open(address.is_v6() ? tcp::v6() : tcp::v4(), ec);
  if (ec)
    return away(ec);
  // It must be known before the connection: it settles the window.
  if (receive_buffer_bytes > 0)
    socket.set_option(
      asio::socket_base::receive_buffer_size(receive_buffer_bytes), ec);
  bool done = false;
  socket.async_connect({address, port}, [&](auto got) {
    ec = got;
    done = true;
  });
  if (!run(on, done, patience)) {
    boost::system::error_code ignored;
    socket.close(ignored);
    run(on, done, duration{1000});
    return fail(errc::unavailable, "no connection in time");
  }
  if (ec)
    return away(ec);
  socket.set_option(tcp::no_delay(true), ec);
  return {};
}

errc code_for(int status) {
  for (const auto code : {errc::malformed, errc::unauthorized, errc::forbidden,
                          errc::not_found, errc::overloaded, errc::unavailable})
    if (http_status(code) == status)
      return code;
  return errc::malformed;
}

} // namespace

struct ws_client::impl {
  asio::io_context context{1};
  websocket::stream<tcp::socket, false> ws{context};
  beast::flat_buffer buffer;
  std::string frame; ///< Received, and not taken apart to its end.
  bool reading = false;
  bool read_done = false;
  boost::system::error_code read_error;
  bool over = false;

  ~impl() { cut(); }

  void cut() {
    boost::system::error_code ignored;
    over = true;
    ws.next_layer().close(ignored);
    // What is under way refers to members: let it end before they do.
    while (reading && !read_done)
      if (context.restart(); context.run_one() == 0)
        break;
  }

  /// A read that was not over in time goes on, and is waited for again.
  void start_reading() {
    if (reading)
      return;
    reading = true;
    read_done = false;
    ws.async_read(buffer, [this](auto ec, std::size_t) {
      read_error = ec;
      read_done = true;
    });
  }

  std::optional<std::string> next_line() {
    if (frame.empty())
      return std::nullopt;
    const auto end = std::min(frame.find('\n'), frame.size());
    auto line = frame.substr(0, end);
    frame.erase(0, end + 1);
    return line;
  }
};

ws_client::ws_client(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
ws_client::~ws_client() = default;
ws_client::ws_client(ws_client&&) noexcept = default;
ws_client& ws_client::operator=(ws_client&&) noexcept = default;

result<ws_client> ws_client::connect(const options& how) {
  auto x = std::make_unique<impl>();
  if (auto ok = dial(x->context, x->ws.next_layer(), how.host, how.port,
                     how.patience, how.receive_buffer_bytes);
      !ok)
    return ok.error();
  x->ws.set_option(
    websocket::stream_base::decorator([&](websocket::request_type& request) {
      if (!how.subprotocol.empty())
        request.set(http::field::sec_websocket_protocol, how.subprotocol);
      if (!how.origin.empty())
        request.set(http::field::origin, how.origin);
    }));
  boost::system::error_code ec;
  bool done = false;
  websocket::response_type answer;
  x->ws.async_handshake(answer, how.host + ":" + std::to_string(how.port),
                        how.path, [&](auto got) {
                          ec = got;
                          done = true;
                        });
  if (!run(x->context, done, how.patience)) {
    x->cut();
    run(x->context, done, duration{1000});
    return fail(errc::unavailable, "no answer to the upgrade in time");
  }
  if (ec == websocket::error::upgrade_declined) {
    const std::string body(answer.body().data(), answer.body().size());
    return fail(code_for(static_cast<int>(answer.result_int())), body);
  }
  if (ec)
    return away(ec);
  x->ws.read_message_max(0);
  return ws_client{std::move(x)};
}

result<void> ws_client::send(std::string_view text) {
  boost::system::error_code ec;
  impl_->ws.text(true);
  impl_->ws.write(asio::buffer(text), ec);
  if (ec)
    return away(ec);
  return {};
}

result<void> ws_client::send_binary(std::string_view bytes) {
  boost::system::error_code ec;
  impl_->ws.binary(true);
  impl_->ws.write(asio::buffer(bytes), ec);
  if (ec)
    return away(ec);
  return {};
}

std::optional<std::string> ws_client::receive(duration patience) {
  auto& x = *impl_;
  if (auto line = x.next_line())
    return line;
  if (x.over)
    return std::nullopt;
  x.start_reading();
  if (!run(x.context, x.read_done, patience))
    return std::nullopt;
  x.reading = false;
  if (x.read_error) {
    x.over = true;
    return std::nullopt;
  }
  x.frame = beast::buffers_to_string(x.buffer.data());
  x.buffer.consume(x.buffer.size());
  return x.next_line();
}

bool ws_client::closed() const {
  return impl_->over;
}

std::uint16_t ws_client::close_code() const {
  return impl_->ws.reason().code;
}

std::string ws_client::close_reason() const {
  const auto& text = impl_->ws.reason().reason;
  return {text.data(), text.size()};
}

void ws_client::close() {
  if (impl_->over)
    return;
  bool done = false;
  impl_->ws.async_close(websocket::close_code::normal,
                        [&](auto) { done = true; });
  if (!run(impl_->context, done, duration{1000})) {
    impl_->cut();
    run(impl_->context, done, duration{1000});
  }
  impl_->cut();
}

void ws_client::cut() {
  impl_->cut();
}

result<http_response>
http_request_once(std::uint16_t port, std::string_view method,
                  std::string_view target, const http_headers& headers,
                  std::string_view body, duration patience) {
  std::string text{method};
  text += " " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1:"
          + std::to_string(port) + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : headers)
    text += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST")
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n" + std::string(body);
  const auto got = tcp_exchange(port, text, patience);
  if (!got)
    return got.error();
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.skip(method == "HEAD");
  parser.body_limit(boost::none);
  boost::system::error_code ec;
  parser.put(asio::buffer(*got), ec);
  if (!ec && !parser.is_done())
    parser.put_eof(ec);
  if (ec)
    return fail(errc::unavailable, "not an HTTP answer: " + ec.message());
  http_response out;
  out.status = static_cast<int>(parser.get().result_int());
  out.body = parser.get().body();
  for (const auto& field : parser.get()) {
    std::string name(field.name_string().data(), field.name_string().size());
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    out.headers[name] = std::string(field.value().data(), field.value().size());
  }
  return out;
}

result<http_response> http_get(std::uint16_t port, std::string_view target,
                               const http_headers& headers) {
  return http_request_once(port, "GET", target, headers);
}

result<std::string> tcp_exchange(std::uint16_t port, std::string_view bytes,
                                 duration patience) {
  asio::io_context context{1};
  tcp::socket socket{context};
  if (auto ok = dial(context, socket, "127.0.0.1", port, patience); !ok)
    return ok.error();
  boost::system::error_code ec;
  asio::write(socket, asio::buffer(bytes), ec); // The answer says it better.
  std::string out;
  std::array<char, 8192> piece;
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    bool done = false;
    std::size_t got = 0;
    socket.async_read_some(asio::buffer(piece), [&](auto e, std::size_t n) {
      ec = e;
      got = n;
      done = true;
    });
    const auto left = std::chrono::duration_cast<duration>(
      until - std::chrono::steady_clock::now());
    if (!run(context, done, left)) {
      socket.close(ec);
      run(context, done, duration{1000});
      return fail(errc::unavailable,
                  "the connection stayed open; so far: " + out.substr(0, 200));
    }
    out.append(piece.data(), got);
    if (ec)
      return out;
  }
}

} // namespace switchboard
