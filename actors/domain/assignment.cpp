#include "actors/domain/assignment.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace switchboard::router {

namespace {

/// The Hungarian method, one row after the other along the shortest augmenting
/// path. Rows and columns are counted from 1; column 0 is where the row stands
/// that is being placed. Needs at least as many columns as rows.
class hungarian {
public:
  hungarian(const wish_table& wishes, std::size_t columns)
    : wishes_(wishes),
      columns_(columns),
      row_price_(wishes.rows() + 1),
      column_price_(columns + 1),
      taken_by_(columns + 1),
      came_from_(columns + 1) {
    std::int64_t most = 0;
    for (std::size_t i = 0; i < wishes.rows(); ++i)
      for (std::size_t j = 0; j < wishes.columns(); ++j)
        most = std::max(most, wishes.weight(i, j));
    // Worth more than all that could be won by serving one row less.
    served_ = (most + 1) * static_cast<std::int64_t>(wishes.rows() + 1);
  }

  assignment solve() {
    for (std::size_t row = 1; row <= wishes_.rows(); ++row)
      place(row);
    assignment out(wishes_.rows());
    for (std::size_t j = 1; j <= wishes_.columns(); ++j)
      if (const auto i = taken_by_[j];
          i != 0 && wishes_.weight(i - 1, j - 1) > 0)
        out[i - 1] = j - 1;
    return out;
  }

private:
  std::int64_t cost(std::size_t row, std::size_t column) const {
    if (column > wishes_.columns())
      return 0;
    const auto w = wishes_.weight(row - 1, column - 1);
    return w > 0 ? -(served_ + w) : 0;
  }

  void place(std::size_t row) {
    taken_by_[0] = row;
    std::size_t at = 0;
    std::vector<std::int64_t> slack(columns_ + 1,
                                    std::numeric_limits<std::int64_t>::max());
    std::vector<char> visited(columns_ + 1);
    do {
      visited[at] = 1;
      at = nearest(at, slack, visited);
    } while (taken_by_[at] != 0);
    for (; at != 0; at = came_from_[at])
      taken_by_[at] = taken_by_[came_from_[at]];
  }

  /// Goes on to the column that is nearest to all visited ones.
  std::size_t nearest(std::size_t from, std::vector<std::int64_t>& slack,
                      const std::vector<char>& visited) {
    const auto row = taken_by_[from];
    auto least = std::numeric_limits<std::int64_t>::max();
    std::size_t next = 0;
    for (std::size_t j = 1; j <= columns_; ++j) {
      if (visited[j])
        continue;
      const auto reduced = cost(row, j) - row_price_[row] - column_price_[j];
      if (reduced < slack[j]) {
        slack[j] = reduced;
        came_from_[j] = from;
      }
      if (slack[j] < least) {
        least = slack[j];
        next = j;
      }
    }
    for (std::size_t j = 0; j <= columns_; ++j)
      if (visited[j]) {
        row_price_[taken_by_[j]] += least;
        column_price_[j] -= least;
      } else {
        slack[j] -= least;
      }
    return next;
  }

  const wish_table& wishes_;
  std::size_t columns_;
  std::int64_t served_ = 0;
  std::vector<std::int64_t> row_price_;
  std::vector<std::int64_t> column_price_;
  std::vector<std::size_t> taken_by_; ///< The row of each column; 0: none.
  std::vector<std::size_t> came_from_;
};

} // namespace

assignment assign(const wish_table& wishes) {
  return hungarian{wishes, std::max(wishes.rows(), wishes.columns())}.solve();
}

assignment assign_greedily(const wish_table& wishes) {
  std::vector<std::tuple<std::int64_t, std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < wishes.rows(); ++i)
    for (std::size_t j = 0; j < wishes.columns(); ++j)
      if (const auto w = wishes.weight(i, j); w > 0)
        pairs.emplace_back(-w, i, j);
  std::sort(pairs.begin(), pairs.end());
  assignment out(wishes.rows());
  std::vector<char> taken(wishes.columns());
  for (const auto& [w, i, j] : pairs)
    if (!out[i] && !taken[j]) {
      out[i] = j;
      taken[j] = 1;
    }
  return out;
}

} // namespace switchboard::router
