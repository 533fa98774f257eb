#include "tests/cluster_simulation/cluster.hpp"

#include <algorithm>

namespace switchboard::cluster_simulation {

namespace {

constexpr int nodes = 3;
constexpr int customers = 5;
constexpr int depositors = 3;
constexpr int deposits = 10;
constexpr auto begin = 2500ms;
constexpr auto heal = 8000ms;
constexpr auto silence = 12'000ms;
constexpr auto end = 15'000ms;
/// Slots move one after the other, and words are lost: then it takes longer.
constexpr auto end_at_last = 40'000ms;

} // namespace

cluster::cluster(std::uint64_t seed, bug planted, bool print)
  : world_(seed, planted, print), store_(world_) {
  for (int i = 0; i < nodes; ++i)
    nodes_.push_back(
      std::make_unique<node>(*this, "n" + std::to_string(i + 1)));
  for (int i = 0; i < customers; ++i)
    customers_.push_back({"d" + std::to_string(i)});
}

figures cluster::run() {
  for (auto& x : nodes_)
    world_.after(instant{world_.below(300)}, [n = x.get()] { n->boot(); });
  for (auto& x : customers_)
    world_.after(begin + instant{world_.below(300)}, [this, &x] { say(x); });
  for (int i = 0; i < depositors; ++i)
    for (int k = 1; k <= deposits; ++k)
      // Four at a time: what is passed on might overtake.
      world_.after(begin + instant{(k + 3) / 4 * 2200 + 100 * i},
                   [this, i, k] { put(i, k); });
  world_.after(begin, [this] { sweep(); });
  for (auto at = begin; at < heal; at += instant{150 + world_.below(500)})
    world_.after(at, [this] { something_happens(); });
  world_.run(heal + 2500ms);
  world_.heal();
  world_.run(silence);
  closing_ = true;
  for (instant at = end;
       at == end || ((!all_served() || is_draining()) && at <= end_at_last);
       at += 100ms)
    world_.run(at);
  must_be_well();
  store_.check_all();
  for (const auto& [id, x] : store_.sessions)
    sum_.entries += static_cast<std::int64_t>(x.lines.size());
  sum_.hash = world_.hash;
  sum_.lines = world_.lines;
  sum_.takeovers = store_.takeovers;
  sum_.moves = store_.moves;
  sum_.fenced = store_.fenced;
  return sum_;
}

bool cluster::is_served(const membership::place& x) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& n) {
    return n->name() == x.owner && n->serves(x);
  });
}

bool cluster::is_draining() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const auto& n) { return n->up() && n->draining(); });
}

bool cluster::all_served() const {
  return std::all_of(store_.places.begin(), store_.places.end(),
                     [this](const auto& x) { return is_served(x); });
}

/// Faults are over for long: all is served, and nobody waits.
void cluster::must_be_well() const {
  for (const auto& x : store_.places)
    if (!is_served(x))
      throw violation("LIVENESS: slot " + std::to_string(x.slot)
                      + " is not served by its owner " + x.owner.text);
  if (is_draining())
    throw violation("LIVENESS: a node that drains does not end");
  for (const auto& x : customers_)
    if (x.waits)
      throw violation("LIVENESS: " + x.user + " has no answer to say-"
                      + std::to_string(x.number));
  for (const auto& x : stream_)
    if (!store_.has(x.what.from.user, x.what.id.text))
      throw violation("INV-1: " + x.what.from.user + '/' + x.what.id.text
                      + " of the buffered lane is lost");
}

// -- the bus ------------------------------------------------------------------

node& cluster::at(const node_id& name) {
  return **std::find_if(nodes_.begin(), nodes_.end(),
                        [&](const auto& x) { return x->name() == name; });
}

void cluster::deliver(node& to, const letter& what) {
  const auto& f = world_.faults;
  const int copies =
    (world_.chance(f.loss) ? 0 : 1) + (world_.chance(f.repeats) ? 1 : 0);
  for (int i = 0; i < copies; ++i)
    to.later(world_.delay(), [&to, what] { to.take(what); });
}

/// Whoever listens for the slot gets it, be it one, none, or two.
void cluster::post(const letter& what) {
  for (auto& x : nodes_)
    if (x->listens(what.slot))
      deliver(*x, what);
}

void cluster::send(const node_id& to, letter what) {
  if (at(to).reachable())
    deliver(at(to), what);
}

void cluster::tell_target(const node_id& to) {
  auto& x = at(to);
  if (x.reachable() && !world_.chance(world_.faults.loss))
    x.later(world_.delay(), [&x] { x.look_now(); });
}

void cluster::tell_served(const node_id& by, slot_number slot) {
  for (const auto& x : nodes_)
    if (x->name() != by && x->reachable() && !world_.chance(world_.faults.loss))
      x->later(world_.delay(), [to = x.get(), slot] { to->hear_served(slot); });
}

/// Agents and the router reach a slot through any node.
void cluster::command(letter what) {
  auto& x = *nodes_.at(static_cast<std::size_t>(world_.below(nodes)));
  if (x.reachable())
    deliver(x, what);
}

} // namespace switchboard::cluster_simulation
