#include "actors/outbox_sender.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

namespace switchboard {

namespace {

constexpr auto retry_first = duration{100};
constexpr auto retry_max = duration{5000};

/// What must leave in order: replies of a contact, also those of its next
/// session, and events of a session.
std::string lane_of(const outbox_row& row) {
  return row.subject.starts_with("sb.v1.out.")
           ? row.subject
           : std::to_string(row.session.value);
}

} // namespace

struct outbox_sender::shared : std::enable_shared_from_this<shared> {
  struct queue {
    std::deque<outbox_row> rows; ///< The first one is under way.
    duration retry = retry_first;
  };

  mutable std::mutex mutex;
  bus* wire = nullptr;
  writer* log = nullptr;
  alarm* timers = nullptr;
  bool stopped = false;
  bool left_behind = false;
  std::size_t held = 0;
  std::uint64_t sent = 0;
  std::unordered_map<std::string, queue> lanes;

  /// @pre the mutex is not held: the bus may call back at once.
  void publish(const outbox_row& row) {
    auto with = row.with;
    with.emplace_back("Nats-Msg-Id", row.dedupe_id);
    wire->publish_stored(row.subject, row.payload, with,
                         [self = shared_from_this(),
                          key = lane_of(row)](const result<void>& stored) {
                           self->acknowledged(key, stored);
                         });
  }

  void acknowledged(const std::string& key, const result<void>& stored) {
    std::unique_lock lock{mutex};
    if (stopped)
      return;
    auto& lane = lanes[key];
    if (!stored) {
      // Said once: with the bus away there are many lanes and many tries.
      if (lane.retry == retry_first)
        spdlog::warn("outbox: {} not stored, trying again: {}",
                     lane.rows.front().dedupe_id, stored.error().detail);
      const auto wait = lane.retry;
      lane.retry = std::min(lane.retry * 2, retry_max);
      timers->at(now() + wait, [self = shared_from_this(), key] {
        self->publish_first(key);
      });
      return;
    }
    log->outbox_done(lane.rows.front().dedupe_id);
    lane.rows.pop_front();
    lane.retry = retry_first;
    --held;
    ++sent;
    if (lane.rows.empty()) {
      lanes.erase(key);
      return;
    }
    const auto next = lane.rows.front();
    lock.unlock();
    publish(next);
  }

  void publish_first(const std::string& key) {
    std::unique_lock lock{mutex};
    if (stopped)
      return;
    const auto next = lanes.at(key).rows.front();
    lock.unlock();
    publish(next);
  }
};

outbox_sender::outbox_sender(bus& wire, writer& log, alarm& timers)
  : self_(std::make_shared<shared>()) {
  self_->wire = &wire;
  self_->log = &log;
  self_->timers = &timers;
}

outbox_sender::~outbox_sender() {
  stop();
}

void outbox_sender::send(outbox_row row) {
  std::unique_lock lock{self_->mutex};
  if (self_->stopped)
    return;
  if (self_->held >= held_max) {
    self_->left_behind = true;
    return;
  }
  auto& lane = self_->lanes[lane_of(row)];
  // Read back from the database while it was on its way here.
  for (const auto& x : lane.rows)
    if (x.dedupe_id == row.dedupe_id)
      return;
  ++self_->held;
  lane.rows.push_back(row);
  if (lane.rows.size() > 1)
    return;
  lock.unlock();
  self_->publish(row);
}

void outbox_sender::stop() {
  const std::lock_guard lock{self_->mutex};
  self_->stopped = true;
}

bool outbox_sender::wants_more() {
  const std::lock_guard lock{self_->mutex};
  return self_->held == 0 && std::exchange(self_->left_behind, false);
}

std::size_t outbox_sender::depth() const {
  const std::lock_guard lock{self_->mutex};
  return self_->held;
}

std::uint64_t outbox_sender::sent() const {
  const std::lock_guard lock{self_->mutex};
  return self_->sent;
}

} // namespace switchboard
