#include "gateways/agent/connection.hpp"

#include "gateways/agent/reply.hpp"
#include "gateways/http/rate_limit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <spdlog/spdlog.h>

#include <array>

namespace switchboard {

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using namespace agent_protocol;

/// Compression is compiled out: it costs 300 KB a connection.
using ws_stream = websocket::stream<tcp_socket, false>;

constexpr std::size_t write_bytes_max = 32 * 1024;

steady_time steady_now() {
  return std::chrono::steady_clock::now();
}

/// One agent's connection. Everything here runs on the shard's thread; what
/// other threads have to say comes through `link_`.
class connection final : public timed,
                         public std::enable_shared_from_this<connection> {
public:
  connection(shard& home, tcp_socket socket)
    : home_(home),
      ws_(std::move(socket)),
      pace_(limits().commands_per_second, limits().commands_burst),
      opened_at_(steady_now()),
      heard_at_(opened_at_),
      pinged_at_(opened_at_) {}

  awaitable<void> run(upgrade_request request) {
    const listed in_the_list{home_, *this};
    if (co_await accept(std::move(request))) {
      if (const auto first = co_await read_frame())
        if (co_await sign_in(*first))
          co_await serve();
      sign_out();
      co_await until_closed();
    }
  }

  void tick(steady_time now) override {
    if (closing_at_) {
      if (now - *closing_at_ > limits().close_time)
        cut();
      return;
    }
    if (!asked_) {
      if (now - opened_at_ > limits().sign_in_time)
        accepted_ ? close({close_code::unauthorized, "sign in sooner"}) : cut();
      return;
    }
    if (!signed_in_)
      return; // It is the actors' turn, who have a limit of their own.
    if (now - heard_at_ > limits().dead_time)
      return close({close_code::timed_out, "nothing heard for too long"});
    if (now - pinged_at_ > limits().ping_time) {
      pinged_at_ = now;
      link_->put(format_ping());
      ping();
    }
  }

  void drain() override {
    if (!accepted_)
      return cut();
    // Spread out, so that all the agents of a node do not return at once.
    const auto least = limits().return_time.count();
    const auto spread = opened_at_.time_since_epoch().count() / 1024;
    const auto after = least + spread % (2 * least + 1);
    close(
      {close_code::draining, "draining; after_ms=" + std::to_string(after)});
  }

private:
  const gateway_limits& limits() const { return home_.state->how.limits; }
  front& actors() { return *home_.state->how.actors; }

  // -- the life of a connection, in order -------------------------------------

  awaitable<bool> accept(upgrade_request request) {
    // Larger frames are found by us, who close with a code of our own.
    ws_.read_message_max(0);
    ws_.text(true);
    ws_.set_option(
      websocket::stream_base::decorator([](websocket::response_type& answer) {
        answer.set(beast::http::field::sec_websocket_protocol, subprotocol);
      }));
    ws_.control_callback([this](auto, auto) { heard_at_ = steady_now(); });
    boost::system::error_code ec;
    co_await ws_.async_accept(request, asio::redirect_error(use_awaitable, ec));
    accepted_ = !ec;
    co_return accepted_;
  }

  /// @returns nothing when the connection is over
  awaitable<std::optional<std::string>> read_frame() {
    std::string frame;
    std::array<char, 1024> piece;
    do {
      boost::system::error_code ec;
      const auto got = co_await ws_.async_read_some(
        asio::buffer(piece), asio::redirect_error(use_awaitable, ec));
      if (ec) {
        gone_ = true;
        co_return std::nullopt;
      }
      if (closing_at_)
        co_return std::nullopt;
      if (frame.size() + got > frame_bytes_max) {
        close({close_code::too_large, "a frame is at most 256 KiB"});
        co_return std::nullopt;
      }
      frame.append(piece.data(), got);
    } while (!ws_.is_message_done());
    heard_at_ = steady_now();
    if (!ws_.got_text()) {
      close({close_code::bad_frame, "frames are text"});
      co_return std::nullopt;
    }
    asked_ = true;
    co_return frame;
  }

  awaitable<bool> sign_in(const std::string& frame) {
    auto objects = parse_frame(frame);
    auto* first = std::get_if<command>(&objects.front());
    const auto* how =
      first == nullptr ? nullptr : std::get_if<connect>(&first->what);
    if (how == nullptr) {
      const auto* refused = std::get_if<refusal>(&objects.front());
      close({close_code::bad_frame, refused != nullptr
                                      ? refused->why.detail
                                      : "the first command must be connect"});
      co_return false;
    }
    if (!co_await authenticate(first->id, *how)
        || !co_await subscribe(first->id, *how))
      co_return false;
    // The writer starts here: the welcome, and then what the sign-in showed.
    signed_in_ = true;
    home_.state->agents.fetch_add(1);
    home_.state->metrics.agent_came();
    link_->open(format_welcome(
      first->id, who_, std::chrono::time_point_cast<duration>(clock::now())));
    for (std::size_t i = 1; i < objects.size(); ++i)
      if (!handle(objects[i]))
        co_return false;
    co_return true;
  }

  awaitable<bool> authenticate(std::int64_t id, const connect& how) {
    const auto verified = home_.state->how.verifier->verify(
      how.token, std::chrono::time_point_cast<duration>(clock::now()));
    if (!verified) {
      co_await write_last(format_error(id, verified.error()));
      close({close_code::unauthorized, verified.error().detail});
      co_return false;
    }
    if (verified->as == role::operator_ || verified->as == role::visitor) {
      const auto why =
        fail(errc::forbidden,
             verified->as == role::visitor
               ? "a customer's token: connect with switchboard.customer.v1.json"
               : "an operator has no desk: sign in as an agent or supervisor");
      co_await write_last(format_error(id, why));
      close({close_code::forbidden, why.detail});
      co_return false;
    }
    who_ = *verified;
    co_return true;
  }

  /// Hands our screen to the agent's actor.
  awaitable<bool> subscribe(std::int64_t id, const connect& how) {
    make_link();
    const agent_id agent{who_.subject};
    auto& face = actors();
    // Named, for GCC 12 destroys a lambda twice that is made within a co_await.
    const auto start = [&](auto done) {
      face.sign_in(agent, link_, how.resume, done);
    };
    const auto late = [&face, agent](const result<std::int64_t>& token) {
      if (token)
        face.sign_out(agent, *token);
    };
    const auto signed_in = co_await wait_for<result<std::int64_t>>(
      home_, limits().answer_time, start, late);
    if (signed_in && *signed_in) {
      token_ = **signed_in;
      take_device(how.device);
      co_return !closing_at_ && !gone_;
    }
    const auto why = signed_in
                       ? signed_in->error()
                       : fail(errc::unavailable, "nobody answered in time");
    if (closing_at_)
      co_return false;
    co_await write_last(format_error(id, why));
    if (why.code == errc::unavailable || why.code == errc::moved
        || why.code == errc::overloaded)
      close({close_code::draining, why.detail});
    else
      close({close_code::forbidden, why.detail});
    co_return false;
  }

  awaitable<void> serve() {
    while (const auto frame = co_await read_frame())
      for (const auto& object : parse_frame(*frame))
        if (!handle(object))
          co_return;
  }

  void sign_out() {
    if (link_)
      leave_device();
    if (token_)
      actors().sign_out(agent_id{who_.subject}, *token_);
    if (signed_in_) {
      home_.state->agents.fetch_sub(1);
      home_.state->metrics.agent_went();
    }
    token_.reset();
  }

  /// Reads on and forgets, so that the peer's answer to our close is found.
  awaitable<void> until_closed() {
    std::array<char, 1024> piece;
    while (!gone_) {
      boost::system::error_code ec;
      co_await ws_.async_read_some(asio::buffer(piece),
                                   asio::redirect_error(use_awaitable, ec));
      gone_ = static_cast<bool>(ec);
    }
    cut();
  }

  // -- commands ---------------------------------------------------------------

  /// @returns false when the connection is to end
  bool handle(const parsed& object) {
    if (closing_at_)
      return false;
    if (!pace_.take(steady_now())) {
      close({close_code::too_fast, "too many commands"});
      return false;
    }
    if (const auto* bad = std::get_if<refusal>(&object)) {
      if (!bad->id) {
        close({close_code::bad_frame, bad->why.detail});
        return false;
      }
      home_.state->metrics.asked("unknown", "malformed", 0);
      link_->put(format_error(*bad->id, bad->why));
      return true;
    }
    const auto& [id, what] = std::get<command>(object);
    if (std::holds_alternative<pong>(what))
      return true;
    if (!link_->begin(limits().in_flight_max)) {
      link_->put(format_error(
        id, fail(errc::overloaded, "too many commands wait for an answer")));
      return true;
    }
    std::visit([&, i = id](const auto& x) { perform(i, x); }, what);
    return true;
  }

  template <class T, class Format>
  front::callback<T> reply_with(std::int64_t id, std::string_view name,
                                Format format_it) {
    return reply_over<T>(link_, home_.state, id, name, format_it);
  }

  void perform(std::int64_t id, const agent_ask& what) {
    actors().ask(agent_id{who_.subject}, what,
                 reply_with<receipt>(id, name_of(what),
                                     [](std::int64_t i, const receipt& x) {
                                       return format_result(i, x);
                                     }));
  }

  void perform(std::int64_t id, const history& what) {
    auto after = what.after;
    auto count = what.limit;
    if (what.before) {
      after = std::max(0, *what.before - 1 - what.limit);
      count = std::min(what.limit, std::max(0, *what.before - 1));
    }
    auto reply = reply_with<std::vector<entry>>(
      id, "history",
      [of = what.session](std::int64_t i, const std::vector<entry>& x) {
        return format_result(i, of, x);
      });
    if (count == 0)
      return reply(std::vector<entry>{});
    actors().history(agent_id{who_.subject}, what.session, after, count, reply);
  }

  void perform(std::int64_t id, const person& what) {
    const auto before = what.before.value_or(
      std::chrono::time_point_cast<duration>(clock::now()));
    using lines = std::vector<front::person_line>;
    actors().person(
      agent_id{who_.subject}, what.session, before, what.limit,
      reply_with<lines>(id, "person", [](std::int64_t i, const lines& x) {
        return format_result(i, x);
      }));
  }

  void perform(std::int64_t id, const connect&) {
    link_->finish();
    link_->put(
      format_error(id, fail(errc::wrong_phase, "you are signed in already")));
  }

  void perform(std::int64_t, const pong&) { link_->finish(); }

  // -- devices ----------------------------------------------------------------

  void take_device(const std::string& device) {
    if (device.empty())
      return;
    std::shared_ptr<agent_link> before;
    device_ = {who_.subject, device};
    {
      auto& state = *home_.state;
      const std::lock_guard lock{state.devices_mutex};
      auto& now = state.devices[device_];
      before = now.lock();
      now = link_;
    }
    if (before)
      before->end("replaced");
  }

  void leave_device() {
    auto& state = *home_.state;
    const std::lock_guard lock{state.devices_mutex};
    const auto found = state.devices.find(device_);
    if (found != state.devices.end() && found->second.lock() == link_)
      state.devices.erase(found);
  }

  // -- writing ----------------------------------------------------------------

  void make_link() {
    // The link outlives us in the hands of actors, and so knows us only weakly;
    // the weak pointer is locked on our own thread alone.
    link_ = std::make_shared<agent_link>(
      send_queue::limits{limits().outbound_objects_max,
                         limits().outbound_bytes_max,
                         limits().catch_up_bytes_max},
      [weak_home = home_.weak_from_this(),
       weak = std::weak_ptr<connection>(shared_from_this())] {
        if (const auto to = weak_home.lock())
          asio::post(to->context, [weak] {
            if (const auto self = weak.lock())
              self->look();
          });
      });
  }

  void look() {
    if (closing_at_ || gone_)
      return;
    if (const auto end = link_->ended())
      return close(*end);
    if (writing_ || !signed_in_)
      return;
    writing_ = true;
    asio::co_spawn(
      home_.context,
      [self = shared_from_this()] { return self->write_what_waits(); },
      asio::detached);
  }

  awaitable<void> write_what_waits() {
    while (!closing_at_ && !gone_) {
      const auto frame = link_->take(write_bytes_max);
      home_.state->metrics.dropped(link_->dropped());
      if (frame.empty())
        break;
      if (!co_await write(frame))
        break;
    }
    writing_ = false;
    if (!closing_at_ && link_->ended())
      look();
  }

  awaitable<bool> write(const std::string& frame) {
    boost::system::error_code ec;
    co_await ws_.async_write(asio::buffer(frame),
                             asio::redirect_error(use_awaitable, ec));
    if (!ec)
      home_.state->metrics.sent(frame.size());
    co_return !ec;
  }

  /// Before the writer runs: there is nobody else who writes.
  awaitable<void> write_last(const std::string& frame) {
    if (!closing_at_ && !gone_)
      co_await write(frame);
  }

  void ping() {
    if (std::exchange(pinging_, true))
      return;
    ws_.async_ping(
      {}, [self = shared_from_this()](auto) { self->pinging_ = false; });
  }

  // -- the end ----------------------------------------------------------------

  void close(const farewell& why) {
    if (closing_at_ || gone_)
      return;
    closing_at_ = steady_now();
    const auto code = static_cast<std::uint16_t>(why.code);
    home_.state->metrics.closed_with(code);
    spdlog::debug("agent's connection closed with {}: {}", code, why.reason);
    websocket::close_reason reason{code};
    // A control frame holds 125 bytes, two of which are the code.
    const auto text = prefix(why.reason, 120);
    reason.reason.assign(text.begin(), text.end());
    ws_.async_close(reason, [self = shared_from_this()](auto ec) {
      // It is Beast, or the peer, that ends the stream first.
      if (ec)
        self->cut();
    });
  }

  void cut() {
    boost::system::error_code ignored;
    ws_.next_layer().close(ignored);
  }

  shard& home_;
  ws_stream ws_;
  rate_limit pace_;
  steady_time opened_at_;
  steady_time heard_at_;
  steady_time pinged_at_;
  std::optional<steady_time> closing_at_;
  bool accepted_ = false;
  bool asked_ = false; ///< The first frame is here.
  bool signed_in_ = false;
  bool writing_ = false;
  bool pinging_ = false;
  bool gone_ = false;
  identity who_;
  std::optional<std::int64_t> token_;
  std::pair<std::string, std::string> device_;
  std::shared_ptr<agent_link> link_;
};

} // namespace

awaitable<void> serve_agent(shard& home, tcp_socket socket,
                            upgrade_request request) {
  const auto one = std::make_shared<connection>(home, std::move(socket));
  co_await one->run(std::move(request));
}

} // namespace switchboard
