#pragma once

#include "actors/domain/agent_index.hpp"
#include "actors/domain/router.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace switchboard::router {

/// The order of sessions that nothing else tells apart: who waits longer, then
/// the older number. It does not change while they wait.
using place_in_line = std::pair<time_point, session_id>;

inline place_in_line place_of(const session_waiting& s) {
  return {s.since, s.session};
}

struct earlier {
  bool operator()(const session_waiting* x, const session_waiting* y) const {
    return place_of(*x) < place_of(*y);
  }
};
using sessions = std::set<const session_waiting*, earlier>;

/// Waiting sessions that an agent who served none of them before can tell apart
/// only by how long they wait: the first of them is the most pressing.
struct lane {
  std::string channel;
  sessions members{};
};

/// What a comparison of lanes reads: small, and all in one row.
struct lane_head {
  place_in_line place{}; ///< Of the first member.
  const session_waiting* first = nullptr;
  const bitset* served_by = nullptr; ///< The channel, looked up.
  std::int32_t load = 0;
  duration target{0}; ///< 0: of the class.
  urgency_class urgency = urgency_class::normal;
  bool known = false;    ///< They know somebody: affinity has weight.
  bool hindered = false; ///< Somebody may not have the first.
};

/// Lanes of one class whose sessions all know somebody, or nobody.
inline constexpr std::size_t lane_kinds = 8;

inline std::size_t kind_of(urgency_class c, bool known) {
  return static_cast<std::size_t>(c) * 2 + (known ? 1 : 0);
}
inline urgency_class class_of(std::size_t kind) {
  return static_cast<urgency_class>(kind / 2);
}
inline std::size_t knows(std::size_t kind) {
  return kind % 2;
}

/// Later than everybody.
inline constexpr place_in_line nobody{time_point::max(), {}};

/// Lanes of sessions that ask for the same queue, language and skills.
struct demand {
  session_waiting sample; ///< Only what all have in common counts.
  agent_index::requirement requirement{};
  std::vector<lane_head> heads{};
  std::vector<lane> lanes{}; ///< In the same order.
  /// Of each kind of lanes the first member: a comparison need not look at
  /// lanes whose best cannot win.
  std::array<place_in_line, lane_kinds> earliest{
    nobody, nobody, nobody, nobody, nobody, nobody, nobody, nobody};
};

/// The line turned round: by what is asked for, and by who is known.
/// Borrows the sessions from `add` until `remove`.
class waiting_index {
public:
  void add(const session_waiting& s);
  void remove(const session_waiting& s);

  /// It waits for the agent who served it last, and for nobody else.
  void add_held(const session_waiting& s);
  void remove_held(const session_waiting& s);

  bool empty() const { return loads_.empty(); }

  /// The least load of any session here; 0 when there is none.
  std::int32_t load_min() const {
    return loads_.empty() ? 0 : loads_.begin()->first;
  }

  /// Every demand that an agent of these queues (none: of all) could meet,
  /// always in the same order, looked up.
  template <class Visitor>
  void each_demand(const std::vector<queue_id>& queues, const agent_index& in,
                   Visitor visit) {
    if (queues.empty()) {
      for (auto& [queue, demands] : demands_)
        each_of(demands, in, visit);
      return;
    }
    for (std::size_t i = 0; i < queues.size(); ++i) {
      const auto twice =
        std::find(queues.begin(),
                  queues.begin() + static_cast<std::ptrdiff_t>(i), queues[i])
        != queues.begin() + static_cast<std::ptrdiff_t>(i);
      const auto found = demands_.find(queues[i]);
      if (!twice && found != demands_.end())
        each_of(found->second, in, visit);
    }
  }

  /// @returns the sessions that this agent served last, null if none waits.
  [[nodiscard]] const sessions* known_to(const agent_id& a) const;

  /// Does any session here come with a target of its own?
  bool has_targets() const { return targets_ > 0; }

  /// @returns those who wait for this agent and no other (they are in no lane),
  /// and those whom this agent may have besides.
  [[nodiscard]] const sessions* meant_for(const agent_id& a) const;

private:
  using key = std::tuple<std::string, std::vector<std::string>, std::int32_t,
                         bool, std::uint8_t>;
  using demand_map = std::map<key, demand>;

  static key key_of(const session_waiting& s) {
    return {s.want.language, s.want.skills, s.lowered, s.translated, s.arm};
  }

  template <class Visitor>
  static void each_of(demand_map& all, const agent_index& in, Visitor visit) {
    for (auto& [k, d] : all) {
      if (d.requirement.generation != in.generation())
        look_up(d, in);
      visit(d);
    }
  }

  static void look_up(demand& d, const agent_index& in);
  void count(const session_waiting& s);
  void uncount(const session_waiting& s);
  static std::size_t lane_of(const demand& d, const session_waiting& s);
  static void note_first(demand& d, std::size_t i);
  static void note_earliest(demand& d, std::size_t kind);
  void add_to_lane(const session_waiting& s);
  void remove_from_lane(const session_waiting& s);

  std::map<queue_id, demand_map> demands_{};
  std::map<agent_id, sessions> known_{};
  std::map<agent_id, sessions> meant_{};
  std::map<std::int32_t, std::size_t> loads_{};
  std::size_t targets_ = 0;
};

} // namespace switchboard::router
