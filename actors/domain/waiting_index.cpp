#include "actors/domain/waiting_index.hpp"

namespace switchboard::router {

namespace {

template <class Map>
void take_out(Map& from, const agent_id& a, const session_waiting& s) {
  const auto found = from.find(a);
  if (found == from.end())
    return;
  found->second.erase(&s);
  if (found->second.empty())
    from.erase(found);
}

template <class Map>
const typename Map::mapped_type* find(const Map& in, const agent_id& a) {
  const auto found = in.find(a);
  return found == in.end() ? nullptr : &found->second;
}

} // namespace

void waiting_index::add(const session_waiting& s) {
  count(s);
  if (s.only) {
    meant_[*s.only].insert(&s);
    return;
  }
  add_to_lane(s);
  if (s.previous)
    known_[*s.previous].insert(&s);
  if (s.besides)
    meant_[*s.besides].insert(&s);
}

void waiting_index::remove(const session_waiting& s) {
  uncount(s);
  if (s.only) {
    take_out(meant_, *s.only, s);
    return;
  }
  remove_from_lane(s);
  if (s.previous)
    take_out(known_, *s.previous, s);
  if (s.besides)
    take_out(meant_, *s.besides, s);
}

void waiting_index::add_held(const session_waiting& s) {
  count(s);
  meant_[*s.previous].insert(&s);
}

void waiting_index::remove_held(const session_waiting& s) {
  uncount(s);
  take_out(meant_, *s.previous, s);
}

void waiting_index::count(const session_waiting& s) {
  ++loads_[s.load];
  targets_ += s.target > duration{0} ? 1 : 0;
}

void waiting_index::uncount(const session_waiting& s) {
  targets_ -= s.target > duration{0} ? 1 : 0;
  if (const auto found = loads_.find(s.load); --found->second == 0)
    loads_.erase(found);
}

/// @returns the lane that the session belongs to; their number if none does
std::size_t waiting_index::lane_of(const demand& d, const session_waiting& s) {
  std::size_t i = 0;
  while (i < d.lanes.size()
         && !(d.heads[i].urgency == s.want.urgency
              && d.heads[i].known == s.previous.has_value()
              && d.heads[i].target == s.target && d.heads[i].load == s.load
              && d.lanes[i].channel == s.channel))
    ++i;
  return i;
}

void waiting_index::note_first(demand& d, std::size_t i) {
  const auto& first = **d.lanes[i].members.begin();
  auto& head = d.heads[i];
  head.first = &first;
  head.place = place_of(first);
  head.hindered = !first.excluded.empty() || !first.asked.empty()
                  || first.not_from.has_value();
  note_earliest(d, kind_of(head.urgency, head.known));
}

void waiting_index::note_earliest(demand& d, std::size_t kind) {
  auto first = nobody;
  for (const auto& x : d.heads)
    if (kind_of(x.urgency, x.known) == kind)
      first = std::min(first, x.place);
  d.earliest[kind] = first;
}

void waiting_index::add_to_lane(const session_waiting& s) {
  auto& d = demands_[s.want.queue][key_of(s)];
  if (d.lanes.empty())
    d.sample = s;
  const auto i = lane_of(d, s);
  if (i == d.lanes.size()) {
    d.requirement.generation = 0; // The new lane's channel is to be looked up.
    d.lanes.push_back({.channel = s.channel});
    d.heads.push_back({.load = s.load,
                       .target = s.target,
                       .urgency = s.want.urgency,
                       .known = s.previous.has_value()});
  }
  d.lanes[i].members.insert(&s);
  note_first(d, i);
}

void waiting_index::remove_from_lane(const session_waiting& s) {
  const auto queue = demands_.find(s.want.queue);
  const auto found = queue->second.find(key_of(s));
  auto& d = found->second;
  const auto i = lane_of(d, s);
  d.lanes[i].members.erase(&s);
  if (!d.lanes[i].members.empty()) {
    note_first(d, i);
    return;
  }
  const auto kind = kind_of(d.heads[i].urgency, d.heads[i].known);
  d.lanes.erase(d.lanes.begin() + static_cast<std::ptrdiff_t>(i));
  d.heads.erase(d.heads.begin() + static_cast<std::ptrdiff_t>(i));
  note_earliest(d, kind);
  if (!d.lanes.empty())
    return;
  queue->second.erase(found);
  if (queue->second.empty())
    demands_.erase(queue);
}

void waiting_index::look_up(demand& d, const agent_index& in) {
  d.requirement = in.look_up(d.sample);
  for (std::size_t i = 0; i < d.lanes.size(); ++i)
    d.heads[i].served_by = in.look_up_channel(d.lanes[i].channel);
}

const sessions* waiting_index::known_to(const agent_id& a) const {
  return find(known_, a);
}

const sessions* waiting_index::meant_for(const agent_id& a) const {
  return find(meant_, a);
}

} // namespace switchboard::router
