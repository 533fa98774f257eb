#include "bench/course.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

using std::chrono::steady_clock;

namespace {

/// A rate is kept up with if the last message is answered so soon after it was
/// due: what is further behind after some seconds falls behind for ever.
constexpr auto grace = std::chrono::milliseconds{250};

} // namespace

std::unique_ptr<load> course::make(std::int64_t messages, double rate) {
  auto x = std::make_unique<load>(wire_, load::options{.run = run_,
                                                       .users = users_,
                                                       .window = 20'000,
                                                       .messages = messages,
                                                       .after = numbered_,
                                                       .rate = rate});
  numbered_ += messages / users_ + 1;
  return x;
}

void course::open_sessions() {
  const auto x = make(users_, 1000);
  x->start();
  if (!x->wait(std::chrono::seconds{30}) || !all_replied(*x, 30'000))
    throw std::runtime_error(
      "not every session got an agent: " + std::to_string(at_.replied())
      + " replies for " + std::to_string(x->answered())
      + " messages; refused: " + errors_text(at_.errors()));
  settled_ = at_.replied();
}

bool course::keeps_up(double rate) {
  constexpr int seconds = 3;
  const auto x = make(static_cast<std::int64_t>(rate * seconds), rate);
  x->start();
  const auto end = steady_clock::now() + std::chrono::seconds{seconds} + grace;
  const auto left = [&] {
    return std::chrono::ceil<std::chrono::milliseconds>(end
                                                        - steady_clock::now());
  };
  const bool in_time =
    x->wait(left()) && all_replied(*x, static_cast<int>(left().count()));
  finish(*x);
  return in_time;
}

void course::finish(load& x) {
  if (!x.wait(std::chrono::seconds{60}) || !all_replied(x, 60'000))
    throw std::runtime_error(
      "after a minute " + std::to_string(x.sent() - x.answered())
      + " receipts and " + std::to_string(x.sent() - (at_.replied() - settled_))
      + " replies are missing");
  settled_ = at_.replied();
}

bool course::all_replied(const load& x, int patience_ms) {
  const auto until =
    steady_clock::now() + std::chrono::milliseconds{patience_ms};
  while (at_.replied() - settled_ < x.sent()) {
    if (steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

double climb(course& on, double lowest) {
  progress bar{"ramp"};
  double reached = 0;
  for (double rate = lowest; rate < 60'000; rate *= 1.25) {
    bar.at(std::log(rate / lowest) / std::log(60'000 / lowest));
    if (!on.keeps_up(rate))
      break;
    reached = rate;
  }
  if (reached == 0)
    throw std::runtime_error("not even " + number(lowest)
                             + " messages/s are kept up with");
  return reached;
}

trip follow(const desks& at, const load& x, const std::string& run) {
  trip t;
  const auto replies = at.replies();
  for (const auto& sent : x.answers()) {
    const auto of = replies.find(load::user_name(run, sent.user));
    if (of == replies.end()) {
      ++t.unanswered;
      continue;
    }
    const auto found =
      std::find_if(of->second.begin(), of->second.end(), [&](const auto& r) {
        return r.session == sent.where.session.value
               && r.to_seq == sent.where.seq;
      });
    if (found == of->second.end()) {
      ++t.unanswered;
      continue;
    }
    t.there_and_back.add(std::chrono::duration_cast<std::chrono::microseconds>(
                           found->at - sent.due)
                           .count());
  }
  for (const auto& [user, all] : replies)
    for (std::size_t i = 1; i < all.size(); ++i)
      if (all[i - 1].session == all[i].session
          && all[i - 1].to_seq > all[i].to_seq)
        ++t.reordered;
  return t;
}

std::string errors_text(const std::map<std::string, std::int64_t>& all) {
  std::string text;
  for (const auto& [code, count] : all)
    text += (text.empty() ? "" : ", ") + code + ' ' + std::to_string(count);
  return text;
}

} // namespace switchboard::bench
