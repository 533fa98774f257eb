// A cluster that lives from one seed: crashes, freezes, cuts, outages, jumping
// clocks, lost, doubled and late letters and statements, planned moves. Checks
// the invariants of the product at every step.
//
//   switchboard_cluster_simulation SECONDS            fresh seeds for so long
//   switchboard_cluster_simulation --corpus FILE      the seeds of a file
//   switchboard_cluster_simulation --seed N           one, with its trace
//   switchboard_cluster_simulation --bugs SECONDS     every planted bug must be
//                                                     found, each in that time
#include "tests/cluster_simulation/cluster.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

namespace {

using namespace switchboard::cluster_simulation;
using std::chrono::steady_clock;

struct sum {
  std::int64_t seeds = 0;
  figures all;

  void add(const figures& x) {
    ++seeds;
    all.receipts += x.receipts;
    all.repeated += x.repeated;
    all.entries += x.entries;
    all.takeovers += x.takeovers;
    all.moves += x.moves;
    all.fenced += x.fenced;
    all.faults += x.faults;
  }

  void print(double seconds) const {
    std::printf(
      "%lld seeds in %.1f s (%.0f a second): %lld faults, %lld slots "
      "taken over, %lld moved as planned, %lld writes fenced, %lld "
      "receipts, %lld requests repeated, %lld entries\n",
      static_cast<long long>(seeds), seconds,
      static_cast<double>(seeds) / seconds, static_cast<long long>(all.faults),
      static_cast<long long>(all.takeovers), static_cast<long long>(all.moves),
      static_cast<long long>(all.fenced), static_cast<long long>(all.receipts),
      static_cast<long long>(all.repeated),
      static_cast<long long>(all.entries));
  }
};

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

/// @returns what was violated, if anything was
std::optional<std::string> live(std::uint64_t seed, bug planted, sum& to,
                                bool print = false) {
  try {
    to.add(cluster{seed, planted, print}.run());
    return std::nullopt;
  } catch (const violation& e) {
    return e.what();
  }
}

/// The trace of a seed is the same on every run.
bool repeats(std::uint64_t seed) {
  const auto a = cluster{seed, bug::none, false}.run();
  const auto b = cluster{seed, bug::none, false}.run();
  if (a.hash == b.hash && a.lines == b.lines)
    return true;
  std::printf("seed %llu has two traces\n",
              static_cast<unsigned long long>(seed));
  return false;
}

/// @returns false, having said so, when a seed fails
bool holds(std::uint64_t seed, sum& to) {
  const auto broken = live(seed, bug::none, to);
  if (broken)
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                broken->c_str());
  return !broken && (seed % 50 != 0 || repeats(seed));
}

int fresh(double seconds, std::uint64_t from) {
  sum to;
  bool good = true;
  const auto begin = steady_clock::now();
  for (auto seed = from; seconds_since(begin) < seconds; ++seed)
    good &= holds(seed, to);
  to.print(seconds_since(begin));
  return good ? 0 : 1;
}

int corpus(const std::string& file) {
  std::ifstream from{file};
  if (!from) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    return 2;
  }
  sum to;
  bool good = true;
  const auto begin = steady_clock::now();
  for (std::string line; std::getline(from, line);)
    if (!line.empty() && line.front() != '#')
      good &= holds(std::stoull(line), to);
  to.print(seconds_since(begin));
  return good && to.seeds > 0 ? 0 : 1;
}

int bugs(double seconds) {
  bool good = true;
  for (std::size_t i = 1; i < bug_names.size(); ++i) {
    const auto begin = steady_clock::now();
    std::optional<std::string> found;
    std::uint64_t seed = 0;
    sum to;
    while (!found && seconds_since(begin) < seconds)
      found = live(++seed, static_cast<bug>(i), to);
    std::printf("%-20.*s %s\n", static_cast<int>(bug_names[i].size()),
                bug_names[i].data(),
                found ? ("seed " + std::to_string(seed) + ", "
                         + std::to_string(seconds_since(begin)).substr(0, 4)
                         + " s: " + *found)
                          .c_str()
                      : "NOT FOUND");
    good &= found.has_value();
  }
  return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  try {
    if (words.size() == 2 && words[0] == "--corpus")
      return corpus(words[1]);
    if (words.size() == 2 && words[0] == "--bugs")
      return bugs(std::stod(words[1]));
    if (words.size() >= 2 && words[0] == "--seed") {
      sum to;
      const auto planted =
        words.size() > 2 ? static_cast<bug>(std::stoi(words[2])) : bug::none;
      const auto broken = live(std::stoull(words[1]), planted, to, true);
      std::cout << broken.value_or("all well") << '\n';
      return broken ? 1 : 0;
    }
    if (!words.empty() && words.size() <= 2)
      return fresh(std::stod(words[0]),
                   words.size() > 1 ? std::stoull(words[1]) : 1'000'000);
  } catch (const std::invalid_argument&) {
    // A word that is no number: the usage says it.
  }
  std::cerr << "usage: switchboard_cluster_simulation SECONDS [FROM_SEED]\n"
               "       switchboard_cluster_simulation --corpus FILE\n"
               "       switchboard_cluster_simulation --seed N [BUG]\n"
               "       switchboard_cluster_simulation --bugs SECONDS\n";
  return 2;
}
