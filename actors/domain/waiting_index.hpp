#pragma once

#include "actors/domain/agent_index.hpp"
#include "actors/domain/router.hpp"

#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace switchboard::router {

/// The order of sessions that nothing else tells apart: who waits longer, then
/// the older number. It does not change while they wait.
using place_in_line = std::pair<time_point, session_id>;

inline place_in_line place_of(const session_waiting& s) {
  return {s.since, s.session};
}

/// Waiting sessions that ask for the same, first come first served. To an agent
/// who served none of them before they differ only in how long they wait, so
/// the first of them is the most pressing.
struct group {
  session_waiting sample;
  agent_index::requirement requirement{};
  std::set<place_in_line> members{};
};

/// The line turned round: by what is asked for, and by who is known.
class waiting_index {
public:
  void add(const session_waiting& s);
  void remove(const session_waiting& s);

  /// All that are not empty, always in the same order. The requirement is
  /// whatever was last written there.
  template <class Visitor>
  void each_group(Visitor visit) {
    for (auto& [key, g] : groups_)
      visit(g);
  }

  /// @returns the sessions that this agent served last, null if none waits.
  [[nodiscard]] const std::set<place_in_line>*
  known_to(const agent_id& a) const;

private:
  using signature =
    std::tuple<std::string, queue_id, std::string, std::vector<std::string>,
               urgency_class, std::int32_t, bool, std::optional<agent_id>,
               std::optional<agent_id>, std::vector<agent_id>>;

  static signature signature_of(const session_waiting& s);

  std::map<signature, group> groups_{};
  std::map<agent_id, std::set<place_in_line>> known_{};
};

} // namespace switchboard::router
