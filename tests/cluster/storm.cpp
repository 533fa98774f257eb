#include "tests/cluster/storm.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Later than this nobody believes that it will come back.
constexpr auto recovery_max = 60s;
constexpr const char* two_at_once = "two at once";

/// What may be added to another fault: it ends without the other's end.
constexpr std::array second_kinds{
  fault_kind::node_killed,       fault_kind::node_frozen,
  fault_kind::postgres_cut,      fault_kind::nats_cut,
  fault_kind::nats_other_killed, fault_kind::postgres_killed};

/// Planned changes wait for the whole cluster.
bool stands_alone(fault_kind x) {
  return x == fault_kind::node_restarted || x == fault_kind::node_joins
         || x == fault_kind::taker_killed || x == fault_kind::servers_killed
         || x == fault_kind::nats_all_killed;
}

std::string seconds(const std::optional<milliseconds>& x) {
  return x ? std::to_string(x->count()) : "-";
}

} // namespace

storm::storm(site& on, traffic& under, const ownership_watch& owners,
             options how)
  : on_(on),
    under_(under),
    owners_(owners),
    how_(std::move(how)),
    random_(how_.seed),
    scene_{on, owners, under.wire(), random_} {
  shuffle_order();
}

/// Each kind equally often, in any order.
void storm::shuffle_order() {
  while (std::ssize(order_) < how_.faults) {
    std::vector<fault_kind> round;
    for (const auto& x : fault_names)
      round.push_back(how_.only.value_or(x.kind));
    std::shuffle(round.begin(), round.end(), random_);
    order_.insert(order_.end(), round.begin(), round.end());
  }
  order_.resize(static_cast<std::size_t>(how_.faults));
}

void storm::say(const std::string& what) const {
  std::cerr << '[' << next_ << '/' << order_.size() << "] " << what << '\n';
}

void storm::sleep_up_to(int ms) {
  std::this_thread::sleep_for(milliseconds{scene_.draw(ms + 1)});
}

void storm::rage() {
  settle("the start");
  while (next_ < order_.size()) {
    sleep_up_to(300);
    auto now = next_faults();
    if (now.size() == 1)
      one(*now[0]);
    else
      two(now);
    std::string after;
    for (auto& x : now) {
      after += (after.empty() ? "" : " + ") + x->text();
      past_.push_back(std::move(x));
    }
    // Mostly from full health; now and then before it is back.
    if (next_ < order_.size() && scene_.draw(6) == 0)
      ++hasty_;
    else
      settle(after);
  }
  settle("the last fault");
}

storm::faults_now storm::next_faults() {
  taken busy;
  faults_now all;
  kinds_now_ = {order_[next_++]};
  const auto first = kinds_now_[0];
  all.push_back(make_fault(first, scene_, busy));
  if (how_.only || stands_alone(first) || next_ == order_.size()
      || scene_.draw(3) > 0)
    return all;
  const auto second =
    second_kinds.at(static_cast<std::size_t>(scene_.draw(second_kinds.size())));
  if (second == first)
    return all;
  kinds_now_.push_back(second);
  all.push_back(make_fault(second, scene_, busy));
  return all;
}

void storm::one(fault& x) {
  const std::string kind{name_of(kinds_now_[0]).name};
  auto& page = book_.of(kind);
  ++page.count;
  x.begin();
  say(x.text());
  if (x.outage()) {
    ++page.witnessed;
    sleep_up_to(1500);
    x.end();
    record(kind, must_come_back(fault::steady_clock::now(), x.text()), true);
    return;
  }
  record(kind, must_come_back(x.struck_at(), x.text()), false);
  x.witness();
  ++page.witnessed;
  x.end();
}

void storm::two(faults_now& both) {
  ++pairs_;
  auto& page = book_.of(two_at_once);
  for (auto& x : both) {
    sleep_up_to(500);
    x->begin();
    ++page.count;
    ++page.witnessed;
    say(x->text() + (x == both[0] ? ", and" : ""));
  }
  sleep_up_to(2500);
  // Without the database nobody can be asked what happened.
  const auto database_last = kinds_now_[1] == fault_kind::postgres_killed;
  if (database_last
      || (kinds_now_[0] != fault_kind::postgres_killed && scene_.draw(2) == 0))
    std::swap(both[0], both[1]);
  for (auto& x : both)
    x->end();
  record(two_at_once,
         must_come_back(fault::steady_clock::now(),
                        both[0]->text() + " + " + both[1]->text()),
         true);
}

pulse::times storm::must_come_back(fault::steady_clock::time_point since,
                                   const std::string& after) {
  pulse p{under_, owners_, since};
  const auto until = fault::steady_clock::now() + recovery_max;
  while (!p.look()) {
    if (how_.give_up && how_.give_up())
      throw std::runtime_error("interrupted");
    if (const auto node = on_.ended_by_itself(); node >= 0)
      throw std::runtime_error(site::name(node) + " ended by itself after "
                               + after);
    if (fault::steady_clock::now() > until)
      throw std::runtime_error("not served for a minute after " + after + ": "
                               + p.missing());
    std::this_thread::sleep_for(10ms);
  }
  std::string line = "  served after (ms)";
  for (std::size_t i = 0; i < pulse::lanes.size(); ++i)
    line += ' ' + std::string(pulse::lanes[i]) + ' ' + seconds(p.took()[i]);
  say(line);
  return p.took();
}

/// From here on nothing of a fault is left.
void storm::settle(const std::string& after) {
  const auto took = must_come_back(fault::steady_clock::now(), after);
  if (!past_.empty() && kinds_now_.size() == 1) {
    auto& page = book_.of(std::string(name_of(kinds_now_[0]).name));
    if (!page.from_end)
      page.after.push_back(**std::max_element(took.begin(), took.end()));
  }
  if (!on_.wait_balanced(recovery_max))
    throw std::runtime_error("the nodes do not share the slots after " + after);
  for (auto& x : std::exchange(past_, {}))
    x->look_back();
}

void storm::record(const std::string& kind, const pulse::times& took,
                   bool from_end) {
  auto& page = book_.of(kind);
  page.from_end = from_end;
  for (std::size_t i = 0; i < took.size(); ++i)
    page.lanes.at(i).push_back(*took.at(i));
  page.all.push_back(**std::max_element(took.begin(), took.end()));
}

} // namespace switchboard::faults
