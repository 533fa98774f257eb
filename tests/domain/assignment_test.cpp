#include "actors/domain/assignment.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <random>

using namespace switchboard::router;

namespace {

struct outcome {
  std::size_t served = 0;
  std::int64_t weight = 0;

  friend auto operator<=>(const outcome&, const outcome&) = default;
};

outcome judge(const wish_table& w, const assignment& a) {
  outcome out;
  std::vector<char> taken(w.columns());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i])
      continue;
    REQUIRE(w.weight(i, *a[i]) > 0);
    REQUIRE(taken[*a[i]] == 0);
    taken[*a[i]] = 1;
    ++out.served;
    out.weight += w.weight(i, *a[i]);
  }
  return out;
}

/// Every possibility, for small tables.
outcome best(const wish_table& w, std::size_t row, std::vector<char>& taken) {
  if (row == w.rows())
    return {};
  auto most = best(w, row + 1, taken);
  for (std::size_t j = 0; j < w.columns(); ++j)
    if (!taken[j] && w.weight(row, j) > 0) {
      taken[j] = 1;
      auto x = best(w, row + 1, taken);
      taken[j] = 0;
      ++x.served;
      x.weight += w.weight(row, j);
      most = std::max(most, x);
    }
  return most;
}

} // namespace

TEST_CASE("the assignment serves as many as can be served, and best",
          "[router]") {
  std::mt19937_64 random{11};
  std::size_t worse = 0;
  for (int round = 0; round < 2000; ++round) {
    wish_table w(1 + random() % 5, 1 + random() % 5);
    for (std::size_t i = 0; i < w.rows(); ++i)
      for (std::size_t j = 0; j < w.columns(); ++j)
        if (random() % 2)
          w.allow(i, j, 1 + static_cast<std::int64_t>(random() % 20));
    std::vector<char> taken(w.columns());
    const auto found = judge(w, assign(w));
    REQUIRE(found == best(w, 0, taken));
    worse += judge(w, assign_greedily(w)) < found ? 1 : 0;
  }
  CHECK(worse > 100); // Greed pays less, or the test shows nothing.
}

TEST_CASE("the assignment bears the greatest weights", "[router]") {
  constexpr std::size_t n = 128;
  wish_table w(n, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j)
      w.allow(i, j, 10'000'000'000'000 - static_cast<std::int64_t>(j));
  CHECK(judge(w, assign(w)).served == n);
}

TEST_CASE("nobody is served where nobody can be", "[router]") {
  CHECK(assign(wish_table{3, 2}) == assignment(3));
  CHECK(assign(wish_table{0, 5}).empty());
  CHECK(assign(wish_table{2, 0}) == assignment(2));
}
