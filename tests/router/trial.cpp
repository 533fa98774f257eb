// The router on trial: random steps and scenarios against the rules, for the
// router as it is and for each of its mutants.
#include "actors/domain/mutant.hpp"
#include "tests/support/company.hpp"
#include "tests/support/oracle.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace switchboard;

/// @returns what was found first, nothing if nothing was
std::optional<std::string> judge(std::int64_t steps, std::int64_t scenarios) {
  try {
    for (std::int64_t i = 1; i <= scenarios; ++i)
      test::compare_with_oracle(static_cast<std::uint64_t>(i));
    test::play(steps, 1);
  } catch (const std::exception& e) {
    // A mutant may also stumble over itself, which is as good.
    return e.what();
  }
  return std::nullopt;
}

int try_mutants() {
  constexpr std::int64_t steps = 20'000;
  constexpr std::int64_t scenarios = 2'000;
  int survivors = 0;
  for (auto i = 1; i < static_cast<int>(router::mutant::count_); ++i) {
    router::planted = static_cast<router::mutant>(i);
    const auto found = judge(steps, scenarios);
    std::cout << "mutant " << i << ": "
              << (found ? *found : "SURVIVED: no test would find this bug")
              << std::endl;
    survivors += found ? 0 : 1;
  }
  return survivors == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  std::int64_t steps = 1'000'000;
  std::int64_t scenarios = 100'000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--mutants")
      return try_mutants();
    if (i + 1 < argc && word == "--steps")
      steps = std::atoll(argv[++i]);
    else if (i + 1 < argc && word == "--scenarios")
      scenarios = std::atoll(argv[++i]);
  }
  const auto found = judge(steps, scenarios);
  std::cout << (found
                  ? *found
                  : std::to_string(steps) + " steps and "
                      + std::to_string(scenarios) + " scenarios: nothing found")
            << std::endl;
  return found ? 1 : 0;
}
