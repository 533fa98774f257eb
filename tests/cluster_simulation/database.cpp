#include "tests/cluster_simulation/database.hpp"

#include <algorithm>

namespace switchboard::cluster_simulation {

namespace {

std::string key(const session::state& s, const message_id& id) {
  return s.who.user + '/' + id.text;
}

std::map<agent_id, std::int32_t>
loads(const std::map<session_id, database::row>& of) {
  std::map<agent_id, std::int32_t> all;
  for (const auto& [id, x] : of)
    for (const auto& h : session::holds(x.s))
      all[h.agent] += h.load;
  return all;
}

} // namespace

database::database(world& on) : world_(on) {
  for (std::size_t k = 0; k < places.size(); ++k)
    places.at(k) = {static_cast<slot_number>(k), {}, 0};
}

// -- leases and slots ---------------------------------------------------------

void database::announce(const node_id& who, const std::string& life) {
  auto& x = leases_[who];
  x.lease = {who, life, x.lease.renewals + 1, membership::condition::serving};
  x.moved_at = world_.now();
}

void database::leave(const node_id& who, const std::string& life) {
  const auto at = leases_.find(who);
  if (at != leases_.end() && at->second.lease.incarnation == life)
    leases_.erase(at);
}

bool database::renew(const node_id& who, const std::string& life,
                     membership::condition says) {
  const auto at = leases_.find(who);
  if (at == leases_.end() || at->second.lease.incarnation != life)
    return false;
  ++at->second.lease.renewals;
  at->second.lease.says = says;
  at->second.moved_at = world_.now();
  return true;
}

membership::view database::look(const std::string& life) {
  looks_[life].push_back(world_.now());
  membership::view v;
  for (const auto& [id, x] : leases_)
    v.leases.push_back(x.lease);
  v.places.assign(places.begin(), places.end());
  return v;
}

/// INV-5: at one epoch one life of one node, and epochs only grow.
void database::own(slot_number slot, const node_id& who,
                   const std::string& life, bool same_epoch) {
  auto& x = places.at(slot);
  x.owner = who;
  if (!same_epoch)
    ++x.epoch;
  const auto [at, fresh] = lives_ever_.emplace(std::pair{slot, x.epoch}, life);
  if (!fresh && at->second != life)
    throw violation("INV-5: slot " + std::to_string(slot) + " has epoch "
                    + std::to_string(x.epoch) + " twice");
}

/// A slot is taken only from somebody whose lease has stood still for its whole
/// time, by somebody who has looked all along.
void database::check_take(const node_id& who, const std::string& life,
                          const node_id& from, instant decided_at) const {
  const membership::rules r;
  if (from.empty() || from == who || !leases_.contains(from))
    return;
  if (world_.now() - leases_.at(from).moved_at < r.lease_time)
    throw violation("INV-5: " + who.text + " takes from " + from.text
                    + ", whose lease has just moved");
  // A look is heard of up to 300 ms after it was taken, so both the gap and the
  // whole are seen from here only as well as that.
  constexpr auto unsure = 300ms;
  const auto& mine = looks_.at(life);
  auto run = std::lower_bound(mine.begin(), mine.end(),
                              leases_.at(from).moved_at - unsure);
  auto longest = 0ms;
  for (auto x = run; x != mine.end() && *x <= decided_at; ++x) {
    if (x != run && *x - *(x - 1) > r.look_gap_max + unsure)
      run = x;
    longest = std::max(longest, *x - *run);
  }
  if (longest < r.lease_time - unsure)
    throw violation("INV-5: " + who.text + " takes from " + from.text
                    + " without having looked all along");
}

std::vector<membership::place> database::take(const node_id& who,
                                              const std::string& life,
                                              const membership::claim& what,
                                              instant decided_at) {
  std::vector<membership::place> got;
  const auto me = leases_.find(who);
  if (me == leases_.end() || me->second.lease.incarnation != life)
    return got;
  if (!what.from.empty() && what.from != who
      && !world_.has(bug::no_lease_check)) {
    const auto at = leases_.find(what.from);
    const auto there = at != leases_.end();
    if (there != what.last.has_value()
        || (there
            && (at->second.lease.renewals != what.last->renewals
                || at->second.lease.incarnation != what.last->incarnation)))
      return got;
  }
  for (const auto& x : what.what) {
    auto& now = places.at(x.slot);
    if (now != x && !world_.has(bug::blind_claim))
      continue;
    check_take(who, life, now.owner, decided_at);
    takeovers += now.owner.empty() || now.owner == who ? 0 : 1;
    own(x.slot, who, life,
        now.owner == who && world_.has(bug::reclaim_same_epoch));
    world_.note("own", who.text, x.slot, now.epoch);
    got.push_back(now);
  }
  return got;
}

bool database::hand_over(const node_id& who,
                         const membership::hand_over& what) {
  const auto& x = places.at(what.slot);
  if (x.owner != who || x.epoch != what.epoch)
    return false;
  own(what.slot, what.to, "given to " + what.to.text,
      world_.has(bug::hand_over_same_epoch));
  world_.note("hand_over", what.to.text, what.slot, x.epoch);
  ++moves;
  return true;
}

// -- sessions -----------------------------------------------------------------

void database::look_before(write& what) const {
  what.fence_seen = fenced_off(what);
  what.capacity_seen = would_be_full(what);
}

bool database::fenced_off(const write& x) const {
  const auto& at = places.at(x.slot);
  return at.owner != x.by
         || (at.epoch != x.epoch && !world_.has(bug::owner_only_fence));
}

/// A repeat after a lost reply finds all of its own entries. (append_v1 looks
/// at the first alone: tests/cluster/README.md.)
bool database::is_repeat(const row& there, const write& x) const {
  return std::all_of(x.lines.begin(), x.lines.end(), [&](const entry& mine) {
    const auto at = static_cast<std::size_t>(mine.seq) - 1;
    if (at >= there.lines.size())
      return false;
    const auto& first = there.lines[at];
    return first.epoch == x.epoch && first.what.kind == mine.kind
           && first.what.author == mine.author && first.what.body == mine.body
           && first.what.id == mine.id;
  });
}

bool database::would_be_full(const write& x) const {
  std::map<agent_id, std::int32_t> more;
  for (const auto& h : session::holds(x.after))
    more[h.agent] += h.load;
  for (const auto& [id, other] : sessions)
    if (id != x.after.id)
      for (const auto& h : session::holds(other.s))
        if (const auto at = more.find(h.agent); at != more.end())
          at->second += h.load;
  return std::any_of(more.begin(), more.end(),
                     [](const auto& m) { return m.second > capacity; });
}

outcome database::append(const write& x) {
  if (world_.has(bug::early_fence) ? x.fence_seen : fenced_off(x)) {
    ++fenced;
    return {verdict::fenced};
  }
  const auto at = sessions.find(x.after.id);
  const auto last = at == sessions.end()
                      ? 0
                      : static_cast<std::int32_t>(at->second.lines.size());
  if (last != x.base && !world_.has(bug::no_base)) {
    const auto repeat = at != sessions.end() && is_repeat(at->second, x);
    repeats += repeat ? 1 : 0;
    return {repeat ? verdict::committed : verdict::stale};
  }
  const auto open = open_.find(x.after.who.user);
  if (x.base == 0 && open != open_.end() && open->second != x.after.id)
    return {verdict::stale};
  outcome known{verdict::duplicate};
  if (!world_.has(bug::no_seen))
    for (const auto& l : x.lines)
      if (const auto hit = seen_.find(key(x.after, l.id));
          !l.id.empty() && hit != seen_.end())
        known.known.emplace(l.id.text, hit->second);
  if (!known.known.empty())
    return known;
  if (world_.has(bug::early_capacity) ? x.capacity_seen : would_be_full(x))
    return {verdict::full};
  commit(x);
  return {};
}

void database::commit(const write& x) {
  const auto& place = places.at(x.slot);
  const auto ever = lives_ever_.find({x.slot, x.epoch});
  if (place.owner != x.by || place.epoch != x.epoch || ever == lives_ever_.end()
      || ever->second != x.life)
    throw violation("INV-5: " + x.life + " writes into slot "
                    + std::to_string(x.slot) + " of " + place.owner.text);
  auto& to = sessions[x.after.id];
  for (const auto& l : x.lines) {
    if (l.seq != static_cast<std::int32_t>(to.lines.size()) + 1)
      throw violation("INV-2: seq " + std::to_string(l.seq) + " after "
                      + std::to_string(to.lines.size()));
    if (!to.lines.empty() && to.lines.back().epoch > x.epoch)
      throw violation("INV-4: epoch " + std::to_string(x.epoch) + " after "
                      + std::to_string(to.lines.back().epoch));
    to.lines.push_back({l.seq, x.epoch, l});
    if (!l.id.empty()
        && !seen_.emplace(key(x.after, l.id), receipt{x.after.id, l.seq, true})
              .second)
      throw violation("INV-1: " + key(x.after, l.id) + " twice");
    check_order(x.after.who.user, l.id.text);
    world_.note("line", l.id.text, x.slot, x.epoch);
  }
  to.s = x.after;
  const auto closed = std::holds_alternative<session::closed>(x.after.at);
  auto& open = open_[x.after.who.user];
  if (open.value != 0 && open != x.after.id)
    throw violation("INV-6: " + x.after.who.user + " has two open sessions");
  if (closed)
    open_.erase(x.after.who.user);
  else
    open = x.after.id;
  for (const auto& id : x.out)
    outbox.emplace(id, letter_out{x.slot});
  for (const auto& [who, load] : loads(sessions))
    if (load > capacity)
      throw violation("INV-7: " + who.text + " has a load of "
                      + std::to_string(load));
  world_.note("commit", x.life, x.after.id.value, x.after.last_seq);
}

/// INV-3: senders count; their numbers must be committed in their order.
void database::check_order(const std::string& user, const std::string& id) {
  if (id.empty())
    return;
  const auto dash = id.rfind('-');
  const auto number = std::stoll(id.substr(dash + 1));
  auto& before = last_of_[user + '/' + id.substr(0, dash)];
  if (number <= before)
    throw violation("INV-3: " + id + " of " + user + " stands after "
                    + std::to_string(before));
  before = number;
}

database::contents database::read_slot(slot_number slot) const {
  contents got{{}, offsets_.at(slot)};
  for (const auto& [id, x] : sessions)
    if (slot_of(id) == slot && !std::holds_alternative<session::closed>(x.s.at))
      got.open.push_back(x.s);
  return got;
}

void database::watermark(const node_id& who, slot_number slot,
                         std::int64_t epoch, std::uint64_t offset) {
  const auto& x = places.at(slot);
  if (x.owner == who && x.epoch == epoch)
    offsets_.at(slot) = std::max(offsets_.at(slot), offset);
}

void database::must_have(const std::string& user, const std::string& id,
                         const receipt& told) const {
  const auto at = sessions.find(told.session);
  const auto index = static_cast<std::size_t>(told.seq) - 1;
  if (at == sessions.end() || index >= at->second.lines.size()
      || at->second.lines[index].what.id.text != id
      || at->second.s.who.user != user)
    throw violation("INV-1: the receipt of " + user + '/' + id + " names entry "
                    + std::to_string(told.seq) + " of session "
                    + to_string(told.session)
                    + ", which is another or not there");
}

void database::check_all() const {
  for (const auto& [id, x] : outbox)
    if (x.sent == 0)
      throw violation("INV-9: " + id + " was never sent");
}

} // namespace switchboard::cluster_simulation
