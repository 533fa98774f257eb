#include "actors/domain/membership.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::membership {

namespace {

constexpr std::array conditions{condition::serving, condition::deaf,
                                condition::draining};

bool gets_slots(const sighting& x) {
  return x.alive && x.last.says == condition::serving;
}

/// One step of the machine: the state to change, and what is to be done.
struct step {
  state& s;
  const rules& r;
  instant now;
  effects todo{};
  std::vector<place> rerouted{};

  // -- our own lease ----------------------------------------------------------

  void operator()(const renewed& e) {
    s.renewed_at = std::max(s.renewed_at, e.sent_at);
  }

  void operator()(const replaced&) {
    s.replaced = true;
    while (!s.owned.empty())
      lose(s.owned.begin()->first);
    keep_still();
  }

  void keep_still() {
    if (!std::exchange(s.suspended, true))
      todo.emplace_back(suspend{});
  }

  /// Before anybody can take us for dead.
  void restrain() {
    if (now - s.renewed_at > r.restraint_time)
      keep_still();
  }

  // -- looking ----------------------------------------------------------------

  void operator()(const look_failed&) { s.looked_at.reset(); }

  void operator()(const seen& e) {
    const auto gapless = s.looked_at && now - *s.looked_at <= r.look_gap_max;
    s.looked_at = now;
    if (!gapless)
      for (auto& [id, x] : s.others)
        x.moved_at = now; // We did not look all along: the windows start anew.
    for (const auto& x : e.what.leases)
      if (x.node != s.me)
        sight(x);
    forget_missing(e.what.leases);
    for (const auto& x : e.what.places)
      take_note(x);
    if (s.replaced)
      return;
    if (s.suspended && now - s.renewed_at <= r.restraint_time
        && e.asked_at >= s.renewed_at) {
      s.suspended = false;
      todo.emplace_back(go_on{});
    }
    settle_doubts(e.asked_at);
    claim_orphans();
    give_away();
  }

  void sight(const lease& x) {
    auto& at = s.others[x.node];
    if (at.last.incarnation != x.incarnation) {
      if (!at.last.incarnation.empty() && !at.buried)
        todo.emplace_back(bury{x.node, at.last.incarnation});
      // A first sight proves nothing: the row may be of a node long dead.
      at = sighting{x, now, now, false, false};
      return;
    }
    if (at.last.renewals != x.renewals) {
      if (!at.alive)
        at.met_at = now;
      at.alive = true;
      at.buried = false;
      at.moved_at = now;
    } else if (!at.buried && now - at.moved_at > r.lease_time) {
      at.alive = false;
      at.buried = true;
      todo.emplace_back(bury{x.node, x.incarnation});
    }
    at.last = x;
  }

  /// A node that ends takes its lease with it.
  void forget_missing(const std::vector<lease>& there) {
    std::erase_if(s.others, [&](const auto& x) {
      const auto gone =
        std::none_of(there.begin(), there.end(),
                     [&](const lease& l) { return l.node == x.first; });
      if (gone && !x.second.buried)
        todo.emplace_back(bury{x.first, x.second.last.incarnation});
      return gone;
    });
  }

  void take_note(const place& x) {
    auto& known = s.places.at(x.slot);
    // What was read before our own change of it is old news.
    if (x.epoch < known.epoch)
      return;
    if (const auto mine = s.owned.find(x.slot);
        mine != s.owned.end() && (x.owner != s.me || x.epoch != mine->second))
      lose(x.slot);
    if (known != x) {
      known = x;
      rerouted.push_back(x);
    }
  }

  /// @returns true for nobody, the dead, and a life of ours that is over
  bool is_orphan(const place& x) const {
    if (x.owner.empty())
      return true;
    if (x.owner == s.me)
      return !s.owned.contains(x.slot);
    const auto at = s.others.find(x.owner);
    return at == s.others.end() || at->second.buried;
  }

  // -- taking -----------------------------------------------------------------

