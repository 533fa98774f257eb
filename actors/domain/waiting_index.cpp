#include "actors/domain/waiting_index.hpp"

namespace switchboard::router {

waiting_index::signature waiting_index::signature_of(const session_waiting& s) {
  return {s.channel,      s.want.queue, s.want.language,        s.want.skills,
          s.want.urgency, s.load,       s.previous.has_value(), s.only,
          s.not_from,     s.excluded};
}

void waiting_index::add(const session_waiting& s) {
  auto& g = groups_[signature_of(s)];
  if (g.members.empty())
    g.sample = s;
  g.members.insert(place_of(s));
  if (s.previous)
    known_[*s.previous].insert(place_of(s));
}

void waiting_index::remove(const session_waiting& s) {
  const auto found = groups_.find(signature_of(s));
  if (found == groups_.end())
    return;
  found->second.members.erase(place_of(s));
  if (found->second.members.empty())
    groups_.erase(found);
  if (!s.previous)
    return;
  const auto known = known_.find(*s.previous);
  if (known == known_.end())
    return;
  known->second.erase(place_of(s));
  if (known->second.empty())
    known_.erase(known);
}

const std::set<place_in_line>*
waiting_index::known_to(const agent_id& a) const {
  const auto found = known_.find(a);
  return found == known_.end() ? nullptr : &found->second;
}

} // namespace switchboard::router
