#include "gateways/visitor/connection.hpp"

#include "bus/subject.hpp"
#include "gateways/agent/reply.hpp"
#include "gateways/http/rate_limit.hpp"
#include "gateways/http/ws_frames.hpp"
#include "gateways/visitor/protocol.hpp"

#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

namespace switchboard {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using namespace visitor_protocol;

constexpr std::size_t write_bytes_max = 32 * 1024;
/// Answers to pings may wait up to here; who sends more does not read.
constexpr std::size_t unread_bytes_max = 64 * 1024;

time_point wall_now() {
  return std::chrono::time_point_cast<duration>(clock::now());
}

/// What a customer's conversation sees of the connection.
class visitor_link final : public socket_link, public visitor_screen {
public:
  using socket_link::socket_link;

  void show(const visit_push& what) override {
    put(visitor_protocol::format(what), visitor_protocol::droppable(what));
  }
  void end(std::string_view reason) override { end_with(farewell_for(reason)); }
  [[nodiscard]] bool lags() override { return half_full(); }
};

/// One customer's connection, from the first frame on. While nothing happens it
/// is this object, its link, and one readiness that is waited for: bytes are
/// read into the shard's own buffer, and what is written is kept only until
/// the kernel has taken it. Everything here runs on the shard's thread.
class visitor final : public wheel::guest,
                      public std::enable_shared_from_this<visitor> {
public:
  visitor(shard& home, tcp_socket socket, socket_count counted)
    : home_(home),
      socket_(std::move(socket)),
      counted_(std::move(counted)),
      pace_(limits().visitor_commands_per_second,
            limits().visitor_commands_burst),
      since_(std::chrono::steady_clock::now()),
      heard_at_(since_) {}

  /// If the whole gateway ends before the connection did.
  ~visitor() override { leave(); }

  void start() {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    home_.clock.set(*this, since_ + limits().sign_in_time);
    listen();
  }

  void due(steady_time now) override {
    if (closing_)
      return over();
    if (!link_)
      return close({close_code::unauthorized, "sign in sooner"});
    if (!signed_in_) {
      if (now - since_ >= limits().answer_time)
        return close({close_code::draining, "nobody answered in time"});
      return home_.clock.set(*this, since_ + limits().answer_time);
    }
    if (now - heard_at_ >= limits().dead_time)
      return close({close_code::timed_out, "nothing heard for too long"});
    ws::append_frame(out_, ws::opcode::ping, {});
    link_->put(agent_protocol::format_ping());
    flush();
    home_.clock.set(*this,
                    std::min(now + limits().ping_time,
                             std::max(now, heard_at_ + limits().dead_time)));
  }

  void drain() override {
    // Spread out, so that all the customers of a node do not return at once.
    const auto least = limits().return_time.count();
    const auto spread = since_.time_since_epoch().count() / 1024;
    const auto after = least + spread % (2 * least + 1);
    close(
      {close_code::draining, "draining; after_ms=" + std::to_string(after)});
  }

private:
  const gateway_limits& limits() const { return home_.state->how.limits; }
  front& actors() { return *home_.state->how.actors; }

  // -- reading ----------------------------------------------------------------

  void listen() {
    socket_.async_wait(tcp_socket::wait_read,
                       [self = shared_from_this()](auto ec) {
                         ec ? self->over() : self->on_readable();
                       });
  }

  void on_readable() {
    boost::system::error_code ec;
    const auto got = socket_.read_some(asio::buffer(home_.scratch), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again)
      return over();
    in_.add({home_.scratch.data(), got});
    heard_at_ = std::chrono::steady_clock::now();
    while (auto x = in_.next(link_ ? frame_bytes_max : first_frame_bytes_max)) {
      take(std::move(*x));
      if (!socket_.is_open())
        return;
    }
    if (const auto& broken = in_.broken(); broken && !closing_)
      close({static_cast<close_code>(broken->code), std::string(broken->why)});
    if (socket_.is_open())
      listen();
  }

  void take(ws::message x) {
    if (x.what == ws::opcode::close) {
      if (!closing_)
        close({close_code::normal, {}});
      return over();
    }
    if (closing_)
      return;
    if (!pace_.take(heard_at_))
      return close({close_code::too_fast, "too many frames or commands; send "
                                          "more slowly"});
    if (x.what == ws::opcode::ping) {
      if (out_.size() > unread_bytes_max)
        return close({close_code::too_fast, "you read too slowly"});
      ws::append_frame(out_, ws::opcode::pong, x.bytes);
      return flush();
    }
    if (x.what == ws::opcode::pong)
      return;
    if (x.what != ws::opcode::text)
      return close({close_code::bad_frame, "frames are text"});
    const auto objects = parse_frame(x.bytes);
    auto next = objects.begin();
    if (!link_) {
      if (!sign_in(*next))
        return;
      ++next;
    }
    for (bool first = true; next != objects.end(); ++next, first = false) {
      // The frame itself has been counted.
      if (!first && !pace_.take(heard_at_))
        return close({close_code::too_fast, "too many commands; send more "
                                            "slowly"});
      if (!handle(*next))
        return;
    }
  }

  // -- signing in -------------------------------------------------------------

  bool sign_in(const parsed& object) {
    const auto* first = std::get_if<command>(&object);
    const auto* how =
      first == nullptr ? nullptr : std::get_if<connect>(&first->what);
    if (how == nullptr) {
      const auto* refused = std::get_if<refusal>(&object);
      close({close_code::bad_frame, refused != nullptr
                                      ? refused->why.detail
                                      : "the first command must be connect"});
      return false;
    }
    const auto who = home_.state->how.verifier->verify(how->token, wall_now());
    if (!who) {
      refuse(first->id, who.error(), close_code::unauthorized);
      return false;
    }
    if (who->as != role::visitor) {
      refuse(first->id,
             fail(errc::forbidden, "the token is not a customer's: agents "
                                   "connect with switchboard.v1.json"),
             close_code::forbidden);
      return false;
    }
    const auto user =
      subject::parse_user_token(subject::user_token(who->subject));
    if (!user) {
      refuse(first->id,
             fail(errc::forbidden, "the token's sub is no user's name: give "
                                   "them one of at most 256 bytes"),
             close_code::forbidden);
      return false;
    }
    subscribe(first->id, *who, how->resume);
    return true;
  }

  void refuse(std::int64_t id, const error& why, close_code code) {
    ws::append_frame(out_, ws::opcode::text,
                     agent_protocol::format_error(id, why));
    close({code, why.detail});
  }

  /// The link's gate stays closed until the conversation's owner has answered;
  /// what is shown before waits behind the welcome.
  void subscribe(std::int64_t id, const identity& who, visit::position from) {
    who_ = {std::string(channel), who.subject};
    link_ = std::make_shared<visitor_link>(
      send_queue::limits{limits().visitor_outbound_objects_max,
                         limits().visitor_outbound_bytes_max,
                         limits().visitor_outbound_bytes_max},
      [weak_home = home_.weak_from_this(), weak = weak_from_this()] {
        if (const auto to = weak_home.lock())
          asio::post(to->context, [weak] {
            if (const auto self = weak.lock())
              self->look();
          });
      });
    since_ = heard_at_;
    home_.clock.set(*this, since_ + limits().answer_time);
    token_ = actors().come(
      who_, link_, from, [id, who, link = link_](const result<receipt>& x) {
        if (x)
          return link->open(format_welcome(id, who, *x, wall_now()));
        link->open(agent_protocol::format_error(id, x.error()));
        link->end_with({x.error().code == errc::malformed
                          ? close_code::bad_frame
                          : close_code::draining,
                        x.error().detail});
      });
  }

  void look() {
    if (closing_ || !socket_.is_open())
      return;
    if (const auto end = link_->ended())
      return close(*end);
    if (!signed_in_ && link_->is_open()) {
      signed_in_ = true;
      home_.state->visitors.fetch_add(1);
      home_.state->metrics.visitor_came();
      home_.clock.set(*this, heard_at_ + limits().ping_time);
    }
    flush();
  }

  void leave() {
    if (token_)
      actors().leave(who_, *token_);
    token_.reset();
    if (!std::exchange(signed_in_, false))
      return;
    home_.state->visitors.fetch_sub(1);
    home_.state->metrics.visitor_went();
  }

  // -- commands ---------------------------------------------------------------

  /// @returns false when the connection is to end
  bool handle(const parsed& object) {
    if (const auto* bad = std::get_if<refusal>(&object)) {
      if (!bad->id) {
        close({close_code::bad_frame, bad->why.detail});
        return false;
      }
      home_.state->metrics.asked("customer.unknown", "malformed", 0);
      link_->put(agent_protocol::format_error(*bad->id, bad->why));
      return true;
    }
    const auto& [id, what] = std::get<command>(object);
    if (std::holds_alternative<pong>(what))
      return true;
    if (!link_->begin(limits().visitor_in_flight_max)) {
      link_->put(agent_protocol::format_error(
        id, fail(errc::overloaded, "too many commands wait for an answer; wait "
                                   "for some of them")));
      return true;
    }
    std::visit([&, i = id](const auto& x) { perform(i, x); }, what);
    return true;
  }

  front::callback<receipt> receipt_for(std::int64_t id,
                                       std::string_view name) const {
    return reply_over<receipt>(link_, home_.state, id, name,
                               [](std::int64_t i, const receipt& x) {
                                 return agent_protocol::format_result(i, x);
                               });
  }

  void perform(std::int64_t id, const send& what) {
    inbound x;
    x.id = what.client_id;
    x.from = who_;
    x.content = what.body;
    x.sent_at = wall_now();
    actors().post(std::move(x), receipt_for(id, name_of(what)));
  }

  void perform(std::int64_t id, const history& what) {
    actors().recall(
      who_, what.session,
      what.before.value_or(std::numeric_limits<std::int32_t>::max()),
      what.limit,
      reply_over<std::vector<entry>>(
        link_, home_.state, id, name_of(what),
        [of = what.session](std::int64_t i, const std::vector<entry>& x) {
          return format_lines(i, of, x);
        }));
  }

  void perform(std::int64_t id, const typing& what) {
    actors().sign(who_, {});
    receipt_for(id, name_of(what))(receipt{});
  }

  void perform(std::int64_t id, const read& what) {
    actors().sign(who_, what.seq);
    receipt_for(id, name_of(what))(receipt{});
  }

  void perform(std::int64_t id, const connect& what) {
    receipt_for(id, name_of(what))(
      fail(errc::wrong_phase, "you are signed in already"));
  }

  void perform(std::int64_t, const pong&) { link_->finish(); }

  // -- writing ----------------------------------------------------------------

  /// Writes what waits, as far as the kernel takes it.
  void flush() {
    while (!writing_ && socket_.is_open()) {
      if (out_.empty() && link_ && !closing_) {
        const auto text = link_->take(write_bytes_max);
        home_.state->metrics.dropped(link_->dropped());
        if (!text.empty()) {
          ws::append_frame(out_, ws::opcode::text, text);
          home_.state->metrics.sent(out_.size());
        }
      }
      if (out_.empty())
        break;
      boost::system::error_code ec;
      const auto put = socket_.write_some(asio::buffer(out_), ec);
      out_.erase(0, put);
      if (ec == asio::error::would_block || ec == asio::error::try_again)
        return when_writable();
      if (ec)
        return over();
    }
    if (out_.empty())
      std::string{}.swap(out_);
  }

  void when_writable() {
    writing_ = true;
    socket_.async_wait(tcp_socket::wait_write,
                       [self = shared_from_this()](auto ec) {
                         self->writing_ = false;
                         ec ? self->over() : self->flush();
                       });
  }

  // -- the end ----------------------------------------------------------------

  void close(const farewell& why) {
    if (std::exchange(closing_, true) || !socket_.is_open())
      return;
    const auto code = static_cast<std::uint16_t>(why.code);
    home_.state->metrics.closed_with(code);
    spdlog::debug("customer's connection closed with {}: {}", code, why.reason);
    // The answer that says why, if there is one, goes first.
    if (link_)
      if (const auto text = link_->take(write_bytes_max); !text.empty())
        ws::append_frame(out_, ws::opcode::text, text);
    ws::append_close(out_, code, why.reason);
    leave();
    home_.clock.set(*this,
                    std::chrono::steady_clock::now() + limits().close_time);
    flush();
  }

  void over() {
    wheel::guest::leave();
    leave();
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  shard& home_;
  tcp_socket socket_;
  socket_count counted_;
  ws::frame_reader in_;
  std::string out_; ///< What the kernel has not taken yet.
  rate_limit pace_;
  steady_time since_; ///< Connected, or asked to sign in.
  steady_time heard_at_;
  contact who_;
  std::shared_ptr<visitor_link> link_; ///< Since it asked to sign in.
  std::optional<std::int64_t> token_;
  bool signed_in_ = false;
  bool writing_ = false;
  bool closing_ = false;
};

} // namespace

awaitable<void> serve_visitor(shard& home, tcp_socket socket,
                              upgrade_request request, socket_count counted) {
  boost::system::error_code ec;
  {
    // Beast knows how to shake hands; what comes then needs no stream.
    websocket::stream<tcp_socket&, false> hello{socket};
    hello.set_option(
      websocket::stream_base::decorator([](websocket::response_type& answer) {
        answer.set(beast::http::field::sec_websocket_protocol, subprotocol);
      }));
    co_await hello.async_accept(request,
                                asio::redirect_error(use_awaitable, ec));
  }
  if (ec)
    co_return;
  std::make_shared<visitor>(home, std::move(socket), std::move(counted))
    ->start();
}

} // namespace switchboard
