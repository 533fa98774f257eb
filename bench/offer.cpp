#include "bench/offer.hpp"

#include "bench/rig.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/ws_client.hpp"

#include <boost/json.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace switchboard::bench {

namespace {

namespace json = boost::json;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::int64_t us_between(steady_clock::time_point from,
                        steady_clock::time_point to) {
  return std::chrono::duration_cast<microseconds>(to - from).count();
}

/// What all agents have measured.
struct measured {
  std::mutex mutex;
  latencies since_freed;
  latencies since_click;
  std::atomic<bool> counting{false};
  std::atomic<std::int64_t> served{0};
  std::atomic<std::int64_t> refused{0};
  std::atomic<int> signed_in{0};
  std::atomic<bool> ending{false};
};

/// An agent with room for one customer at a time.
class agent_at_work {
public:
  agent_at_work(ws_client line, const std::string& token, milliseconds think,
                measured& to)
    : line_(std::move(line)), think_(think), to_(to) {
    say("connect",
        {{"token", token}, {"device", "bench"}, {"resume", json::object{}}});
  }

  void run() {
    while (!to_.ending && !line_.closed()) {
      const auto left = due_ ? *due_ - steady_clock::now() : milliseconds{100};
      if (due_ && left <= left.zero()) {
        close();
        continue;
      }
      if (const auto text = line_.receive(std::chrono::ceil<duration>(left)))
        read(json::parse(*text).as_object());
    }
  }

private:
  std::int64_t say(std::string_view verb, json::object what) {
    static_cast<void>(line_.send(
      json::serialize(json::object{{"id", ++said_}, {verb, std::move(what)}})));
    return said_;
  }

  void read(const json::object& x) {
    if (const auto* push = x.if_contains("push"))
      react(push->as_object());
    else if (x.contains("error"))
      ++to_.refused;
    else if (x.at("id").as_int64() == 1)
      ++to_.signed_in;
    else if (x.at("id").as_int64() == closing_)
      freed_ = steady_clock::now();
  }

  void react(const json::object& push) {
    if (push.contains("ping")) {
      static_cast<void>(line_.send(R"({"pong":{}})"));
    } else if (const auto* offer = push.if_contains("offer")) {
      on_offer(offer->as_object());
    } else if (const auto* session = push.if_contains("session")) {
      const auto& s = session->as_object();
      if (s.at("state").as_string() == "open")
        on_open(s);
    }
  }

  void on_offer(const json::object& offer) {
    const auto now = steady_clock::now();
    if (freed_ && to_.counting) {
      const std::lock_guard lock{to_.mutex};
      to_.since_freed.add(us_between(*freed_, now));
      to_.since_click.add(us_between(clicked_, now));
    }
    freed_.reset();
    say("offer.accept",
        {{"session", offer.at("session")}, {"offer", offer.at("offer")}});
  }

  void on_open(const json::object& session) {
    owned_ = {{"session", session.at("session")},
              {"ownership", session.at("ownership")}};
    auto reply = owned_;
    reply["client_id"] = "1";
    reply["body"] = "I see to it";
    say("send", std::move(reply));
    due_ = steady_clock::now() + think_;
  }

  void close() {
    due_.reset();
    auto what = owned_;
    what["disposition"] = "";
    clicked_ = steady_clock::now();
    closing_ = say("close", std::move(what));
    ++to_.served;
  }

  ws_client line_;
  milliseconds think_;
  measured& to_;
  json::object owned_{};
  std::int64_t said_ = 0;
  std::int64_t closing_ = -1;
  std::optional<steady_clock::time_point> due_{}; ///< Then it is closed.
  std::optional<steady_clock::time_point> freed_{};
  steady_clock::time_point clicked_{};
};

/// Agents on their threads, until the end of the scope.
class crew_of_ones {
public:
  crew_of_ones(const rig& on, const offer_options& how, measured& to)
    : to_(to) {
    const auto log = on.open_store();
    for (int i = 0; i < how.agents; ++i) {
      const auto name = "one-" + std::to_string(i);
      if (const auto ok =
            log->put_agent({name}, {.display_name = name, .capacity = 1000});
          !ok)
        throw std::runtime_error(ok.error().detail);
      const auto token =
        create_token({.secret = on.secret()}, {.subject = name},
                     std::chrono::time_point_cast<duration>(clock::now()));
      auto line = ws_client::connect({.port = on.http_port()});
      if (!line)
        throw std::runtime_error(line.error().detail);
      threads_.emplace_back(
        [one = std::make_shared<agent_at_work>(std::move(*line), *token,
                                               milliseconds{how.think_ms},
                                               to)] { one->run(); });
    }
  }

