#include "actors/domain/agent.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace switchboard::agent {

namespace {

constexpr std::array all_presences{
  presence::offline,  presence::online,    presence::busy,
  presence::on_break, presence::finishing, presence::not_responding};

/// One step of the machine: the state to change, and what is to be done.
struct step {
  state& s;
  time_point now;
  effects todo{};

  // -- building blocks --------------------------------------------------------

  void become(presence p, std::string reason) {
    if (s.now == p && s.reason == reason)
      return;
    s.now = p;
    s.reason = std::move(reason);
    todo.emplace_back(save{});
    todo.emplace_back(show_presence{});
  }

  /// "Not responding" is a finding of ours, never a choice.
  static presence chosen(presence p) {
    return p == presence::not_responding ? presence::busy : p;
  }

  /// Takes up what was chosen for the time after the last session.
  void settle() {
    if (!s.next || !s.places.empty())
      return;
    const auto next = *std::exchange(s.next, {});
    become(next, "");
  }

  /// Open offers are void at once; grants that are no offers yet lapse when the
  /// session hears of it.
  void withdraw_offers(std::string_view reason) {
    for (auto& [session, at] : s.places)
      if (!at.assigned && at.offer > 0)
        todo.emplace_back(withdraw{session, at.offer, std::string(reason)});
  }

  /// When a place that nobody confirms is given up.
  static time_point lapse_of(const place& at) {
    if (at.assigned)
      return time_point::max();
    return grant_time + (at.offer == 0 ? at.since : at.until);
  }

  /// One timer for the earliest thing due.
  void start_timer() {
    auto due = time_point::max();
    for (const auto& [session, at] : s.places)
      due = std::min(due, lapse_of(at));
    if (s.grace_until > time_point{})
      due = std::min(due, s.grace_until);
    if (due != time_point::max())
      todo.emplace_back(wake{due, ++s.rounds});
  }

  bool is_routable() const {
    return s.now == presence::online && !s.devices.empty();
  }

  // -- connection and presence ------------------------------------------------

  void operator()(const connected& e) {
    s.devices.insert(e.device);
    s.grace_until = {};
    if (s.now == presence::offline)
      become(presence::online, "");
  }

  void operator()(const disconnected& e) {
    if (s.devices.erase(e.device) == 0 || !s.devices.empty()) {
      if (s.devices.empty())
        todo.emplace_back(ignore{e.name});
      return;
    }
    withdraw_offers("disconnected");
    s.grace_until = now + s.grace;
    start_timer();
  }

  void operator()(const presence_asked& e) {
    s.next = e.next;
    if (s.next)
      s.next = chosen(*s.next);
    const auto p = chosen(e.now);
    if (p == presence::online)
      s.unanswered = 0;
    else
      withdraw_offers("presence");
    become(p, e.reason);
    settle();
  }

  void operator()(const profile_changed& e) { s.who = e.who; }

  // -- places -----------------------------------------------------------------

  void operator()(const proposed& e) {
    const auto may =
      e.pick ? !s.devices.empty() && s.now != presence::offline : is_routable();
    if (!may) {
      todo.emplace_back(
        refuse{e.session, "presence: " + std::string(to_string(s.now))
                            + (s.devices.empty() ? ", not connected" : "")});
      return;
    }
    if (s.places.contains(e.session)) {
      todo.emplace_back(refuse{e.session, "has it already"});
      return;
    }
    if (load(s) + e.load > s.who.capacity) {
      todo.emplace_back(refuse{e.session, "capacity: load "
                                            + std::to_string(load(s)) + " + "
                                            + std::to_string(e.load) + " > "
                                            + std::to_string(s.who.capacity)});
      return;
    }
    s.places[e.session] = place{.load = e.load, .since = now};
    todo.emplace_back(grant{e.session, e.pick, e.why});
    start_timer();
  }

  void operator()(const offer_opened& e) {
    s.places[e.session] = place{e.load, false, e.offer, now, e.until};
    start_timer();
    // It was granted before the agent left or changed their mind.
    if (!is_routable())
      todo.emplace_back(withdraw{
        e.session, e.offer, s.devices.empty() ? "disconnected" : "presence"});
  }

  void operator()(const offer_ended& e) {
    const auto at = s.places.find(e.session);
    if (at == s.places.end() || at->second.assigned
        || at->second.offer != e.offer) {
      todo.emplace_back(ignore{e.name});
      return;
    }
    s.places.erase(at);
    if (e.reason == "timed_out" && ++s.unanswered >= unanswered_max
        && s.now == presence::online) {
      withdraw_offers("not_responding");
      become(presence::not_responding,
             std::to_string(unanswered_max) + " offers in a row unanswered");
    }
    if (e.reason == "declined")
      s.unanswered = 0;
    settle();
  }

  void operator()(const assigned& e) {
    auto& at = s.places[e.session];
    if (!at.assigned) {
      s.last_accepted_at = now;
      s.unanswered = 0;
    }
    at = place{e.load, true, 0, now, {}};
    // Nobody is there (the node was restarted): the grace runs from here.
    if (s.devices.empty() && s.grace_until == time_point{}) {
      s.grace_until = now + s.grace;
      start_timer();
    }
  }

  void operator()(const unassigned& e) {
    const auto at = s.places.find(e.session);
    if (at == s.places.end() || !at->second.assigned) {
      todo.emplace_back(ignore{e.name});
      return;
    }
    s.places.erase(at);
    settle();
  }

  // -- time and life ----------------------------------------------------------

  void operator()(const timer& e) {
    if (e.round != s.rounds) {
      todo.emplace_back(ignore{e.name});
      return;
    }
    std::erase_if(s.places,
                  [&](const auto& x) { return lapse_of(x.second) <= now; });
    if (s.grace_until > time_point{} && s.grace_until <= now) {
      s.grace_until = {};
      for (const auto& [session, at] : s.places)
        if (at.assigned)
          todo.emplace_back(lose{session, "disconnected"});
      become(presence::offline, "disconnected");
    }
    start_timer();
    settle();
  }

  void operator()(const router_started&) { todo.emplace_back(advertise{}); }
};

} // namespace

std::string_view to_string(presence p) noexcept {
  switch (p) {
    case presence::offline: return "offline";
    case presence::online: return "online";
    case presence::busy: return "busy";
    case presence::on_break: return "break";
    case presence::finishing: return "finishing";
    case presence::not_responding: return "not_responding";
  }
  return "unknown";
}

std::optional<presence> parse_presence(std::string_view text) noexcept {
  for (const auto p : all_presences)
    if (to_string(p) == text)
      return p;
  return std::nullopt;
}

std::int32_t load(const state& s) {
  std::int32_t sum = 0;
  for (const auto& [session, at] : s.places)
    sum += at.load;
  return sum;
}

availability availability_of(const state& s) {
  availability a{.id = s.id,
                 .who = s.who,
                 .routable = s.now == presence::online && !s.devices.empty(),
                 .now = s.now,
                 .load = load(s),
                 .last_accepted_at = s.last_accepted_at};
  for (const auto& [session, at] : s.places)
    a.sessions.push_back(session);
  return a;
}

effects apply(state& s, const event& what, time_point now) {
  const auto before = availability_of(s);
  step one{s, now};
  std::visit(one, what);
  // Whatever the router would see otherwise is said, and nothing else.
  if (availability_of(s) != before)
    one.todo.emplace_back(advertise{});
  return std::move(one.todo);
}

} // namespace switchboard::agent
