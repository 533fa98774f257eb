#pragma once

#include "actors/domain/router.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <map>
#include <vector>

/// What customers are told while they wait: where they stand, and how long it
/// may still take.
namespace switchboard::router {

/// A wait, between two bounds.
struct wait_range {
  duration min{};
  duration max{}; ///< 0: nobody can tell.

  friend bool operator==(const wait_range&, const wait_range&) = default;
};

/// Estimates what is left to wait from how long the head of the line has waited
/// (the head-of-line estimator of Ibrahim and Whitt, "Real-time delay
/// estimation", 2009). While the head waited, `length` others came; in a line
/// that neither grows nor shrinks as many were served, one in every
/// longest / length. The range is one standard deviation to both sides, if
/// each of those times is exponential, rounded outwards.
/// @pre 1 <= position <= length
[[nodiscard]] wait_range expected_wait(std::int32_t position,
                                       std::int32_t length, duration longest);

struct notice {
  session_id session;
  std::int32_t position = 0;
  wait_range wait{};

  friend bool operator==(const notice&, const notice&) = default;
};

/// Decides who is told now: who is new, who has come forward by a place (by a
/// tenth, far back in a long line), and once a while whose wait has changed.
/// Thread safety: none.
class line_notices {
public:
  /// So often somebody is told again who has not come forward.
  static constexpr auto repeat_time = duration{std::chrono::seconds{30}};

  /// @param all everybody who waits; who is missing has left
  [[nodiscard]] std::vector<notice> look(const std::vector<place>& all,
                                         time_point now);

private:
  struct told {
    notice what;
    time_point at{};
  };

  std::map<session_id, told> told_{};
};

} // namespace switchboard::router
