#include "tests/support/company.hpp"
#include "tests/support/oracle.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;

TEST_CASE("no session waits while somebody free could serve it, and nobody "
          "gets more than they can take",
          "[router]") {
  std::int64_t proposals = 0;
  CHECK_NOTHROW(proposals = test::play(20'000, 1));
  CHECK(proposals > 1000);
}

TEST_CASE("the random company does everything that can happen", "[router]") {
  test::company c({.seed = 3});
  for (int i = 0; i < 5000; ++i)
    c.step();
  CHECK(c.proposals > 200);
  CHECK(c.refusals > 20);
  CHECK(c.declined > 20);
  CHECK(c.lost > 5);
  CHECK(c.transferred > 20);
  CHECK(c.vanished > 5);
}

TEST_CASE("the same events make the same decisions, bit for bit", "[router]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    test::company x({.seed = seed});
    test::company y({.seed = seed});
    test::company z({.seed = seed + 100});
    for (int i = 0; i < 2000; ++i) {
      x.step();
      y.step();
      z.step();
    }
    CHECK(x.hash == y.hash);
    CHECK(x.hash != z.hash);
  }
}

TEST_CASE("the router chooses what the rules choose, whoever is looked at",
          "[router]") {
  for (std::uint64_t seed = 1; seed <= 4000; ++seed)
    CHECK_NOTHROW(test::compare_with_oracle(seed));
}
