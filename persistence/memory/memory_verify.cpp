#include "persistence/memory/memory_tables.hpp"

#include <map>
#include <set>

namespace switchboard::memory {

namespace {

struct report {
  finding into;

  void check(bool holds, const std::string& example) {
    ++into.checked;
    if (holds)
      return;
    ++into.violations;
    if (into.examples.size() < 10)
      into.examples.push_back(example);
  }
};

finding ids(const tables& from) {
  report r{{"INV-1", "every accepted message id has its entry, exactly once"}};
  for (const auto& [key, row] : from.seen) {
    const auto at = from.entries.find(row.where.session);
    const auto place = static_cast<std::size_t>(row.where.seq) - 1;
    r.check(at != from.entries.end() && place < at->second.size()
              && at->second[place].line.id.text == key.second.substr(2),
            key.first.channel + ':' + key.first.user + ' ' + key.second);
  }
  return r.into;
}

finding seqs(const tables& from) {
  report r{{"INV-2", "the seqs of a session are 1..n without a gap"}};
  for (const auto& [id, lines] : from.entries) {
    std::int32_t seq = 0;
    for (const auto& x : lines)
      if (x.line.seq == seq + 1)
        ++seq;
    r.check(static_cast<std::size_t>(seq) == lines.size(), to_string(id));
  }
  return r.into;
}

finding epochs(const tables& from) {
  report r{{"INV-4", "the epochs inside a session never decrease"}};
  for (const auto& [id, lines] : from.entries) {
    std::int64_t last = 0;
    for (const auto& x : lines) {
      r.check(x.epoch >= last, to_string(id));
      last = x.epoch;
    }
  }
  return r.into;
}

finding one_session(const tables& from) {
  report r{{"INV-6", "one open session per contact, one assignment per "
                     "session"}};
  std::set<contact> open;
  for (const auto& [id, row] : from.sessions)
    if (row.open())
      r.check(open.insert(row.state.who).second, to_string(id));
  return r.into;
}

bool has_woken(const tables& from, session_id id) {
  const auto at = from.entries.find(id);
  return at != from.entries.end()
         && std::any_of(
           at->second.begin(), at->second.end(), [](const auto& x) {
             return x.line.event == "quiet" || x.line.event == "reopened";
           });
}

finding loads(const tables& from) {
  report r{{"INV-7", "agents' load is what their sessions and offers take, "
                     "and fits"}};
  std::map<agent_id, std::int32_t> taken;
  std::map<agent_id, std::int32_t> woken; // May exceed the room.
  for (const auto& [id, holds] : from.assignments)
    for (const auto& x : holds) {
      taken[x.agent] += x.load;
      if (!x.open_offer && has_woken(from, id))
        woken[x.agent] += x.load;
    }
  for (const auto& [id, row] : from.agents)
    r.check(row.active == taken[id]
              && row.active - woken[id] <= row.who.capacity,
            id.text);
  return r.into;
}

} // namespace

std::vector<finding> verify(const tables& from) {
  return {ids(from), seqs(from), epochs(from), one_session(from), loads(from)};
}

} // namespace switchboard::memory
