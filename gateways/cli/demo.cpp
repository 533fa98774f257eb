#include "gateways/cli/demo.hpp"

#include "bus/codec.hpp"
#include "bus/nats/nats_bus.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/http/ws_client.hpp"

#include <boost/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace switchboard::cli {

namespace json = boost::json;
using std::chrono::steady_clock;

namespace {

constexpr int customers = 40;
constexpr std::array questions{"您好，我的订单什么时候发货？", "我想申请退款",
                               "Where is my order?", "谢谢！",
                               "The app does not start any more"};

std::string text_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

std::int64_t number_at(const json::object& from, std::string_view key) {
  const auto* x = from.if_contains(key);
  return x && x->is_int64() ? x->get_int64() : 0;
}

} // namespace

struct demo::impl {
  explicit impl(const settings& given, double per_second)
    : s(given), rate(std::max(per_second, 0.1)) {
    wire = must(connect_nats(nats_of(s, "demo")));
    replies = must(wire->subscribe(
      inbox + "*", "", [this](const bus::packet& x) { on_receipt(x); }));
    threads.emplace_back([this] { write_as_customers(); });
    for (const auto* agent : {"li", "ann", "bob"})
      threads.emplace_back([this, agent] { work_as(agent); });
  }

  ~impl() {
    ending = true;
    for (auto& x : threads)
      x.join();
  }

  // -- customers --------------------------------------------------------------

  void write_as_customers() {
    std::mt19937 random{1};
    for (std::int64_t n = 0; !ending; ++n) {
      const contact who{"web", "demo-" + std::to_string(random() % customers)};
      const inbound what{.id = {run + '-' + std::to_string(n)},
                         .from = who,
                         .content = questions[random() % questions.size()]};
      {
        const std::lock_guard lock{mutex};
        under_way[n] = steady_clock::now();
      }
      ++sent;
      static_cast<void>(wire->publish_request(
        subject::post(who), inbox + std::to_string(n), codec::encode(what)));
      std::this_thread::sleep_for(
        std::chrono::microseconds{static_cast<std::int64_t>(1e6 / rate)});
    }
  }

