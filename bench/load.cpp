#include "bench/load.hpp"

#include "bench/payloads.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "config/thread_name.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace switchboard::bench {

namespace {

/// What is due within so long is sent together; latency counts from when each
/// was due.
constexpr auto pace_step = std::chrono::milliseconds{1};

std::int64_t us_between(std::chrono::steady_clock::time_point a,
                        std::chrono::steady_clock::time_point b) {
  return std::chrono::duration_cast<std::chrono::microseconds>(b - a).count();
}

/// The code of a problem document, without parsing all of it.
std::string code_of(std::string_view problem) {
  constexpr std::string_view key = "\"code\":\"";
  const auto at = problem.find(key);
  if (at == problem.npos)
    return "unreadable";
  const auto from = at + key.size();
  return std::string(problem.substr(from, problem.find('"', from) - from));
}

} // namespace

std::string load::user_name(const std::string& run, int user) {
  return run + '-' + std::to_string(user);
}

std::string load::message_name(const std::string& run, int user,
                               std::int64_t number) {
  return user_name(run, user) + '-' + std::to_string(number);
}

std::string load::name_of(int user) const {
  return how_.names.empty() ? user_name(how_.run, user)
                            : how_.names[static_cast<std::size_t>(user)];
}

load::load(bus& wire, options how)
  : wire_(wire),
    how_(std::move(how)),
    // Its own: the late answer to another load's message must not fit ours.
    inbox_("_INBOX." + how_.run + '-' + random_secret(4) + '.'),
    flights_(static_cast<std::size_t>(how_.window)),
    numbers_(static_cast<std::size_t>(how_.users), how_.after) {
  for (std::size_t i = flights_.size(); i > 0; --i)
    free_.push_back(i - 1);
  if (how_.messages > 0)
    answers_.reserve(static_cast<std::size_t>(how_.messages));
}

load::~load() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    ended_ = true;
  }
  changed_.notify_all();
  for (auto& x : threads_)
    x.join();
  replies_.reset();
}

void load::start() {
  auto made = wire_.subscribe(inbox_ + '*', "",
                              [this](const bus::packet& x) { on_reply(x); });
  replies_ = std::move(made).value();
  threads_.emplace_back([this] { watch(); });
  if (how_.rate > 0) {
    threads_.emplace_back([this] {
      name_thread("pace");
      pace();
    });
    return;
  }
  const std::lock_guard lock{mutex_};
  // Once for each place: one that has nothing left to send is free again.
  for (auto places = free_.size(); places > 0; --places) {
    const auto place = free_.back();
    free_.pop_back();
    send_next(place, std::chrono::steady_clock::now());
  }
}

/// @pre the mutex is held
void load::send_next(std::size_t place, time due) {
  if (stopping_ || (how_.messages > 0 && begun_ >= how_.messages)) {
    give_back(place);
    return;
  }
  auto& f = flights_[place];
  // As many places as users: then each user waits for one answer before the
  // next message, and its order is certain even when messages are repeated.
  f.user = how_.window == how_.users ? static_cast<int>(place)
                                     : static_cast<int>(begun_ % how_.users);
  f.number = ++numbers_[static_cast<std::size_t>(f.user)];
  f.payload = static_cast<std::uint64_t>(begun_++);
  f.due = due;
  f.open = true;
  ++open_;
  ++sent_;
  send(place);
}

/// Who waits is woken only when there is something to see: three threads for
/// each answer would cost the machine as much as what is measured.
/// @pre the mutex is held
void load::give_back(std::size_t place) {
  const auto dry = free_.empty();
  free_.push_back(place);
  if (dry || open_ == 0)
    changed_.notify_all();
}

/// @pre the mutex is held
void load::send(std::size_t place) {
  auto& f = flights_[place];
  f.tried = std::chrono::steady_clock::now();
  const contact to{"web", name_of(f.user)};
  const inbound what{.id = {to.user + '-' + std::to_string(f.number)},
                     .from = to,
                     .content = payload(f.payload)};
  // The number in the reply subject tells a late answer from the one awaited.
  static_cast<void>(wire_.publish_request(
    how_.to_floor ? "sb.v1.floor." + to.user : subject::post(to),
    inbox_ + std::to_string(place) + '-' + std::to_string(f.payload),
    codec::encode(what)));
}

