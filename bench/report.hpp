#pragma once

#include <cstdint>
#include <string>
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

  /// A figure from a run that lost, doubled or reordered anything is void.
  [[nodiscard]] bool valid() const {
    return lost == 0 && duplicated == 0 && reordered == 0;
  }
};

/// One JSON object, one line.
std::string to_json(const report& r);

/// A table for people.
std::string to_text(const report& r);

/// "2 x AMD EPYC, 24 GiB, Linux 6.1"
std::string machine();

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
  void add(std::int64_t us) { all_.push_back(us); }
  [[nodiscard]] std::size_t count() const { return all_.size(); }

  /// Exact, by sorting. @param part 0.5 for the median
  [[nodiscard]] std::int64_t quantile(double part);
  [[nodiscard]] std::int64_t max();

  void write(report& to);

private:
  void sort();
  std::vector<std::int64_t> all_;
  bool sorted_ = false;
};

/// CPU time that a process and all its descendants have used, in microseconds.
std::int64_t cpu_us_of(int pid);

/// Resident memory of a process in bytes: its peak, and now.
struct memory_use {
  std::int64_t peak = 0;
  std::int64_t now = 0;
};
memory_use memory_of(int pid);

} // namespace switchboard::bench
