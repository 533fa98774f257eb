#include "tests/cluster/ownership_watch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace switchboard::faults {

namespace {

constexpr auto look_time = std::chrono::milliseconds{50};

} // namespace

int ownership_watch::view::owned_by(const std::string& node) const {
  return static_cast<int>(std::count(owner.begin(), owner.end(), node));
}

ownership_watch::ownership_watch(std::string conninfo)
  : thread_([this, to = std::move(conninfo)] { work(to); }) {
  // nop
}

ownership_watch::~ownership_watch() {
  ending_ = true;
  thread_.join();
}

void ownership_watch::work(const std::string& conninfo) {
  database ask{conninfo};
  while (!ending_) {
    view now;
    now.asked_at = steady_clock::now();
    const auto rows = ask.try_ask(
      "SELECT 0, slot, coalesce(owner, ''), epoch FROM slot "
      "UNION ALL SELECT 1, slot, '', last_offset FROM ingress "
      "UNION ALL SELECT 2, 0, node || ' ' || says, renew_count FROM "
      "node_lease");
    if (rows) {
      for (const auto& x : *rows) {
        const auto slot = static_cast<std::size_t>(std::stoi(x[1]));
        const auto value = std::stoll(x[3]);
        if (x[0] == "0") {
          now.owner.at(slot) = x[2];
          now.epoch.at(slot) = value;
        } else if (x[0] == "1") {
          now.offset.at(slot) = value;
        } else {
          const auto space = x[2].find(' ');
          now.leases[x[2].substr(0, space)] = {value, x[2].substr(space + 1)};
        }
      }
      judge(now);
    }
    std::this_thread::sleep_for(look_time);
  }
}

void ownership_watch::judge(const view& now) {
  const std::lock_guard lock{mutex_};
  for (std::size_t k = 0; k < membership::slots_all; ++k) {
    const auto [at, fresh] =
      owner_of_.emplace(std::pair{k, now.epoch.at(k)}, now.owner.at(k));
    if (!fresh && at->second != now.owner.at(k))
      violations_.push_back("slot " + std::to_string(k) + " at epoch "
                            + std::to_string(now.epoch.at(k)) + " belonged to "
                            + at->second + " and to " + now.owner.at(k));
    if (now.epoch.at(k) < last_.epoch.at(k))
      violations_.push_back("the epoch of slot " + std::to_string(k)
                            + " fell from " + std::to_string(last_.epoch.at(k))
                            + " to " + std::to_string(now.epoch.at(k)));
    if (fresh && looks_ > 0)
      ++changes_;
  }
  last_ = now;
  ++looks_;
  changed_.notify_all();
}

ownership_watch::view ownership_watch::last() const {
  const std::lock_guard lock{mutex_};
  return last_;
}

ownership_watch::view
ownership_watch::next(steady_clock::time_point after,
                      std::chrono::milliseconds patience) const {
  std::unique_lock lock{mutex_};
  if (!changed_.wait_for(lock, patience,
                         [&] { return last_.asked_at >= after; }))
    throw std::runtime_error("PostgreSQL does not say who owns the slots");
  return last_;
}

std::vector<std::string> ownership_watch::violations() const {
  const std::lock_guard lock{mutex_};
  return violations_;
}

} // namespace switchboard::faults