  void on_receipt(const bus::packet& x) {
    const auto n =
      std::atoll(std::string(x.subject.substr(inbox.size())).c_str());
    const auto got = codec::decode_receipt(x.bytes);
    const std::lock_guard lock{mutex};
    const auto at = under_way.find(n);
    if (at == under_way.end())
      return;
    if (got) {
      ++received;
      latencies.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                            steady_clock::now() - at->second)
                            .count());
    } else {
      ++refused;
    }
    under_way.erase(at);
  }

  // -- agents -----------------------------------------------------------------

  /// Takes every offer, answers every customer line, closes after a few.
  void work_as(const std::string& agent) {
    while (!ending) {
      auto desk =
        ws_client::connect({.port = static_cast<std::uint16_t>(s.http.port)});
      if (!desk) {
        std::this_thread::sleep_for(std::chrono::milliseconds{500});
        continue;
      }
      const auto token =
        create_token(tokens_of(s), {.subject = agent},
                     std::chrono::time_point_cast<duration>(clock::now()));
      say(*desk, "connect", {{"token", *token}, {"device", "demo"}});
      std::map<std::string, std::int64_t> ownership;
      std::map<std::string, int> answered;
      while (!ending && !desk->closed())
        if (const auto line = desk->receive(duration{200}))
          react(*desk, *line, ownership, answered);
    }
  }

  void say(ws_client& desk, std::string_view verb, json::object what) {
    const auto id = ++commands;
    static_cast<void>(desk.send(
      json::serialize(json::object{{"id", id}, {verb, std::move(what)}})));
  }

  void react(ws_client& desk, const std::string& line,
             std::map<std::string, std::int64_t>& ownership,
             std::map<std::string, int>& answered) {
    boost::system::error_code ec;
    const auto value = json::parse(line, ec);
    if (ec || !value.is_object() || !value.get_object().contains("push"))
      return;
    const auto& push = value.at("push").as_object();
    if (const auto* x = push.if_contains("ping")) {
      static_cast<void>(x);
      static_cast<void>(desk.send(R"({"pong":{}})"));
    } else if (const auto* o = push.if_contains("offer")) {
      const auto& offer = o->as_object();
      say(desk, "offer.accept",
          {{"session", text_at(offer, "session")},
           {"offer", number_at(offer, "offer")}});
    } else if (const auto* opened = push.if_contains("session")) {
      const auto& session = opened->as_object();
      if (session.contains("ownership"))
        ownership[text_at(session, "session")] =
          number_at(session, "ownership");
    } else if (const auto* added = push.if_contains("entry")) {
      reply(desk, added->as_object(), ownership, answered);
    }
  }

  void reply(ws_client& desk, const json::object& entry,
             std::map<std::string, std::int64_t>& ownership,
             std::map<std::string, int>& answered) {
    if (text_at(entry, "kind") != "customer")
      return;
    const auto session = text_at(entry, "session");
    ++answers;
    say(desk, "send",
        {{"session", session},
         {"ownership", ownership[session]},
         {"client_id", run + "-a-" + std::to_string(commands.load())},
         {"body", "谢谢您的消息，我马上为您查看。"}});
    if (++answered[session] % 6 == 0)
      say(desk, "close",
          {{"session", session},
           {"ownership", ownership[session]},
           {"disposition", "solved"}});
  }

  // -- the table --------------------------------------------------------------

  void show() {
    const auto now = steady_clock::now();
    const auto terminal = isatty(2) == 1;
    if (now - shown < std::chrono::seconds{terminal ? 1 : 5})
      return;
    const auto seconds = std::chrono::duration<double>(now - shown).count();
    shown = now;
    std::vector<std::int64_t> last;
    std::int64_t got = 0;
    {
      const std::lock_guard lock{mutex};
      last = std::exchange(latencies, {});
      got = received;
    }
    std::sort(last.begin(), last.end());
    const auto ms = [&](double part) {
      return last.empty() ? 0.0
                          : static_cast<double>(last[static_cast<std::size_t>(
                              part * static_cast<double>(last.size() - 1))])
                              / 1000;
    };
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(),
                  "%ssent %lld  committed %lld  refused %lld  answers %lld  "
                  "%.0f msg/s  p50 %.2f ms  p99 %.2f ms%s",
                  terminal ? "\r\033[K" : "",
                  static_cast<long long>(sent.load()),
                  static_cast<long long>(got), static_cast<long long>(refused),
                  static_cast<long long>(answers.load()),
                  static_cast<double>(got - received_before) / seconds, ms(.5),
                  ms(.99), terminal ? "" : "\n");
    received_before = got;
    std::cerr << line.data() << std::flush;
  }

  settings s;
  double rate;
  std::string run = "demo-" + random_secret(4);
  std::string inbox = "_INBOX." + run + '.';
  std::unique_ptr<bus> wire;
  std::unique_ptr<bus::subscription> replies;
  std::mutex mutex;
  std::map<std::int64_t, steady_clock::time_point> under_way;
  std::vector<std::int64_t> latencies;
  std::int64_t received = 0;
  std::int64_t refused = 0;
  std::int64_t received_before = 0;
  std::atomic<std::int64_t> sent{0};
  std::atomic<std::int64_t> answers{0};
  std::atomic<std::int64_t> commands{0};
  std::atomic<bool> ending{false};
  steady_clock::time_point shown = steady_clock::now();
  std::vector<std::thread> threads;
};

demo::demo(const settings& s, double rate)
  : impl_(std::make_unique<impl>(s, rate)) {
  // nop
}

demo::~demo() = default;

void demo::show() {
  impl_->show();
}

} // namespace switchboard::cli