  void claim_orphans() {
    if (s.suspended || (!s.draining && s.says != condition::serving))
      return;
    const auto unsure =
      std::any_of(s.others.begin(), s.others.end(), [](const auto& x) {
        return !x.second.alive && !x.second.buried;
      });
    std::map<node_id, std::vector<place>> wanted;
    for (const auto& x : s.places) {
      auto& since = s.orphan_since.at(x.slot);
      // Who drains takes only what was given to it before the giver knew, to
      // give it on.
      if (x.epoch < 0 || !is_orphan(x) || (s.draining && x.owner != s.me)) {
        since.reset();
        continue;
      }
      if (!since)
        since = now;
      // Whether the others live shows within a lease: then all share.
      if (x.owner.empty() && unsure)
        continue;
      if (s.claiming.contains(x.slot)
          || now - *since < r.patience * static_cast<int>(my_rank(x)))
        continue;
      wanted[x.owner].push_back(x);
    }
    for (auto& [from, what] : wanted) {
      for (const auto& x : what)
        s.claiming.insert(x.slot);
      const auto at = s.others.find(from);
      todo.emplace_back(claim{
        from,
        at == s.others.end() ? std::nullopt : std::optional{at->second.last},
        std::move(what)});
    }
  }

  /// How many should come before us. What was ours in a former life is ours.
  std::size_t my_rank(const place& x) const {
    if (x.owner == s.me)
      return 0;
    const auto mine = weight(s.me, x.slot);
    return static_cast<std::size_t>(
      std::count_if(s.others.begin(), s.others.end(), [&](const auto& o) {
        return gets_slots(o.second) && weight(o.first, x.slot) > mine;
      }));
  }

  void operator()(const claimed& e) {
    for (const auto slot : e.asked)
      s.claiming.erase(slot);
    for (const auto& x : e.got) {
      auto& known = s.places.at(x.slot);
      if (x.epoch <= known.epoch)
        continue; // Claimed, and lost again before we heard of it.
      known = x;
      s.orphan_since.at(x.slot).reset();
      s.owned[x.slot] = x.epoch;
      rerouted.push_back(x);
      if (s.replaced)
        lose(x.slot);
      else
        todo.emplace_back(serve{x.slot, x.epoch});
    }
  }

  // -- giving -----------------------------------------------------------------

  void give_away() {
    if (s.suspended)
      return;
    std::erase_if(s.given,
                  [&](const auto& x) { return now - x.second > r.word_time; });
    for (const auto& [slot, epoch] : s.owned) {
      if (s.moving.size() + s.given.size() >= r.moves_max)
        break;
      if (s.moving.contains(slot))
        continue;
      const auto to = chosen(s, slot);
      if (!to || *to == s.me || !has_settled(*to))
        continue;
      s.moving[slot] = move{*to};
      todo.emplace_back(settle{slot, epoch, *to});
    }
    const auto ours = [&](const place& x) { return x.owner == s.me; };
    if (s.draining && s.owned.empty() && s.claiming.empty()
        && std::none_of(s.places.begin(), s.places.end(), ours)
        && !std::exchange(s.drained_said, true))
      todo.emplace_back(drained{});
  }

  /// Whoever leaves is not choosy; a newcomer must have proved itself.
  bool has_settled(const node_id& to) const {
    return s.says != condition::serving
           || now - s.others.at(to).met_at >= r.settle_time;
  }

  void operator()(const quiet& e) {
    const auto at = s.moving.find(e.slot);
    if (at == s.moving.end() || !owns(e.slot, e.epoch))
      return;
    const auto target = s.others.find(at->second.to);
    if (s.suspended || target == s.others.end()
        || !gets_slots(target->second)) {
      s.moving.erase(at);
      todo.emplace_back(resume{e.slot, e.epoch});
      return;
    }
    todo.emplace_back(hand_over{e.slot, e.epoch, at->second.to});
  }

  void operator()(const handed_over& e) {
    if (e.epoch > s.places.at(e.slot).epoch) {
      s.places.at(e.slot) = {e.slot, e.to, e.epoch};
      rerouted.push_back(s.places.at(e.slot));
    }
    lose(e.slot);
    if (!s.deaf_since)
      s.given[e.slot] = now;
    if (s.looked_at && !s.suspended)
      give_away();
  }

