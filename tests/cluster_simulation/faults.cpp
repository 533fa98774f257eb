// What goes wrong, as the seed's mix allows.
#include "tests/cluster_simulation/cluster.hpp"

#include <algorithm>

namespace switchboard::cluster_simulation {

void cluster::something_happens() {
  auto& x = *nodes_.at(static_cast<std::size_t>(
    world_.below(static_cast<std::int64_t>(nodes_.size()))));
  const auto& f = world_.faults;
  switch (world_.below(8)) {
    case 0:
    case 1:
      if (f.crash)
        crash(x);
      break;
    case 2:
      if (f.freeze)
        pause(x);
      break;
    case 3:
      if (f.cut_database)
        cut(x, true);
      break;
    case 4:
      if (f.cut_bus)
        cut(x, false);
      break;
    case 5:
      if (f.outage)
        outage();
      break;
    case 6:
      if (f.clocks)
        x.set_clock(instant{world_.below(900) - 450});
      break;
    default:
      if (f.drain)
        drain(x);
      break;
  }
}

void cluster::crash(node& x) {
  if (!x.up())
    return;
  ++sum_.faults;
  x.kill();
  world_.after(instant{world_.below(2) * world_.below(2500)}, [&x] {
    if (!x.up())
      x.boot();
  });
}

void cluster::pause(node& x) {
  ++sum_.faults;
  x.freeze(true);
  world_.after(instant{50 + world_.below(2500)}, [&x] { x.freeze(false); });
}

void cluster::cut(node& x, bool database) {
  ++sum_.faults;
  const auto set = [&x, database](bool cut) {
    if (database)
      x.cut_database(cut);
    else
      x.cut_bus(cut);
  };
  set(true);
  world_.note(database ? "no database" : "no bus", x.name().text);
  world_.after(instant{100 + world_.below(2400)}, [set] { set(false); });
}

void cluster::outage() {
  ++sum_.faults;
  store_.away = true;
  world_.note("outage", "all");
  world_.after(instant{100 + world_.below(1900)}, [this] {
    store_.away = false;
    world_.note("back", "all");
  });
}

/// A rolling restart: one after the other, each waits until it is empty.
void cluster::drain(node& x) {
  if (draining_ || !x.up())
    return;
  draining_ = true;
  ++sum_.faults;
  world_.note("drain", x.name().text);
  x.drain();
  finish_drain(x, x.life_count());
}

void cluster::finish_drain(node& x, std::int64_t life) {
  world_.after(100ms, [this, &x, life] {
    if (!x.up() || x.life_count() != life) {
      draining_ = false;
      return;
    }
    if (!x.drained()) {
      finish_drain(x, life);
      return;
    }
    // What is still on its way to it, it passes on.
    world_.after(600ms, [this, &x, life] {
      if (x.life_count() == life && x.up()) {
        x.shut_down();
        x.boot();
      }
      world_.after(1500ms, [this] { draining_ = false; });
    });
  });
}

} // namespace switchboard::cluster_simulation
