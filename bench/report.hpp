#pragma once

#include "actors/domain/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a benchmark found. One shape for all, so that reports can be compared.
namespace switchboard::bench {

struct report {
  std::string name{};
  double value = 0;   ///< What was reached, in `unit`.
  std::string unit{}; ///< "messages/s", "ms"
  double floor = 0;   ///< The same work without us, measured in the same run.
  std::string floor_is{}; ///< One sentence: what the floor does.
  double ratio = 0;       ///< value / floor for rates, floor / value for times.
  std::int64_t p50_us = 0;
  std::int64_t p99_us = 0;
  std::int64_t p999_us = 0;
  std::int64_t max_us = 0;
  std::int64_t lost = 0;
  std::int64_t duplicated = 0;
  std::int64_t reordered = 0;
  std::string claim{}; ///< What the product that this one replaces promises.
  std::string must{};  ///< What this one must reach.
  /// Further figures: CPU per message of each process, memory, spread.
  std::vector<std::pair<std::string, std::string>> more{};
  std::string machine{}; ///< Where it was measured; empty: here.
  std::string at{};      ///< "2026-11-21 14:05 UTC"; empty: now.

  // -- what pictures are made of ----------------------------------------------

  /// Part of all operations (0 to 1), and how long they took at most.
  struct quantile {
    double part = 0;
    std::int64_t us = 0;
  };
  std::vector<quantile> curve{};

  /// A value for each step of so many seconds.
  struct series {
    double step_s = 0;
    std::vector<double> values{};
  };
  series throughput{}; ///< Done a second.
  series memory{};     ///< KiB of the node.

  /// CPU in us per message, by process.
  std::vector<std::pair<std::string, double>> cpu{};

  /// A figure from a run that lost, doubled or reordered anything is void.
  [[nodiscard]] bool valid() const {
    return lost == 0 && duplicated == 0 && reordered == 0;
  }
};

/// One JSON object, one line.
/// @param before the same benchmark's report of another day, kept under
/// "before"
std::string to_json(const report& r, const report* before = nullptr);

/// What `--json` printed: one report, or an array of them.
/// @returns malformed, saying what is missing
result<std::vector<report>> reports_from_json(std::string_view text);

/// A table for people.
std::string to_text(const report& r);

/// "2 x AMD EPYC, 24 GiB, Linux 6.1"
std::string machine();

/// "2026-11-21 14:05 UTC"
std::string today();

/// For tables: two decimals below 100, none above.
std::string number(double x);

/// A bar on stderr while it runs; silent when stderr is no terminal.
class progress {
public:
  explicit progress(std::string what);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// @param part 0 to 1
  void at(double part);

private:
  std::string what_;
  bool terminal_;
  int shown_ = -1;
};

/// Latencies of one run. Not thread-safe.
class latencies {
public:
  void add(std::int64_t us) {
    all_.push_back(us);
    sorted_ = false;
  }
  void add(const latencies& more);
  [[nodiscard]] std::size_t count() const { return all_.size(); }

  /// Exact, by sorting. @param part 0.5 for the median
  [[nodiscard]] std::int64_t quantile(double part);
  [[nodiscard]] std::int64_t max();

  /// Quantiles and curve.
  void write(report& to);

private:
  void sort();
  std::vector<std::int64_t> all_;
  bool sorted_ = false;
};

/// How many of these moments fall into each of sixty steps, a second.
report::series rate_of(std::vector<std::chrono::steady_clock::time_point> done);

/// CPU time that a process and all its descendants have used, in microseconds.
std::int64_t cpu_us_of(int pid);

/// Resident memory of a process in bytes: its peak, and now.
struct memory_use {
  std::int64_t peak = 0;
  std::int64_t now = 0;
};
memory_use memory_of(int pid);

} // namespace switchboard::bench
