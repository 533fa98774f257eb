#pragma once

#include "actors/domain/agent_index.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"
#include "actors/domain/waiting_index.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

// What router.cpp (what happens, and when) and router_choice.cpp (who gets
// whom) share. Nobody else includes it.
namespace switchboard::router {

/// A session in the line.
struct waiter {
  session_waiting what;
  time_point forgotten_at{}; ///< When the last of its exclusions has lapsed.

  bool held = false;      ///< Only the agent who served last may have it yet.
  bool hold_over = false; ///< It is not held again.
  time_point held_until{};

  /// What else would do by now: once for each queue that may answer.
  std::vector<session_waiting> relaxed{};
  time_point relaxes_at{}; ///< The next step; none when not after `since`.
};

/// A session proposed to an agent who has not answered yet. Its load counts
/// until the agent's own report shows it.
struct flight {
  waiter who;
  agent_id agent;
  time_point until{};
};

/// An agent as the router sees them.
struct seat {
  agent_index::place place = 0;
  agent::availability what;  ///< `load` includes the flights.
  std::int32_t reported = 0; ///< The load that the agent last reported.
  time_point aside_until{};  ///< Set aside after a refusal.
  bool aside = false;
  std::vector<session_id> flights{}; ///< In the order of proposing.
};

/// The agents who can take a session now.
struct ranking {
  struct entry {
    seat* who;
    scoring::contender as;
  };

  std::vector<entry> best{}; ///< In order, as many as a record holds.
  std::size_t eligible = 0;
  bool lapsed = false; ///< Exclusions do not count, or nobody would come.
  selection suited{};  ///< Whoever could, had they room.
  agent_index::requirement asked{};
};

enum class due : std::uint8_t {
  exclusion,
  refusal,
  proposal,
  hold,
  relaxation
};

struct matcher::impl {
  explicit impl(policy_choice c);

  policies arms;
  std::int32_t canary_percent = 0;
  std::map<agent_id, seat> seats;
  std::vector<seat*> by_place{}; ///< Of `seats`; null where nobody is.
  agent_index agents{arms};
  std::map<session_id, waiter> line;
  waiting_index wishes{};
  std::map<queue_id, waiting_index> relaxed{}; ///< By the session's own queue.
  std::map<session_id, flight> flights;
  std::set<place_in_line> hindered; ///< Waiting sessions with exclusions.
  std::set<std::tuple<time_point, due, session_id, agent_id>> calendar;

  // What an event has touched and what has to be tried again for that.
  std::set<place_in_line> sessions_to_try;
  std::set<agent_id> agents_to_try;

  time_point now{};
  std::string_view trigger;
  effects todo;

  const policy& policy_of(const session_waiting& s) const {
    return arms[s.arm];
  }

  // -- what happens (router.cpp) ----------------------------------------------

  effects run(const event& what, time_point at);

  void happen(const session_waiting& e);
  void happen(const session_left& e);
  void happen(const agent_changed& e);
  void happen(const agent_left& e);
  void happen(const refused& e);
  void happen(const picked& e);
  void happen(const swept&);
  void happen(const policy_changed& e);

  void pass_time();
  void lapse_exclusions(session_id id);
  void end_hold(session_id id);
  void end_holds_for(const agent_id& a);

  void drop_lapsed(waiter& w) const;
  void join_line(waiter w);
  void enter_indexes(waiter& w);
  std::optional<waiter> leave_line(session_id id);
  void try_hindered();
  std::uint8_t arm_of(session_id id) const;

  void end_flight(session_id id);
  void return_to_line(session_id id);
  void confirm_flights(seat& x);
  void count_load(seat& x);

  seat& seat_of(const agent_id& id);
  void stop_waiting_for(const agent_id& id, seat& x);
  void index(const seat& x) { agents.set_state(x.place, x.what, x.aside); }

  // -- who gets whom (router_choice.cpp) --------------------------------------

  /// Tries whatever was touched until nothing is left to be done.
  void settle();

  /// One session, many agents: the best match. @returns whether it was placed
  bool place(session_id id);
  bool place_held(const waiter& w);

  /// One agent, many sessions: the most pressing, until the agent is full.
  void fill(seat& a);

  ranking rank(const session_waiting& s, time_point at) const;
  void sort(ranking& r, const session_waiting& s) const;
  seat* oldest_excluded(const session_waiting& s);
  const session_waiting* best_session(const seat& a);

  const session_waiting* first_admitted(const lane& x, const seat& a) const;

  /// Does anybody wait whom this agent suits fully, whatever their room is?
  bool is_wanted(const seat& a);

  bool place_relaxed();
  bool place_relaxed_of(waiting_index& those);
  bool place_relaxed(const session_waiting& s);
  std::vector<session_waiting> relax(const session_waiting& s,
                                     time_point& next) const;
  time_point hold_until(const session_waiting& s) const;

  bool admits(const session_waiting& s, const seat& a) const;
  selection suited(const session_waiting& s,
                   const agent_index::requirement& r) const;
  bool drop_excluded(const session_waiting& s, selection& who) const;
  bool everyone_excluded(const session_waiting& s) const;

  void propose_to(const session_waiting& s, seat& a, const ranking& r,
                  bool pick);
  decision deliberate(const session_waiting& s, const ranking& r,
                      const seat* chosen, std::string_view why,
                      time_point at) const;
};

} // namespace switchboard::router
