#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/router.hpp"

#include <cstdint>
#include <random>
#include <vector>

/// A company made up from a seed, for benchmarks of the router: 12 queues with
/// three skills each, six languages, four channels, four classes of urgency.
namespace switchboard::bench {

class crowd {
public:
  static constexpr int queues = 12;
  static constexpr int skills_of_queue = 3;

  explicit crowd(std::uint64_t seed) : random_(seed) {}

  /// Serves two or three queues, speaks two or three languages; has `load`.
  [[nodiscard]] agent::availability agent(std::int64_t number,
                                          std::int32_t load);

  /// Waits since some time in the ten minutes before `now`. Three of ten have
  /// been served before by one of the first `agents`.
  [[nodiscard]] router::session_waiting
  session(std::int64_t number, time_point now, std::int64_t agents);

  [[nodiscard]] std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  [[nodiscard]] static agent_id name_of(std::int64_t number);

private:
  std::mt19937_64 random_;
};

} // namespace switchboard::bench
