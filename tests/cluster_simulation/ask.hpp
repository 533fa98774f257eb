#pragma once

#include "tests/cluster_simulation/cluster.hpp"

namespace switchboard::cluster_simulation {

/// Sends a statement to the database. `hear` is called once: with the answer,
/// or with nothing when it did not come in time; then the statement may have
/// been carried out, may be carried out later, or never.
template <class Run, class Hear>
void node::ask(Run run, Hear hear) {
  using answer = decltype(run(cluster_.store()));
  auto& w = cluster_.around();
  auto told = std::make_shared<bool>(false);
  auto once = [told, hear](const std::optional<answer>& x) {
    if (!std::exchange(*told, true))
      hear(x);
  };
  later(300ms, [once] { once(std::nullopt); });
  const auto late = w.faults.late && w.chance(2);
  if (!late && (database_cut_ || cluster_.store().away)) {
    later(w.delay(), [once] { once(std::nullopt); }); // Refused at once.
    return;
  }
  const auto way = w.delay() + (late ? instant{200 + w.below(1800)} : 0ms);
  w.after(way, [this, run, once, late, life = life_, sent_at = w.now()] {
    auto& around = cluster_.around();
    const auto ended = cluster_.ended.find(life);
    if (cluster_.store().away || (database_cut_ && !late)
        || (ended != cluster_.ended.end() && sent_at <= ended->second))
      return;
    auto got = run(cluster_.store());
    if (around.faults.late && around.chance(2))
      return; // Carried out, and the reply is lost.
    around.after(around.delay(), [this, got, once, life] {
      if (!database_cut_ && life == life_)
        later(0ms, [once, got] { once(got); });
    });
  });
}

template <class Run, class Hear>
void node::ask_in_turn(Run run, Hear hear) {
  turns_.push_back([this, run, hear] {
    ask(run, [this, hear](const auto& got) {
      hear(got);
      busy_ = false;
      next_turn();
    });
  });
  next_turn();
}

} // namespace switchboard::cluster_simulation
