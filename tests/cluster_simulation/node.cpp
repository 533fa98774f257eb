#include "tests/cluster_simulation/node.hpp"

#include "tests/cluster_simulation/ask.hpp"
#include "tests/cluster_simulation/cluster.hpp"

namespace switchboard::cluster_simulation {

node::node(cluster& in, std::string name)
  : cluster_(in), name_{std::move(name)} {
  if (in.around().faults.hasty) {
    rules_.moves_max = 4;
    rules_.word_time = -1ms;
  }
  // Nobody compares boot clocks: every node has its own beginning.
  boot_offset_ = instant{cluster_.around().below(1'000'000)};
}

instant node::clock() const {
  const auto now = cluster_.around().now() + boot_offset_;
  return cluster_.around().has(bug::wall_clock) ? now + skew_ : now;
}

time_point node::wall() const {
  return time_point{1'790'000'000'000ms + cluster_.around().now() + skew_};
}

void node::later(instant wait, std::function<void()> what) {
  cluster_.around().after(wait, [this, life = lives_, what = std::move(what)] {
    if (life != lives_ || !up_)
      return;
    if (frozen_)
      frozen_calls_.push_back(what);
    else
      what();
  });
}

// -- what happens to it -------------------------------------------------------

void node::boot() {
  ++lives_;
  up_ = true;
  life_ = name_.text + '.' + std::to_string(lives_);
  started_ = static_cast<std::uint16_t>(cluster_.around().below(1 << 15));
  cluster_.around().note("boot", life_);
  announce();
}

/// Nothing else begins before the lease is there.
void node::announce() {
  ask(
    [this, life = life_](database& to) {
      to.announce(name_, life);
      return true;
    },
    [this](std::optional<bool> done) {
      if (!done) {
        later(100ms, [this] { announce(); });
        return;
      }
      if (cluster_.around().has(bug::no_gap_rule))
        rules_.look_gap_max = 1h;
      state_ = membership::start(name_, life_, clock());
      look();
      renew();
      tick();
    });
}

void node::kill() {
  cluster_.around().note("kill", life_);
  up_ = false;
  frozen_ = suspended_ = drained_ = looking_ = renewing_ = false;
  says_ = membership::condition::serving;
  slots_.clear();
  frozen_calls_.clear();
  turns_.clear();
  busy_ = false;
}

void node::next_turn() {
  if (turns_.empty() || std::exchange(busy_, true))
    return;
  const auto turn = std::move(turns_.front());
  turns_.pop_front();
  turn();
}

void node::freeze(bool frozen) {
  if (!up_ || frozen_ == frozen)
    return;
  cluster_.around().note(frozen ? "freeze" : "thaw", life_);
  frozen_ = frozen;
  if (frozen)
    return;
  auto calls = std::exchange(frozen_calls_, {});
  for (auto& call : calls)
    if (up_)
      call();
}

void node::cut_bus(bool cut) {
  bus_cut_ = cut;
  later(150ms, [this] {
    if (state_.me.empty())
      return;
    if (bus_cut_)
      happen(membership::bus_lost{});
    else
      happen(membership::bus_found{});
  });
}

void node::drain() {
  later(0ms, [this] { happen(membership::drain_asked{}); });
}

// -- what it does all the time ------------------------------------------------

void node::look() {
  look_now();
  later(100ms, [this] { look(); });
}

void node::look_now() {
  if (std::exchange(looking_, true))
    return;
  const auto asked_at = clock();
  ask_in_turn([life = life_](database& from) { return from.look(life); },
              [this, asked_at](const std::optional<membership::view>& got) {
                looking_ = false;
                if (got)
                  happen(membership::seen{asked_at, *got});
                else if (!cluster_.around().has(bug::no_gap_rule))
                  happen(membership::look_failed{});
              });
}

void node::renew() {
  later(200ms, [this] { renew(); });
  renew_now();
}

void node::renew_now() {
  if (std::exchange(renewing_, true))
    return;
  ask([this, life = life_,
       says = says_](database& to) { return to.renew(name_, life, says); },
      [this, says = says_, sent_at = clock()](std::optional<bool> done) {
        renewing_ = false;
        if (says != says_)
          renew_now(); // What is new does not wait for its turn.
        if (!done)
          return;
        if (*done)
          happen(membership::renewed{sent_at});
        else
          happen(membership::replaced{});
      });
}

void node::tick() {
  later(50ms, [this] { tick(); });
  happen(membership::ticked{});
  read_lane();
  if (cluster_.around().below(4) == 0)
    write_watermarks();
  if (cluster_.around().below(6) == 0)
    sweep_outbox();
}

void node::happen(const membership::event& what) {
  if (state_.me.empty() || state_.incarnation != life_)
    return; // Not announced yet.
  for (const auto& e : membership::apply(state_, what, rules_, clock()))
    std::visit([this](const auto& x) { perform(x); }, e);
}

// -- what membership wants ----------------------------------------------------

void node::perform(const membership::claim& e) {
  ask_in_turn(
    [this, life = life_, e, at = cluster_.around().now()](database& to) {
      return to.take(name_, life, e, at);
    },
    [this, e](const std::optional<std::vector<membership::place>>& got) {
      membership::claimed told{{},
                               got.value_or(std::vector<membership::place>{})};
      for (const auto& x : e.what)
        told.asked.push_back(x.slot);
      happen(told);
    });
}

void node::perform(const membership::settle& e) {
  auto& x = slots_[e.slot];
  if (x.epoch != e.epoch)
    return;
  if (x.at == mode::loading)
    x.settle_asked = !cluster_.around().has(bug::forgotten_settle);
  if (x.at != mode::serving)
    return;
  x.at = mode::leaving;
  look_quiet(e.slot);
}

void node::perform(const membership::resume& e) {
  auto& x = slots_[e.slot];
  if (x.at != mode::leaving || x.epoch != e.epoch)
    return;
  x.at = mode::serving;
  flush_held(e.slot);
}

void node::perform(const membership::hand_over& e) {
  ask_in_turn([this, e](database& to) { return to.hand_over(name_, e); },
              [this, e](std::optional<bool> done) {
                if (!done.value_or(false)) {
                  happen(membership::hand_over_failed{e.slot});
                  return;
                }
                happen(membership::handed_over{e.slot, e.epoch + 1, e.to});
                if (!bus_cut_)
                  cluster_.tell_target(e.to);
              });
}

void node::perform(const membership::reroute& e) {
  for (const auto& x : e.what)
    if (slots_[x.slot].at == mode::away)
      flush_held(x.slot);
}

/// Who takes over ends the connections of the dead; sometimes too late.
void node::perform(const membership::bury& e) {
  if (cluster_.around().chance(50))
    cluster_.ended[e.incarnation] = cluster_.around().now();
}

void node::perform(const membership::say& e) {
  says_ = e.what;
  renew_now();
}

void node::shut_down() {
  for (auto& [slot, x] : slots_)
    for (const auto& late : std::exchange(x.held, {}))
      answer(late, fail(errc::moved, "the node stops; try again"));
  // What it has sent is carried out, whether it hears of it or not.
  cluster_.store().leave(name_, life_);
  kill();
}

bool node::listens(slot_number slot) const {
  if (!up_ || suspended_ || bus_cut_)
    return false;
  const auto at = slots_.find(slot);
  if (at == slots_.end())
    return false;
  const auto& x = at->second;
  if (x.at == mode::leaving && cluster_.around().has(bug::early_silence))
    return false;
  return x.at != mode::away || cluster_.around().now() < x.listens_until;
}

bool node::serves(const membership::place& x) const {
  const auto at = slots_.find(x.slot);
  return up_ && !frozen_ && !suspended_ && at != slots_.end()
         && at->second.at == mode::serving && at->second.epoch == x.epoch;
}

} // namespace switchboard::cluster_simulation
