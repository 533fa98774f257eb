#include "bench/publisher.hpp"

#include "bench/load.hpp"
#include "bench/payloads.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"

#include <algorithm>
#include <set>

namespace switchboard::bench {

publisher::~publisher() {
  std::unique_lock lock{mutex_};
  ending_ = true;
  changed_.notify_all();
  // Their answers name us.
  changed_.wait(lock, [this] { return under_way_ == 0; });
  lock.unlock();
  if (thread_.joinable())
    thread_.join();
}

void publisher::start() {
  thread_ = std::thread{[this] { work(); }};
}

void publisher::work() {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t n = 0; n < how_.messages; ++n) {
    if (how_.rate > 0)
      std::this_thread::sleep_until(
        begin
        + std::chrono::microseconds{
          static_cast<std::int64_t>(static_cast<double>(n) * 1e6 / how_.rate)});
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock,
                    [this] { return ending_ || under_way_ < how_.window; });
      if (ending_)
        return;
      ++under_way_;
    }
    publish(n);
  }
}

void publisher::publish(std::int64_t n) {
  const auto user = static_cast<int>(n % how_.users);
  const auto number = n / how_.users + 1;
  const contact from{"web", load::user_name(how_.run, user)};
  const inbound said{.id = {load::message_name(how_.run, user, number)},
                     .from = from,
                     .content = payload(static_cast<std::uint64_t>(n))};
  wire_.publish_stored(
    how_.prefix.empty() ? subject::in(from) : how_.prefix + from.user,
    codec::encode(said), {}, [this, n](const result<void>& x) {
      const std::lock_guard lock{mutex_};
      if (!x)
        refused_.push_back(n);
      --under_way_;
      ++answered_;
      changed_.notify_all();
    });
}

bool publisher::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience,
                           [this] { return answered_ >= how_.messages; });
}

std::vector<sent_message> publisher::stored() const {
  const std::lock_guard lock{mutex_};
  const std::set<std::int64_t> refused(refused_.begin(), refused_.end());
  std::vector<sent_message> all;
  for (std::int64_t n = 0; n < answered_; ++n)
    if (!refused.contains(n)) {
      const auto user = static_cast<int>(n % how_.users);
      const auto number = n / how_.users + 1;
      all.push_back({load::user_name(how_.run, user), number,
                     load::message_name(how_.run, user, number), std::nullopt});
    }
  return all;
}

} // namespace switchboard::bench
