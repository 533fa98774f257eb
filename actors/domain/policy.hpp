#pragma once

#include "actors/domain/message.hpp"
#include "actors/domain/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchboard {

/// All numbers that routing depends on. Scores and weights are in millionths;
/// nothing here is a floating point number, so a decision can be made again on
/// another machine with the same bits.
struct policy {
  /// How soon a class should be answered, and how much its waiting costs.
  struct service {
    duration target{std::chrono::seconds{60}}; ///< More than zero.
    std::int64_t weight = 1'000'000;           ///< At most 9 000 000.

    friend bool operator==(const service&, const service&) = default;
  };

  /// What to do for a session that has waited in vain.
  struct relaxation {
    enum class step : std::uint8_t {
      lower_skills,  ///< Every skill may be one level lower.
      drop_skills,   ///< No skill is demanded; they still count.
      drop_language, ///< Answered through a translation.
      open_queue,    ///< Agents of another queue may answer: `queue`.
    };

    duration expires_after{};
    step what = step::lower_skills;
    queue_id queue{};               ///< Of `open_queue`.
    std::optional<queue_id> only{}; ///< For sessions of this queue.

    friend bool operator==(const relaxation&, const relaxation&) = default;
  };

  /// Channels that let nobody answer later than this after the customer wrote.
  struct reply_window {
    std::string channel;
    duration time{};

    friend bool operator==(const reply_window&, const reply_window&) = default;
  };

  std::int32_t version = 1;

  // What makes a match good; only the weights in use are counted.
  std::int64_t language_weight = 150'000;
  std::int64_t skill_weight = 450'000;
  std::int64_t affinity_weight = 250'000;
  std::int64_t extension_weight = 150'000;

  // What makes a match possible.
  std::int32_t language_level_min = 3;
  std::int32_t skill_level_min = 1;

  /// Affinity with who served the customer last, and how fast it fades.
  std::int64_t last_agent_affinity = 600'000;
  duration affinity_half_life{std::chrono::hours{24 * 14}};

  /// rho(load) = floor + (1 - floor) * what one more chat adds to the
  /// throughput of an agent who has `load` chats.
  std::int64_t load_factor_floor = 350'000;
  std::array<std::int64_t, 5> throughput{0, 1'000'000, 1'700'000, 2'100'000,
                                         2'300'000};

  /// In the order of `urgency_class`: normal, VIP, urgent, relaxed.
  std::array<service, 4> services{
    service{std::chrono::seconds{60}, 1'000'000},
    service{std::chrono::seconds{30}, 3'000'000},
    service{std::chrono::seconds{15}, 5'000'000},
    service{std::chrono::minutes{30}, 1'000'000},
  };

  /// While so little of its reply window is left, a session presses as if it
  /// had waited up to `window_pressure` times its target.
  std::vector<reply_window> reply_windows{};
  duration window_lead{std::chrono::hours{1}};
  std::int64_t window_pressure = 4'000'000;

  /// In the order in which they come due. A less suited agent is only taken if
  /// nobody waits whom they suit fully, `reserve` of their room stays free and
  /// the session's own agents are less occupied than `occupancy_max`, or away.
  std::vector<relaxation> relaxations{};
  std::int32_t reserve = 1000;
  std::int64_t occupancy_max = 900'000;

  /// A session may wait so long for the agent who knows the customer, as long
  /// as its waiting costs at most `hold_patience` times what is won.
  duration hold_time{0};
  std::int64_t hold_patience = 2'000'000;

  /// An agent who refused a proposal is not asked again before they have
  /// reported, or this time has passed.
  duration refusal_pause{std::chrono::seconds{1}};

  /// A proposal of which nobody has heard for so long is lost; its session
  /// takes up its place in the line again.
  duration proposal_time{std::chrono::seconds{2}};

  /// An exclusion of unknown end lapses after this time.
  duration exclusion_time{std::chrono::minutes{5}};

  const service& service_of(urgency_class x) const {
    return services[static_cast<std::size_t>(x)];
  }

  friend bool operator==(const policy&, const policy&) = default;
};

/// The acting policy and the canary (its copy while there is none).
using policies = std::array<policy, 2>;

} // namespace switchboard
