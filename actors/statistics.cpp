#include "actors/statistics.hpp"

#include <algorithm>
#include <cstdio>

namespace switchboard {

namespace {

std::string seconds(std::int64_t us) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", static_cast<double>(us) / 1e6);
  return text.data();
}

void describe(std::string& to, std::string_view name, std::string_view type,
              std::string_view help) {
  to.append("# HELP ").append(name).append(" ").append(help).append("\n");
  to.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void counter(std::string& to, std::string_view name, std::string_view help,
             std::uint64_t value) {
  describe(to, name, "counter", help);
  to.append(name).append(" ").append(std::to_string(value)).append("\n");
}

void gauge(std::string& to, std::string_view name, std::string_view help,
           std::int64_t value) {
  describe(to, name, "gauge", help);
  to.append(name).append(" ").append(std::to_string(value)).append("\n");
}

} // namespace

void duration_histogram::add(std::chrono::microseconds x) noexcept {
  const auto us = std::max<std::int64_t>(x.count(), 0);
  const auto at = std::lower_bound(bounds_us.begin(), bounds_us.end(), us);
  counts_[static_cast<std::size_t>(at - bounds_us.begin())].fetch_add(
    1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(us), std::memory_order_relaxed);
}

void duration_histogram::write(std::string& to, std::string_view name,
                               std::string_view labels) const {
  const std::string base{name};
  const auto also = labels.empty() ? "" : std::string(labels) + ',';
  const auto own = labels.empty() ? "" : '{' + std::string(labels) + '}';
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bounds_us.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    to += base + "_bucket{" + also + "le=\"" + seconds(bounds_us[i]) + "\"} "
          + std::to_string(total) + '\n';
  }
  total += counts_.back().load(std::memory_order_relaxed);
  to +=
    base + "_bucket{" + also + "le=\"+Inf\"} " + std::to_string(total) + '\n';
  to += base + "_sum" + own + ' '
        + seconds(static_cast<std::int64_t>(sum_us_.load())) + '\n';
  to += base + "_count" + own + ' ' + std::to_string(total) + '\n';
}

std::string statistics::write() const {
  std::string to;
  describe(to, "switchboard_messages_total", "counter",
           "Messages committed, by direction.");
  to += "switchboard_messages_total{direction=\"in\"} "
        + std::to_string(messages_in) + '\n';
  to += "switchboard_messages_total{direction=\"out\"} "
        + std::to_string(messages_out) + '\n';
  counter(to, "switchboard_duplicates_total",
          "Repeats of a message, answered with the seq it had.", duplicates);
  counter(to, "switchboard_refused_total",
          "Requests answered with an error other than overloaded.", refused);
  counter(to, "switchboard_overloaded_total",
          "Messages answered overloaded by admission control.", overloaded);
  counter(to, "switchboard_dead_letters_total",
          "Messages of the buffered lane put aside with a reason.",
          dead_letters);
  counter(to, "switchboard_ignored_events_total",
          "Events that crossed another one and had no effect.", ignored);
  counter(to, "switchboard_stale_owner_total",
          "Requests by somebody to whom the session no longer belongs.",
          stale_owner);
  counter(to, "switchboard_router_decisions_total", "Routing choices made.",
          decisions);
  counter(to, "switchboard_router_lost_wakeups_total",
          "Matches that only the sweep found. Must stay 0.", lost_wakeups);
  counter(to, "switchboard_router_disagreements_total",
          "Choices that a shadow policy would not have made.", disagreements);
  counter(to, "switchboard_router_canaries_ended_total",
          "Canary policies withdrawn because a guard was broken.",
          canaries_ended);
  counter(to, "switchboard_over_commits_total",
          "Offers that the database refused: the agent was full.",
          over_commits);
  counter(to, "switchboard_fenced_writes_total",
          "Writes refused because another node owns the slot.", fenced);
  gauge(to, "switchboard_messages_in_flight",
        "Messages accepted and not answered yet.", in_flight);
  gauge(to, "switchboard_sessions", "Sessions that are open on this node.",
        sessions);
  gauge(to, "switchboard_sessions_waiting", "Sessions that wait for an agent.",
        waiting);
  gauge(to, "switchboard_agent_screens", "Connected screens of agents.",
        screens);
  gauge(to, "switchboard_slots_owned", "Slots that this node owns.",
        slots_owned);
  gauge(to, "switchboard_replicas", "Standbys that follow the database.",
        replicas);
  gauge(to, "switchboard_replica_lag_bytes",
        "Log that the slowest standby has not replayed.", replica_lag_bytes);
  describe(to, "switchboard_replica_lag_seconds", "gauge",
           "How long the slowest standby is behind.");
  to += "switchboard_replica_lag_seconds "
        + std::to_string(static_cast<double>(replica_lag_ms) / 1000) + '\n';
  describe(to, "switchboard_stage_duration_seconds", "histogram",
           "Time that a message spends in a stage.");
  commit.write(to, "switchboard_stage_duration_seconds", "stage=\"persist\"");
  describe(to, "switchboard_end_to_end_duration_seconds", "histogram",
           "From a message's arrival to its receipt.");
  end_to_end.write(to, "switchboard_end_to_end_duration_seconds", "");
  describe(to, "switchboard_queue_wait_duration_seconds", "histogram",
           "From the first unanswered line to the assignment of an agent.");
  queue_wait.write(to, "switchboard_queue_wait_duration_seconds", "");
  return to;
}

} // namespace switchboard
