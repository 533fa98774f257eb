#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace switchboard::simulation {

/// Who serves whom.
struct assignment {
  session_id session;
  agent_id agent;

  friend bool operator==(const assignment&, const assignment&) = default;
};

using assignments = std::vector<assignment>;

/// A way to decide who serves whom. It is told whatever happens and answers
/// with the assignments that follow; each of them comes true, and is reported
/// by `agent_changed`, before anything else happens.
class dispatcher {
public:
  virtual ~dispatcher() = default;

  virtual assignments waits(const router::session_waiting& s,
                            time_point now) = 0;
  virtual assignments leaves(session_id s, time_point now) = 0;
  virtual assignments agent_changed(const agent::availability& a,
                                    time_point now) = 0;

  /// Time alone may allow something. @returns when to call it next
  [[nodiscard]] virtual std::optional<time_point> next_wake() const {
    return std::nullopt;
  }
  virtual assignments wake(time_point now) = 0;

  /// Matches found by `wake` that an earlier event should have brought about.
  [[nodiscard]] virtual std::size_t lost_wakeups() const { return 0; }
};

/// The product's own matcher and what it is compared with.
enum class rule : std::uint8_t {
  switchboard,
  round_robin,
  least_chats,
  longest_idle,
  load_ratio,
  bullseye,
};

inline constexpr std::array rules{
  rule::switchboard,  rule::round_robin, rule::least_chats,
  rule::longest_idle, rule::load_ratio,  rule::bullseye,
};

std::string_view to_string(rule x) noexcept;

/// One sentence: how the rule chooses.
std::string_view describe(rule x) noexcept;

[[nodiscard]] std::unique_ptr<dispatcher> make_dispatcher(rule x,
                                                          const policy& p = {});

} // namespace switchboard::simulation
