#include "bench/buffered.hpp"

#include "bench/copy_floor.hpp"
#include "bench/load.hpp"
#include "bench/publisher.hpp"
#include "bench/rig.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

/// The broker alone: published, stored, read in order by somebody who counts.
double stream_floor(bus& wire, const buffered_options& how) {
  const auto made = wire.ensure_stream({.name = "FLOOR",
                                        .subjects = {"floor.in.>"},
                                        .bytes_max = std::int64_t{1} << 30});
  if (!made)
    throw std::runtime_error(made.error().detail);
  std::atomic<std::int64_t> read{0};
  auto reading =
    wire.consume("FLOOR", "", 1, [&](const bus::packet&) { ++read; });
  if (!reading)
    throw std::runtime_error(reading.error().detail);
  publisher x{wire,
              {.run = "floor",
               .users = how.users,
               .window = how.window,
               .messages = how.messages,
               .prefix = "floor.in."}};
  progress bar{"floor: stream"};
  const auto begin = steady_clock::now();
  x.start();
  while (read < x.messages()) {
    bar.at(static_cast<double>(read) / static_cast<double>(how.messages));
    if (seconds_since(begin) > 120)
      throw std::runtime_error("the floor's stream came to no end");
    std::this_thread::sleep_for(1ms);
  }
  return static_cast<double>(how.messages) / seconds_since(begin);
}

/// Waits until every slot's watermark has passed this offset of the stream.
/// Watermarks move on after the commit, ten times a second: the wait is up to
/// 100 ms too long, never too short.
void wait_committed(const rig& on, std::int64_t offset, progress& bar) {
  const auto begin = steady_clock::now();
  for (;;) {
    const auto got =
      std::stoll(on.query("SELECT min(last_offset) FROM ingress"));
    bar.at(static_cast<double>(got) / static_cast<double>(offset));
    if (got >= offset)
      return;
    if (seconds_since(begin) > 120)
      throw std::runtime_error(
        "after 2 minutes the buffered lane is committed up to "
        + std::to_string(got) + " of " + std::to_string(offset));
    std::this_thread::sleep_for(50ms);
  }
}

/// A customer with an open session who publishes a line, looks until it is
/// there, and publishes the next.
class prober {
public:
  prober(const rig& on, bus& wire) : wire_(wire), log_(on.open_store()) {}

  /// @returns publish -> readable in the database, in us; nothing after 10 s
  std::optional<std::int64_t> once() {
    const auto begin = steady_clock::now();
    const inbound said{.id = {who_.user + '-' + std::to_string(++number_)},
                       .from = who_,
                       .content = "how long does this take?"};
    wire_.publish_stored(subject::in(who_), codec::encode(said), {},
                         [](const result<void>&) {});
    while (steady_clock::now() - begin < 10s) {
      if (find(said.id))
        return (steady_clock::now() - begin) / std::chrono::microseconds{1};
      std::this_thread::sleep_for(200us);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::int64_t published() const { return number_; }

  /// Opens the session over the direct lane.
  void open() {
    const inbound said{
      .id = {who_.user + "-0"}, .from = who_, .content = "hello"};
    const auto told =
      wire_.request(subject::post(who_), codec::encode(said), 5s);
    const auto at =
      told ? codec::decode_receipt(told->bytes) : result<receipt>{told.error()};
    if (!at)
      throw std::runtime_error("the probe: " + at.error().detail);
    session_ = at->session;
  }

private:
  bool find(const message_id& id) {
    const auto got = log_->entries(session_, seen_, 100);
    if (!got)
      throw std::runtime_error(got.error().detail);
    bool found = false;
    for (const auto& x : *got) {
      seen_ = x.seq;
      found = found || x.id == id;
    }
    return found;
  }

  bus& wire_;
  std::unique_ptr<store> log_;
  contact who_{"web", "probe"};
  session_id session_{};
  std::int32_t seen_ = 0;
  std::int64_t number_ = 0;
};

/// Half the rate in an open loop, and what the prober sees meanwhile.
/// @param offset of the stream's last message
void measure_latency(report& r, rig& on, bus& wire, double rate, int seconds,
                     std::int64_t offset) {
  prober one{on, wire};
  one.open();
  publisher x{wire,
              {.run = "half",
               .users = 2000,
               .window = 20'000,
               .messages = static_cast<std::int64_t>(rate * seconds),
               .rate = rate}};
  x.start();
  latencies seen;
  progress bar{"buffered: half load"};
  while (!x.wait(0ms)) {
    bar.at(static_cast<double>(x.acknowledged())
           / static_cast<double>(x.messages()));
    if (const auto us = one.once())
      seen.add(*us);
    else
      ++r.lost;
  }
  wait_committed(on, offset + x.messages() + one.published(), bar);
  add(r, audit(x.stored(), stored_lines(on, "half")));
  seen.write(r);
  r.more.emplace_back("latency measured at",
                      number(rate) + "/s for " + std::to_string(seconds)
                        + " s, by " + std::to_string(seen.count())
                        + " lines of one customer who looks every 0.2 ms");
}

} // namespace

report run_buffered(const buffered_options& how) {
  rig on;
  on.start_node();
  if (!on.wait_ready(30s))
    throw std::runtime_error("the node does not become ready");
  const auto wire = on.connect("publisher");
  report r{.name = "buffered", .unit = "messages/s"};
  std::int64_t offset = 2 * how.users; // Of the stream's last message.
  {
    progress bar{"buffered: warm-up"};
    publisher warm{*wire,
                   {.run = "warm", .users = how.users, .messages = offset}};
    warm.start();
    if (!warm.wait(60s))
      throw std::runtime_error("the broker does not acknowledge");
    wait_committed(on, offset, bar);
  }
  const auto stream_rate = stream_floor(*wire, how);
  const auto before = on.cpu();
  offset += how.messages;
  publisher x{*wire,
              {.run = "buffered",
               .users = how.users,
               .window = how.window,
               .messages = how.messages}};
  {
    progress bar{"buffered"};
    const auto begin = steady_clock::now();
    x.start();
    if (!x.wait(120s))
      throw std::runtime_error("the broker does not acknowledge");
    r.more.emplace_back(
      "stored by the broker",
      number(static_cast<double>(how.messages) / seconds_since(begin)) + "/s");
    wait_committed(on, offset, bar);
    r.value = static_cast<double>(how.messages) / seconds_since(begin);
  }
  add_cpu(r, before, on.cpu(), how.messages);
  add(r, audit(x.stored(), stored_lines(on, "buffered")));
  const auto copy_rate = copy_floor(on.postgres().conninfo(), how.messages);
  r.floor = 1 / (1 / stream_rate + 1 / copy_rate);
  r.ratio = r.value / r.floor;
  r.floor_is = "stored and read by the broker alone " + number(stream_rate)
               + "/s, then COPY of the same rows " + number(copy_rate) + "/s";
  r.must = ">= 0.5 of the floor";
  measure_latency(r, on, *wire, r.value / 2, how.seconds, offset);
  check_invariants(r, on);
  return r;
}

} // namespace switchboard::bench
