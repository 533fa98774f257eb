#pragma once

#include "bench/simulation/dispatcher.hpp"

#include <map>
#include <tuple>
#include <vector>

namespace switchboard::simulation {

/// What all baselines share: the same hard constraints as the product
/// (language, skills, room), one line ordered by class and then by arrival. A
/// baseline says whom it prefers, and may rule agents out for a while.
class line_dispatcher : public dispatcher {
public:
  explicit line_dispatcher(const policy& p) : p_(p) {}

  assignments waits(const router::session_waiting& s, time_point now) override;
  assignments leaves(session_id s, time_point now) override;
  assignments agent_changed(const agent::availability& a,
                            time_point now) override;
  assignments wake(time_point now) override;

protected:
  using session_waiting = router::session_waiting;
  using availability = agent::availability;

  /// @param all agents who may serve `s`, ordered by name, at least one
  virtual const availability&
  choose(const std::vector<const availability*>& all,
         const session_waiting& s) = 0;

  /// May the agent serve `s` yet?
  virtual bool admits(const session_waiting&, const availability&,
                      time_point) const {
    return true;
  }

  /// Tries the whole line, in order, until one of it finds an agent.
  assignments first_of_line(time_point now);

private:
  /// The urgent first, then VIPs, then the others; each by arrival.
  using place = std::tuple<int, time_point, session_id>;

  static place place_of(const session_waiting& s);
  bool fits(const session_waiting& s, const availability& a,
            time_point now) const;
  assignments assign(session_id s, const agent_id& a);

  policy p_;
  std::map<agent_id, availability> agents_{};
  std::map<place, session_waiting> line_{};
  std::map<session_id, place> places_{};
};

} // namespace switchboard::simulation
