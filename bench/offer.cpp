#include "bench/offer.hpp"

#include "bench/rig.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/ws_client.hpp"
#include "gateways/http/ws_clients.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
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
};

/// Agents with room for one customer at a time, all on one thread: it takes an
/// offer, greets, and closes after a while.
class crew_of_ones {
public:
  crew_of_ones(const rig& on, const offer_options& how, measured& to)
    : think_(how.think_ms), to_(to) {
    const auto log = on.open_store();
    for (int i = 0; i < how.agents; ++i) {
      const auto name = "one-" + std::to_string(i);
      if (const auto ok =
            log->put_agent({name}, {.display_name = name, .capacity = 1000});
          !ok)
        throw std::runtime_error(ok.error().detail);
      auto token =
        create_token({.secret = on.secret()}, {.subject = name},
                     std::chrono::time_point_cast<duration>(clock::now()));
      all_.push_back({.token = std::move(*token)});
    }
    lines_ = std::make_unique<ws_clients>(
      on.http_port(), all_.size(),
      ws_clients::handlers{
        [this](std::size_t who) { return sign_in(all_[who]); },
        [this](std::size_t who, std::string_view frame) {
          return received(who, frame);
        }});
  }

private:
  struct agent_at_work {
    std::string token;
    json::object owned{};
    std::int64_t said = 0;
    std::int64_t closing = -1; ///< The command that frees the room.
    std::optional<steady_clock::time_point> freed{};
    steady_clock::time_point clicked{};
    std::string out{};
  };

  static void say(agent_at_work& x, std::string_view verb, json::object what) {
    if (!x.out.empty())
      x.out += '\n';
    x.out +=
      json::serialize(json::object{{"id", ++x.said}, {verb, std::move(what)}});
  }

  static std::string take(agent_at_work& x) { return std::exchange(x.out, {}); }

  static std::string sign_in(agent_at_work& x) {
    say(x, "connect",
        {{"token", x.token}, {"device", "bench"}, {"resume", json::object{}}});
    return take(x);
  }

  std::string received(std::size_t who, std::string_view frame) {
    auto& x = all_[who];
    while (!frame.empty()) {
      const auto end = std::min(frame.find('\n'), frame.size());
      read(who,
           json::parse(json::string_view(frame.substr(0, end))).as_object());
      frame.remove_prefix(std::min(end + 1, frame.size()));
    }
    return take(x);
  }

  void read(std::size_t who, const json::object& what) {
    auto& x = all_[who];
    if (const auto* push = what.if_contains("push"))
      react(who, push->as_object());
    else if (what.contains("error"))
      ++to_.refused;
    else if (what.at("id").as_int64() == 1)
      ++to_.signed_in;
    else if (what.at("id").as_int64() == x.closing)
      x.freed = steady_clock::now();
  }

  void react(std::size_t who, const json::object& push) {
    auto& x = all_[who];
    if (push.contains("ping")) {
      x.out += x.out.empty() ? R"({"pong":{}})"
                             : "\n"
                               R"({"pong":{}})";
    } else if (const auto* offer = push.if_contains("offer")) {
      on_offer(x, offer->as_object());
    } else if (const auto* session = push.if_contains("session")) {
      const auto& s = session->as_object();
      if (s.at("state").as_string() == "open")
        on_open(who, s);
    }
  }

  void on_offer(agent_at_work& x, const json::object& offer) {
    const auto now = steady_clock::now();
    if (x.freed && to_.counting) {
      const std::lock_guard lock{to_.mutex};
      to_.since_freed.add(us_between(*x.freed, now));
      to_.since_click.add(us_between(x.clicked, now));
    }
    x.freed.reset();
    say(x, "offer.accept",
        {{"session", offer.at("session")}, {"offer", offer.at("offer")}});
  }

  void on_open(std::size_t who, const json::object& session) {
    auto& x = all_[who];
    x.owned = {{"session", session.at("session")},
               {"ownership", session.at("ownership")}};
    auto reply = x.owned;
    reply["client_id"] = "1";
    reply["body"] = "I see to it";
    say(x, "send", std::move(reply));
    lines_->later(who, think_, [this, who] { return close(all_[who]); });
  }

  std::string close(agent_at_work& x) {
    auto what = x.owned;
    what["disposition"] = "";
    x.clicked = steady_clock::now();
    say(x, "close", std::move(what));
    x.closing = x.said;
    ++to_.served;
    return take(x);
  }

  milliseconds think_;
  measured& to_;
  std::vector<agent_at_work> all_;
  std::unique_ptr<ws_clients> lines_; ///< Ends first: it calls us.
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