void load::on_reply(const bus::packet& x) {
  const auto at = std::chrono::steady_clock::now();
  const auto tail = x.subject.substr(inbox_.size());
  std::size_t place = 0;
  std::uint64_t which = 0;
  const auto dash = tail.find('-');
  std::from_chars(tail.data(), tail.data() + dash, place);
  std::from_chars(tail.data() + dash + 1, tail.data() + tail.size(), which);
  const auto got = codec::decode_receipt(x.bytes);
  const std::lock_guard lock{mutex_};
  if (place >= flights_.size())
    return;
  auto& f = flights_[place];
  if (!f.open || f.payload != which)
    return; // The answer to an earlier try of something answered already.
  if (!got) {
    // No responders comes as an empty packet with a status header.
    ++errors_[x.bytes.empty() ? "no_responders" : code_of(x.bytes)];
    if (how_.repeat)
      return; // `watch` sends it again.
    f.open = false;
    --open_;
    send_next(place, at);
    return;
  }
  answers_.push_back({f.user, f.number, *got, us_between(f.due, at), f.due});
  ++answered_;
  f.open = false;
  --open_;
  if (how_.rate > 0) {
    give_back(place);
    return;
  }
  send_next(place, at);
}

/// Sends again what was not answered in time.
void load::watch() {
  std::unique_lock lock{mutex_};
  while (!changed_.wait_for(lock, std::chrono::milliseconds{50},
                            [this] { return ended_; })) {
    if (!how_.repeat)
      continue;
    const auto late = std::chrono::steady_clock::now() - how_.patience;
    for (std::size_t i = 0; i < flights_.size(); ++i)
      if (flights_[i].open && flights_[i].tried < late) {
        ++repeats_;
        send(i);
      }
  }
}

/// Open loop: sends what is due; with no place free it is sent later, and its
/// latency counts from when it was due.
void load::pace() {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock{mutex_};
  for (std::int64_t n = 0; !stopping_ && !ended_; ++n) {
    if (how_.messages > 0 && n >= how_.messages)
      return;
    const auto due = begin
                     + std::chrono::microseconds{static_cast<std::int64_t>(
                       static_cast<double>(n) * 1e6 / how_.rate)};
    while (std::chrono::steady_clock::now() < due && !stopping_) {
      lock.unlock();
      // Not for each message: the machine is shared with what is measured.
      std::this_thread::sleep_until(due + pace_step);
      lock.lock();
    }
    changed_.wait(lock, [&] { return !free_.empty() || stopping_ || ended_; });
    if (stopping_ || ended_ || free_.empty())
      return;
    const auto place = how_.in_turn ? free_.front() : free_.back();
    if (how_.in_turn)
      free_.pop_front();
    else
      free_.pop_back();
    send_next(place, due);
  }
}

bool load::stop(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  stopping_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [this] { return open_ == 0; });
}

bool load::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(
    lock, patience, [this] { return begun_ >= how_.messages && open_ == 0; });
}

double load::run(const std::string& title) {
  progress bar{title};
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return static_cast<double>(
             us_between(begin, std::chrono::steady_clock::now()))
           / 1e6;
  };
  start();
  while (!wait(std::chrono::milliseconds{200})) {
    bar.at(static_cast<double>(answered())
           / static_cast<double>(how_.messages));
    if (seconds() > 300)
      throw std::runtime_error(title + ": no end after 5 minutes");
  }
  return static_cast<double>(how_.messages) / seconds();
}

std::vector<load::answer> load::answers() const {
  const std::lock_guard lock{mutex_};
  return answers_;
}

std::vector<load::answer> load::answers_after(std::size_t count) const {
  const std::lock_guard lock{mutex_};
  return {answers_.begin()
            + static_cast<std::ptrdiff_t>(std::min(count, answers_.size())),
          answers_.end()};
}

std::map<std::string, std::int64_t> load::errors() const {
  const std::lock_guard lock{mutex_};
  return errors_;
}

latencies load::all_latencies() const {
  latencies l;
  for (const auto& x : answers())
    l.add(x.latency_us);
  return l;
}

void load::write(report& to) const {
  all_latencies().write(to);
  std::vector<time> done;
  for (const auto& x : answers())
    done.push_back(x.due + std::chrono::microseconds{x.latency_us});
  to.throughput = rate_of(std::move(done));
}

} // namespace switchboard::bench
