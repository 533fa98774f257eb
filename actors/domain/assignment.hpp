#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace switchboard::router {

/// How much each row (a session) would like each column (an agent).
class wish_table {
public:
  wish_table(std::size_t rows, std::size_t columns)
    : rows_(rows), columns_(columns), weights_(rows * columns) {}

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

  /// @param weight more than 0, at most 10^13
  void allow(std::size_t row, std::size_t column, std::int64_t weight) {
    weights_[row * columns_ + column] = weight;
  }

  /// @returns 0 where the two cannot be brought together.
  std::int64_t weight(std::size_t row, std::size_t column) const {
    return weights_[row * columns_ + column];
  }

private:
  std::size_t rows_;
  std::size_t columns_;
  std::vector<std::int64_t> weights_;
};

using assignment = std::vector<std::optional<std::size_t>>; ///< By row.

/// @returns the assignment that serves the most rows, each by a column of its
///          own, and of all those the one with the greatest sum of weights.
///          Takes O(n^3) for n rows or columns: some 2 ms for 100.
[[nodiscard]] assignment assign(const wish_table& wishes);

/// The best pair first, then the best of the rest: what it is compared with.
[[nodiscard]] assignment assign_greedily(const wish_table& wishes);

} // namespace switchboard::router
