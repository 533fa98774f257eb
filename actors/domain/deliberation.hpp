#pragma once

#include "actors/domain/decision.hpp"
#include "actors/domain/scoring.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace switchboard::router {

/// Gathers the agents looked at for one session and makes the record of it.
/// Borrows the policy, the session and the agents until `conclude`.
class deliberation {
public:
  deliberation(const policy& p, const session_waiting& s, time_point now);

  /// Every agent is added at most once. Who is not eligible is kept by name in
  /// the record, as long as there is room.
  void add(const agent::availability& a, const scoring::obstacles& o);

  /// Counts agents who are not in the record because there is no room.
  void leave_out(std::size_t n) { left_out_ += n; }

  struct circumstances {
    std::string_view trigger;
    std::size_t waiting = 0;
    const agent::availability* chosen = nullptr; ///< Null: nobody.
    bool exclusions_lapsed = false;
  };

  [[nodiscard]] decision conclude(const circumstances& c) &&;

private:
  struct look {
    scoring::contender x;
    scoring::terms terms;
    scoring::obstacles obstacles;
  };

  decision::candidate record_of(const look& l, scoring::score urgency) const;
  void explain_choice(decision& d, const circumstances& c) const;

  const policy& p_;
  const session_waiting& s_;
  time_point now_;
  std::vector<look> eligible_;
  std::vector<look> others_;
  std::size_t left_out_ = 0;
};

} // namespace switchboard::router
