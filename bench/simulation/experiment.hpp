#pragma once

#include "bench/simulation/dispatcher.hpp"
#include "bench/simulation/figures.hpp"
#include "bench/simulation/generator.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Days of the same companies under every rule, and what the comparison says.
namespace switchboard::simulation {

/// A mean and half the width of its 95 % confidence interval (Student's t).
struct estimate {
  double mean = 0;
  double margin = 0; ///< 0 when there was one value only.

  friend bool operator==(const estimate&, const estimate&) = default;
};

[[nodiscard]] estimate estimate_of(const std::vector<double>& values);

/// One rule at one load.
struct row {
  rule by{};
  std::array<estimate, figures.size()> values{};
  /// The baseline's value minus the product's on the same seed: as both meet
  /// the same customers, this is far sharper than comparing two means.
  std::array<estimate, figures.size()> behind{};
  head_count heads{};          ///< Summed over all seeds.
  std::vector<double> waits{}; ///< Quantiles 0, 1 ... 100 %, in seconds.
  std::size_t lost_wakeups = 0;
  std::uint64_t hash = 0; ///< Of all its days.

  [[nodiscard]] const estimate& value(figure x) const {
    return values[static_cast<std::size_t>(x)];
  }
};

/// Who is better in a figure, as far as the seeds can tell.
enum class verdict : std::uint8_t { product, baseline, neither };

[[nodiscard]] verdict judge(const row& baseline, figure x);

/// All rules at one load.
struct table {
  std::string name{};
  double load = 0;         ///< 0 when the customers came from a file.
  std::vector<row> rows{}; ///< In the order of `rules`.
};

struct study {
  plan base{};
  int seeds = 10;        ///< base.seed, base.seed + 1 ...
  std::string command{}; ///< What was typed, for who wants to repeat it.
  std::vector<table> tables{};
};

/// A named load: what it is called and its size.
using level = std::pair<std::string, double>;

inline const std::vector<level> levels{
  {"low", .7}, {"medium", .95}, {"high", 1.2}};

/// Makes the world of one seed and load.
using world_maker = std::function<world(const plan&)>;

/// @param done called now and then with the finished part, 0 to 1
[[nodiscard]] study run(const plan& base, int seeds,
                        const std::vector<level>& loads,
                        const world_maker& make = make_world,
                        const std::function<void(double)>& done = {});

} // namespace switchboard::simulation
