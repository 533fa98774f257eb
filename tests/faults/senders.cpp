#include "tests/faults/senders.hpp"

#include "bus/codec.hpp"
#include "bus/subject.hpp"

#include <algorithm>
#include <future>
#include <memory>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;

/// Between two tries.
constexpr auto pause = 20ms;
constexpr auto answer_max = 4s;

} // namespace

std::vector<std::string> numbered_users(const std::string& run, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i)
    all.push_back(run + '-' + std::to_string(i));
  return all;
}

// -- the buffered lane --------------------------------------------------------

buffered_senders::buffered_senders(bus& wire, std::vector<std::string> users,
                                   std::chrono::milliseconds pace)
  : wire_(wire), users_(std::move(users)), pace_(pace), last_(users_.size()) {
  for (std::size_t i = 0; i < last_.size(); ++i)
    threads_.emplace_back([this, i] { work(i); });
}

void buffered_senders::work(std::size_t user) {
  numbered next{users_[user], 0};
  while (!ending_) {
    ++next.number;
    // What may have been stored is repeated until it certainly is.
    while (!store(next)) {
      if (given_up_)
        return;
      ++repeats_;
      std::this_thread::sleep_for(pause);
    }
    last_[user] = next.number;
    ++count_;
    std::this_thread::sleep_for(pace_);
  }
}

bool buffered_senders::store(const numbered& what) {
  const contact from{"web", what.user};
  const inbound said{.id = {what.name()}, .from = from, .content = what.name()};
  const auto told = std::make_shared<std::promise<bool>>();
  auto outcome = told->get_future();
  wire_.publish_stored(
    subject::in(from), codec::encode(said),
    {{"Nats-Msg-Id", "web:" + said.id.text}},
    [told](const result<void>& x) { told->set_value(x.has_value()); });
  return outcome.get();
}

void buffered_senders::give_up() {
  given_up_ = true;
  stop();
}

void buffered_senders::stop() {
  ending_ = true;
  for (auto& x : threads_)
    x.join();
  threads_.clear();
}

std::vector<numbered> buffered_senders::stored() const {
  std::vector<numbered> all;
  for (std::size_t i = 0; i < last_.size(); ++i)
    all.push_back({users_[i], last_[i]});
  return all;
}

// -- conversations ------------------------------------------------------------

talkers::talkers(bus& wire, out_log& heard, ledger& receipts,
                 std::vector<std::string> users, std::chrono::milliseconds pace)
  : wire_(wire),
    heard_(heard),
    receipts_(receipts),
    users_(std::move(users)),
    pace_(pace),
    answered_said_at_(users_.size()) {
  for (std::size_t i = 0; i < users_.size(); ++i)
    threads_.emplace_back([this, i] { work(i); });
}

void talkers::work(std::size_t user) {
  numbered next{users_[user], 0};
  while (!ending_) {
    ++next.number;
    const auto said_at = steady_clock::now();
    post(next);
    // An agent who closes the conversation at this moment leaves the line
    // without an answer; then the customer writes again.
    if (!ending_ && heard_.wait("re-" + next.name(), answer_max)) {
      answered_said_at_[user] = said_at.time_since_epoch();
      ++answered_;
    }
    std::this_thread::sleep_for(pace_);
  }
}

bool talkers::all_answered_since(steady_clock::time_point when) const {
  return std::all_of(
    answered_said_at_.begin(), answered_said_at_.end(),
    [&](const auto& x) { return x.load() >= when.time_since_epoch(); });
}

void talkers::post(const numbered& what) {
  const contact from{"web", what.user};
  const inbound said{.id = {what.name()},
                     .from = from,
                     .content = what.name(),
                     .want = {.queue = {talk_queue}}};
  for (; !given_up_; ++repeats_) {
    const auto got =
      wire_.request(subject::post(from), codec::encode(said), 1s);
    if (got)
      if (const auto told = codec::decode_receipt(got->bytes)) {
        receipts_.keep(what.name(), *told);
        return;
      }
    std::this_thread::sleep_for(pause);
  }
}

void talkers::give_up() {
  given_up_ = true;
  stop();
}

void talkers::stop() {
  ending_ = true;
  for (auto& x : threads_)
    x.join();
  threads_.clear();
}

} // namespace switchboard::faults