  void operator()(const served& e) {
    if (s.given.erase(e.slot) > 0 && s.looked_at)
      give_away();
  }

  void operator()(const hand_over_failed& e) {
    if (const auto at = s.moving.find(e.slot); at != s.moving.end())
      at->second.doubtful_since = now;
  }

  /// A look that was asked for after the failure tells what became of it: had
  /// the slot moved, it would be lost by now.
  void settle_doubts(instant asked_at) {
    for (auto at = s.moving.begin(); at != s.moving.end();) {
      if (!at->second.doubtful_since || asked_at < *at->second.doubtful_since) {
        ++at;
        continue;
      }
      todo.emplace_back(resume{at->first, s.owned.at(at->first)});
      at = s.moving.erase(at);
    }
  }

  // -- losing -----------------------------------------------------------------

  bool owns(slot_number slot, std::int64_t epoch) const {
    const auto at = s.owned.find(slot);
    return at != s.owned.end() && at->second == epoch;
  }

  void lose(slot_number slot) {
    const auto at = s.owned.find(slot);
    if (at == s.owned.end())
      return;
    todo.emplace_back(stop{slot, at->second});
    s.owned.erase(at);
    s.moving.erase(slot);
  }

  /// Whose it is now, the next look shows.
  void operator()(const fenced& e) {
    if (owns(e.slot, e.epoch))
      lose(e.slot);
  }

  // -- what we say of ourselves -----------------------------------------------

  void operator()(const bus_lost&) {
    if (!s.deaf_since)
      s.deaf_since = now;
  }

  void operator()(const bus_found&) { s.deaf_since.reset(); }

  void operator()(const drain_asked&) { s.draining = true; }

  void operator()(const ticked&) {}

  void speak() {
    auto what = condition::serving;
    if (s.draining)
      what = condition::draining;
    else if (s.deaf_since && now - *s.deaf_since > r.deaf_time)
      what = condition::deaf;
    if (std::exchange(s.says, what) != what)
      todo.emplace_back(say{what});
  }
};

} // namespace

std::string_view to_string(condition c) noexcept {
  switch (c) {
    case condition::serving: return "serving";
    case condition::deaf: return "deaf";
    case condition::draining: return "draining";
  }
  return "unknown";
}

std::optional<condition> parse_condition(std::string_view text) noexcept {
  for (const auto c : conditions)
    if (to_string(c) == text)
      return c;
  return std::nullopt;
}

state start(node_id me, std::string incarnation, instant now) {
  state s{.me = std::move(me), .incarnation = std::move(incarnation)};
  s.renewed_at = now;
  for (std::size_t k = 0; k < slots_all; ++k)
    s.places.at(k) = {static_cast<slot_number>(k), {}, -1};
  return s;
}

effects apply(state& s, const event& what, const rules& r, instant now) {
  step one{s, r, now};
  one.restrain();
  one.speak();
  std::visit(one, what);
  if (!one.rerouted.empty())
    // First: who is stopped or started should know where the others are.
    one.todo.insert(one.todo.begin(), reroute{std::move(one.rerouted)});
  return std::move(one.todo);
}

std::uint64_t weight(const node_id& node, slot_number slot) noexcept {
  // FNV-1a of the name, then the finaliser of SplitMix64 to spread the bits.
  std::uint64_t x = 14695981039346656037u;
  for (const auto c : node.text)
    x = (x ^ static_cast<unsigned char>(c)) * 1099511628211u;
  x += (static_cast<std::uint64_t>(slot) + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::optional<node_id> chosen(const state& s, slot_number slot) {
  std::optional<node_id> best;
  std::uint64_t most = 0;
  if (s.says == condition::serving) {
    best = s.me;
    most = weight(s.me, slot);
  }
  for (const auto& [id, x] : s.others)
    if (gets_slots(x) && (!best || weight(id, slot) > most)) {
      best = id;
      most = weight(id, slot);
    }
  return best;
}

} // namespace switchboard::membership
