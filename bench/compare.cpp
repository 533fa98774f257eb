#include "bench/compare.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace switchboard::bench {

namespace {

std::string change(double before, double now) {
  if (before == 0)
    return "";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%+.1f %%", (now / before - 1) * 100);
  return text.data();
}

void row(std::string& to, const std::string& what, double before, double now) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "  %-26s%14s%14s%12s\n", what.c_str(),
                number(before).c_str(), number(now).c_str(),
                change(before, now).c_str());
  to += text.data();
}

std::string one(const report& before, const report& now) {
  std::string to = now.name + ", before: " + before.at + '\n';
  if (before.machine != (now.machine.empty() ? machine() : now.machine))
    to += "  another machine (" + before.machine
          + "): compare ratios, not values\n";
  if (!before.valid())
    to += "  the figures before are void: something was lost, doubled or "
          "reordered\n";
  row(to, now.unit, before.value, now.value);
  if (before.floor > 0 && now.floor > 0) {
    row(to, "floor", before.floor, now.floor);
    row(to, "ratio to the floor", before.ratio, now.ratio);
  }
  const auto ms = [&](const char* what, std::int64_t was, std::int64_t is) {
    if (was > 0 || is > 0)
      row(to, what, static_cast<double>(was) / 1000,
          static_cast<double>(is) / 1000);
  };
  ms("p50 ms", before.p50_us, now.p50_us);
  ms("p99 ms", before.p99_us, now.p99_us);
  ms("p99.9 ms", before.p999_us, now.p999_us);
  return to;
}

} // namespace

const report* find(const std::vector<report>& in, const std::string& name) {
  const auto at = std::find_if(in.begin(), in.end(),
                               [&](const auto& x) { return x.name == name; });
  return at == in.end() ? nullptr : &*at;
}

std::string compare(const std::vector<report>& before,
                    const std::vector<report>& now) {
  std::string to;
  for (const auto& x : now)
    if (const auto* then = find(before, x.name))
      to += one(*then, x);
    else
      to += x.name + ": not in the file to compare with\n";
  return to;
}

} // namespace switchboard::bench
