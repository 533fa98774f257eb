#include "persistence/memory/memory_tables.hpp"

#include <algorithm>
#include <chrono>

namespace switchboard::memory {

namespace {

time_point wall_clock() {
  return std::chrono::time_point_cast<duration>(clock::now());
}

/// Customers' ids and agents' ids are told apart.
std::string key_of(const entry& line) {
  return (line.kind == entry_kind::customer ? "c:" : "a:") + line.id.text;
}

bool same_line(const entry& a, const entry& b) {
  return a.kind == b.kind && a.event == b.event && a.author == b.author
         && a.body == b.body && a.id == b.id;
}

/// One group commit under way.
class commit {
public:
  commit(tables& to, const node_id& node) : to_(to), node_(node) {}

  [[nodiscard]] bool owned(slot_number slot, std::int64_t epoch) const {
    const auto& row = to_.slot.at(slot);
    return row.owner == node_ && row.epoch == epoch;
  }

  outcome write(const session_write& w) {
    if (!owned(w.slot, w.epoch))
      return {verdict::fenced};
    const auto last = static_cast<std::int32_t>(to_.entries[w.state.id].size());
    if (last != w.base_seq)
      return {is_repeat(w) ? verdict::committed : verdict::stale};
    if (w.base_seq == 0 && has_other_session(w))
      return {verdict::stale};
    if (auto known = known_of(w); !known.empty())
      return {verdict::duplicate, std::move(known)};
    if (w.holds_changed && !take_room(w))
      return {verdict::agent_full};
    store(w);
    return {verdict::committed};
  }

private:
  /// All of it must be there: another write may have begun with the same line.
  [[nodiscard]] bool is_repeat(const session_write& w) const {
    const auto& there = to_.entries.at(w.state.id);
    const auto at = static_cast<std::size_t>(w.base_seq);
    return !w.entries.empty() && at + w.entries.size() <= there.size()
           && std::equal(
             w.entries.begin(), w.entries.end(), there.begin() + w.base_seq,
             [&](const entry& mine, const auto& stored) {
               return stored.epoch == w.epoch && same_line(stored.line, mine);
             });
  }

  [[nodiscard]] bool has_other_session(const session_write& w) const {
    return std::any_of(
      to_.sessions.begin(), to_.sessions.end(), [&](const auto& x) {
        return x.second.open() && x.second.state.who == w.state.who
               && x.first != w.state.id;
      });
  }

  [[nodiscard]] std::vector<known_message>
  known_of(const session_write& w) const {
    std::vector<known_message> all;
    for (const auto& line : w.entries) {
      if (line.id.empty())
        continue;
      const auto at = to_.seen.find({w.state.who, key_of(line)});
      if (at != to_.seen.end())
        all.push_back({.id = line.id,
                       .where = at->second.where,
                       .same_body = at->second.digest == digest(line.body)});
    }
    return all;
  }

  /// Moves the load of the session from what it held to what it holds.
  /// @returns false, with nothing changed, if an agent has no room
  bool take_room(const session_write& w) {
    const auto next = session::holds(w.state);
    std::map<agent_id, std::int32_t> delta;
    for (const auto& x : next)
      delta[x.agent] += x.load;
    for (const auto& x : to_.assignments[w.state.id])
      delta[x.agent] -= x.load;
    for (const auto& [agent, load] : delta) {
      const auto at = to_.agents.find(agent);
      if (load > 0 && !has_already(w.state.id, agent)
          && (at == to_.agents.end()
              || at->second.active + load > at->second.who.capacity))
        return false;
    }
    for (const auto& [agent, load] : delta)
      if (const auto at = to_.agents.find(agent); at != to_.agents.end())
        at->second.active += load;
    to_.assignments[w.state.id] = next;
    return true;
  }

  /// What wakes up takes its room again even of an agent who is full.
  [[nodiscard]] bool has_already(session_id id, const agent_id& who) const {
    const auto& before = to_.assignments[id];
    return std::any_of(
      before.begin(), before.end(),
      [&](const session::hold& x) { return x.agent == who && !x.open_offer; });
  }

  void store(const session_write& w) {
    const auto& id = w.state.id;
    for (const auto& line : w.entries) {
      to_.entries[id].push_back({line, w.epoch});
      if (!line.id.empty())
        to_.seen.insert({{w.state.who, key_of(line)},
                         {{id, line.seq, true}, digest(line.body)}});
    }
    if (w.state_changed || w.base_seq == 0) {
      auto& row = to_.sessions[id];
      row.slot = w.slot;
      row.state = w.state;
      if (auto now = session::owner(w.state))
        row.agent = std::move(now);
      const auto closed = std::holds_alternative<session::closed>(w.state.at);
      row.closed_at = closed ? std::optional{wall_clock()} : std::nullopt;
    }
    for (const auto& row : w.out)
      to_.outbox.emplace(row.dedupe_id, row);
    for (const auto& why : w.decisions)
      to_.decisions[id].push_back(to_json(*why));
  }

  tables& to_;
  const node_id& node_;
};

bool is_buried(const tables& in, const dead_letter& x) {
  return x.offset > 0
         && std::any_of(in.letters.begin(), in.letters.end(),
                        [&](const dead_letter& y) {
                          return y.slot == x.slot && y.offset == x.offset;
                        });
}

} // namespace

std::vector<outcome> append(tables& to, const node_id& node,
                            const batch& what) {
  commit c{to, node};
  std::vector<outcome> all;
  for (const auto& w : what.sessions)
    all.push_back(c.write(w));
  for (const auto& x : what.watermarks) {
    auto& row = to.slot.at(x.slot);
    if (c.owned(x.slot, x.epoch)
        && (row.stream != x.stream || row.offset < x.offset)) {
      row.offset = x.offset;
      row.stream = x.stream;
    }
  }
  for (const auto& x : what.dead)
    if (c.owned(x.slot, x.epoch) && !is_buried(to, x))
      to.letters.push_back(x);
  for (const auto& x : what.presences)
    if (const auto at = to.agents.find(x.agent);
        at != to.agents.end() && c.owned(x.slot, x.epoch))
      at->second.now = x.now;
  for (const auto& id : what.outbox_done)
    to.outbox.erase(id);
  for (const auto& id : what.outbox_dead)
    if (auto row = to.outbox.extract(id))
      to.outbox_dead.insert(std::move(row));
  return all;
}

} // namespace switchboard::memory