  ~crew_of_ones() {
    to_.ending = true;
    for (auto& x : threads_)
      x.join();
  }

  crew_of_ones(const crew_of_ones&) = delete;
  crew_of_ones& operator=(const crew_of_ones&) = delete;

private:
  measured& to_;
  std::vector<std::thread> threads_;
};

/// Keeps the line as long as it should be, for so long.
void keep_line(bus& wire, const measured& of, int waiting, std::int64_t& sent,
               steady_clock::time_point until) {
  while (steady_clock::now() < until) {
    for (; sent < of.served + of.signed_in + waiting; ++sent)
      static_cast<void>(
        wire.publish("sb.v1.post.web.offer" + std::to_string(sent),
                     R"({"text":"Where is my order?"})"));
    std::this_thread::sleep_for(milliseconds{5});
  }
}

/// One row committed alone, in microseconds.
std::int64_t commit_alone(const rig& on) {
  const auto log = on.open_store();
  latencies all;
  for (int i = 0; i < 200; ++i) {
    const auto from = steady_clock::now();
    if (!log->put_queue({{"floor"}, std::to_string(i), {}}))
      throw std::runtime_error("the floor could not be measured");
    all.add(us_between(from, steady_clock::now()));
  }
  return all.quantile(0.5);
}

} // namespace

report run_offer(const offer_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(std::chrono::seconds{30}))
    throw std::runtime_error("the node does not become ready");
  const auto floor = commit_alone(on);
  const auto wire = on.connect("load");
  measured all;
  std::int64_t sent = 0;
  std::int64_t before = 0;
  std::int64_t after = 0;
  {
    const crew_of_ones crew{on, how, all};
    keep_line(*wire, all, how.waiting, sent,
              steady_clock::now() + std::chrono::seconds{3});
    if (all.signed_in < how.agents)
      throw std::runtime_error("only " + std::to_string(all.signed_in.load())
                               + " agents could sign in");
    before = all.served;
    all.counting = true;
    keep_line(*wire, all, how.waiting, sent,
              steady_clock::now() + std::chrono::seconds{how.seconds});
    all.counting = false;
    after = all.served;
  }
  if (all.since_freed.count() == 0)
    throw std::runtime_error("nobody was offered anything");
  report r{.name = "offer", .unit = "ms at p99, freed to offered"};
  all.since_freed.write(r);
  r.value = static_cast<double>(r.p99_us) / 1000;
  r.floor = static_cast<double>(floor) / 1000;
  r.floor_is = "one row committed alone, median";
  r.ratio = static_cast<double>(r.p50_us) / static_cast<double>(floor);
  r.must = "p99 <= 20 ms";
  report clicks;
  all.since_click.write(clicks);
  r.more.emplace_back("from the click on close, p50/p99",
                      std::to_string(clicks.p50_us) + ", "
                        + std::to_string(clicks.p99_us) + " us");
  r.more.emplace_back("customers served a second",
                      std::to_string((after - before) / how.seconds));
  r.more.emplace_back("measured with",
                      std::to_string(how.agents) + " agents with room for one, "
                        + std::to_string(how.waiting) + " waiting, "
                        + std::to_string(how.think_ms) + " ms for each, "
                        + std::to_string(all.since_freed.count()) + " offers");
  r.more.emplace_back("agents were refused",
                      std::to_string(all.refused.load()));
  // Work conservation: the sweep must have found nothing.
  const auto metrics = http_get(on.http_port(), "/metrics");
  const auto clean =
    metrics
    && metrics->body.find("\nswitchboard_router_lost_wakeups_total 0\n")
         != std::string::npos;
  r.more.emplace_back("lost wake-ups", clean ? "0" : "some");
  r.lost = clean ? 0 : 1;
  return r;
}

} // namespace switchboard::bench
