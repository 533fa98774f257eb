#pragma once

#include <cstdint>

/// Bugs that can be planted in the router, one at a time, to prove that the
/// tests would find them. They exist only where SWITCHBOARD_MUTANTS is defined,
/// which is in one test program; everywhere else the compiler removes them.
namespace switchboard::router {

enum class mutant : std::uint8_t {
  none,
  forget_freed_agent,   ///< An agent's report brings about no matching.
  forget_left_session,  ///< A proposed session that leaves frees no room.
  forget_returned,      ///< A refused session is not tried with others.
  forget_refusal_end,   ///< Who refused is not tried again after the pause.
  forget_exclusion_end, ///< A lapsed exclusion brings about no matching.
  forget_lapse,         ///< Nobody notices that only the excluded are left.
  forget_lost_proposal, ///< A proposal nobody hears of stays away for ever.
  forget_cool_down,     ///< The excluded are asked again at once.
  forget_transfer_rule, ///< A transfer may return to its sender.
  forget_flights,       ///< Counts the load first and grants afterwards.
  confirm_too_early,    ///< Any report confirms all proposals.
  drop_refused,         ///< A refused session leaves the line.
  new_place_in_line,    ///< Who was refused waits from the beginning.
  stop_after_one,       ///< An agent with room for two gets one.
  skip_known,           ///< Affinity is not looked at from the agent's side.
  youngest_first,       ///< Of equals the last is served.
  ignore_presence,      ///< Who has gone away is asked.
  count_,
};

#ifdef SWITCHBOARD_MUTANTS
extern mutant planted;
inline bool has_bug(mutant x) {
  return planted == x;
}
#else
constexpr bool has_bug(mutant) {
  return false;
}
#endif

} // namespace switchboard::router
