#include "bench/simulation/line_dispatcher.hpp"

#include "actors/domain/scoring.hpp"

namespace switchboard::simulation {

namespace {

int order_of(urgency_class x) {
  switch (x) {
    case urgency_class::urgent: return 0;
    case urgency_class::vip: return 1;
    case urgency_class::normal: return 2;
    case urgency_class::relaxed: return 3;
  }
  return 3;
}

} // namespace

line_dispatcher::place line_dispatcher::place_of(const session_waiting& s) {
  return {order_of(s.want.urgency), s.since, s.session};
}

bool line_dispatcher::fits(const session_waiting& s, const availability& a,
                           time_point now) const {
  return scoring::eligible(p_, s, a) && admits(s, a, now);
}

assignments line_dispatcher::assign(session_id s, const agent_id& a) {
  const auto at = places_.find(s);
  line_.erase(at->second);
  places_.erase(at);
  return {{s, a}};
}

assignments line_dispatcher::waits(const session_waiting& s, time_point now) {
  const auto at = place_of(s);
  line_.insert_or_assign(at, s);
  places_.insert_or_assign(s.session, at);
  std::vector<const availability*> all;
  for (const auto& [id, a] : agents_)
    if (fits(s, a, now))
      all.push_back(&a);
  if (all.empty())
    return {};
  return assign(s.session, choose(all, s).id);
}

assignments line_dispatcher::leaves(session_id s, time_point) {
  if (const auto at = places_.find(s); at != places_.end()) {
    line_.erase(at->second);
    places_.erase(at);
  }
  return {};
}

assignments line_dispatcher::agent_changed(const availability& a,
                                           time_point now) {
  agents_.insert_or_assign(a.id, a);
  for (const auto& [at, s] : line_)
    if (fits(s, a, now)) {
      choose({&a}, s); // A round robin goes on from here.
      return assign(s.session, a.id);
    }
  return {};
}

assignments line_dispatcher::first_of_line(time_point now) {
  for (const auto& [at, s] : line_) {
    std::vector<const availability*> all;
    for (const auto& [id, a] : agents_)
      if (fits(s, a, now))
        all.push_back(&a);
    if (!all.empty())
      return assign(s.session, choose(all, s).id);
  }
  return {};
}

assignments line_dispatcher::wake(time_point now) {
  return first_of_line(now);
}

} // namespace switchboard::simulation
