#include "bench/desks.hpp"

#include "bench/rig.hpp"
#include "bus/codec.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/ws_clients.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace switchboard::bench {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view out_prefix = "sb.v1.out.web.";

std::string text_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

std::int64_t number_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_int64() ? x->get_int64() : 0;
}

template <class T>
T number(std::string_view text) {
  T x = 0;
  std::from_chars(text.data(), text.data() + text.size(), x);
  return x;
}

/// What one agent says to what they are shown, on one connection. No socket.
class screen {
public:
  /// Signs in, with what was seen of each session before.
  void sign_in(const std::string& token,
               const std::map<std::string, std::int64_t>& seen) {
    json::object resume;
    for (const auto& [session, seq] : seen)
      resume[session] = seq;
    say("connect",
        {{"token", token}, {"device", "bench"}, {"resume", std::move(resume)}});
  }

  /// Takes one line of a frame.
  void read(std::string_view text, std::map<std::string, std::int64_t>& seen) {
    boost::system::error_code ec;
    const auto value = json::parse(text, ec);
    if (ec || !value.is_object())
      return;
    const auto& o = value.get_object();
    if (const auto* problem = o.if_contains("error"))
      refused = text_at(problem->as_object(), "code");
    if (o.contains("result"))
      signed_in = true;
    if (const auto* x = o.if_contains("push"))
      react(x->as_object(), seen);
  }

  /// What there is to send: several commands, a line each, in one frame.
  [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

  bool signed_in = false;
  std::string refused; ///< Code of the last refusal; the reader clears it.

private:
  void say(std::string_view verb, json::object what) {
    put(json::serialize(
      json::object{{"id", ++commands_}, {verb, std::move(what)}}));
  }

  void put(std::string_view line) {
    if (!out_.empty())
      out_ += '\n';
    out_ += line;
  }

  void react(const json::object& push,
             std::map<std::string, std::int64_t>& seen) {
    if (push.contains("ping")) {
      put(R"({"pong":{}})");
    } else if (const auto* offer = push.if_contains("offer")) {
      const auto& x = offer->as_object();
      say("offer.accept", {{"session", text_at(x, "session")},
                           {"offer", number_at(x, "offer")}});
    } else if (const auto* changed = push.if_contains("session")) {
      const auto& x = changed->as_object();
      if (x.contains("ownership"))
        ownership_[text_at(x, "session")] = number_at(x, "ownership");
    } else if (const auto* line = push.if_contains("entry")) {
      answer(line->as_object(), seen);
    }
  }

  void answer(const json::object& line,
              std::map<std::string, std::int64_t>& seen) {
    const auto session = text_at(line, "session");
    const auto seq = number_at(line, "seq");
    seen[session] = seq;
    if (text_at(line, "kind") != "customer")
      return;
    const auto what = std::to_string(seq);
    say("send", {{"session", session},
                 {"ownership", ownership_[session]},
                 {"client_id", "re-" + session + '-' + what},
                 {"body", "re " + what}});
  }

  std::string out_;
  std::map<std::string, std::int64_t> ownership_;
  std::int64_t commands_ = 0;
};

} // namespace

class desks::room {
public:
  room(desks& of, const rig& at, int agents) : of_(of) {
    for (int i = 0; i < agents; ++i) {
      const auto name = "desk-" + std::to_string(i);
      auto token =
        create_token({.secret = at.secret()}, {.subject = name},
                     std::chrono::time_point_cast<duration>(clock::now()));
      chairs_.push_back({.token = std::move(*token)});
    }
    lines_ = std::make_unique<ws_clients>(
      at.http_port(), chairs_.size(),
      ws_clients::handlers{
        [this](std::size_t who) { return opened(chairs_[who]); },
        [this](std::size_t who, std::string_view frame) {
          return received(chairs_[who], frame);
        }});
  }

  void cut(int agent) { lines_->cut(static_cast<std::size_t>(agent)); }

private:
  struct chair {
    std::string token;
    std::map<std::string, std::int64_t> seen{};
    screen at{};
    bool counted = false;
  };

  static std::string opened(chair& x) {
    x.at = screen{};
    x.at.sign_in(x.token, x.seen);
    return x.at.take();
  }

  std::string received(chair& x, std::string_view frame) {
    while (!frame.empty()) {
      const auto end = std::min(frame.find('\n'), frame.size());
      x.at.read(frame.substr(0, end), x.seen);
      frame.remove_prefix(std::min(end + 1, frame.size()));
      if (!x.at.refused.empty())
        of_.refused(std::exchange(x.at.refused, {}));
    }
    if (x.at.signed_in && !std::exchange(x.counted, true))
      ++of_.signed_in_;
    return x.at.take();
  }

  desks& of_;
  std::vector<chair> chairs_;
  std::unique_ptr<ws_clients> lines_; ///< Ends first: it calls us.
};

desks::desks(const rig& at, options how)
  : how_(std::move(how)), wire_(at.connect("desks")) {
  const auto log = at.open_store();
  for (int i = 0; i < how_.agents; ++i) {
    const auto stored = log->put_agent(
      {"desk-" + std::to_string(i)},
      {.display_name = "Desk " + std::to_string(i),
       .capacity = static_cast<std::int32_t>(how_.sessions * 1000)});
    if (!stored)
      throw std::runtime_error(stored.error().detail);
  }
  arriving_ =
    std::move(wire_->subscribe(std::string{out_prefix} + '*', "",
                               [this](const bus::packet& x) { on_reply(x); }))
      .value();
  room_ = std::make_unique<room>(*this, at, how_.agents);
  const auto until = steady_clock::now() + std::chrono::seconds{30};
  while (signed_in_ < how_.agents && steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  if (signed_in_ < how_.agents)
    throw std::runtime_error("only " + std::to_string(signed_in_.load())
                             + " agents could sign in");
}

desks::~desks() {
  room_.reset();
  arriving_.reset();
}

void desks::cut(int agent) {
  room_->cut(agent);
}

void desks::refused(const std::string& code) {
  const std::lock_guard lock{mutex_};
  ++errors_[code];
}

void desks::on_reply(const bus::packet& x) {
  const auto now = steady_clock::now();
  const std::string user{x.subject.substr(out_prefix.size())};
  if (!user.starts_with(how_.run))
    return;
  const auto got = codec::decode_inbound(x.bytes, {"web", user}, "");
  if (!got || !got->content.starts_with("re "))
    return;
  // The id is "<session>-<seq>": the same for every repetition.
  const auto& id = got->id.text;
  const auto dash = id.rfind('-');
  const auto session = number<std::int64_t>(id.substr(0, dash));
  const auto seq = number<std::int32_t>(id.substr(dash + 1));
  const std::lock_guard lock{mutex_};
  // Of one session they come in order, so what is not new came before.
  auto& last = last_[user][session];
  if (seq <= last) {
    ++repeated_;
    return;
  }
  last = seq;
  replies_[user].push_back(
    {session, number<std::int32_t>(got->content.substr(3)), seq, now});
  ++replied_;
}

std::map<std::string, std::vector<desks::reply>> desks::replies() const {
  const std::lock_guard lock{mutex_};
  return replies_;
}

std::map<std::string, std::int64_t> desks::errors() const {
  const std::lock_guard lock{mutex_};
  return errors_;
}

} // namespace switchboard::bench
