#include "bench/report.hpp"

#include <dirent.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

namespace switchboard::bench {

namespace {

void row(std::string& to, const std::string& name, const std::string& value) {
  to += "  " + name + std::string(name.size() < 26 ? 26 - name.size() : 1, ' ')
        + value + '\n';
}

/// The fields of /proc/<pid>/stat after the command, which may hold anything.
std::vector<std::string> stat_of(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  std::vector<std::string> fields;
  if (end == std::string::npos)
    return fields;
  std::istringstream rest{line.substr(end + 1)};
  for (std::string x; rest >> x;)
    fields.push_back(x);
  return fields;
}

} // namespace

std::string number(double x) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), x > -100 && x < 100 ? "%.2f" : "%.0f",
                x);
  return text.data();
}

std::string to_text(const report& r) {
  std::string to =
    r.name + " on " + (r.machine.empty() ? machine() : r.machine) + '\n';
  row(to, "reached", number(r.value) + ' ' + r.unit);
  if (r.floor > 0) {
    row(to, "floor in the same run", number(r.floor) + ' ' + r.unit);
    row(to, "", r.floor_is);
  }
  if (r.ratio > 0)
    row(to, "ratio to the floor", number(r.ratio));
  if (!r.must.empty())
    row(to, "must", r.must);
  if (!r.claim.empty())
    row(to, "the original's claim", r.claim);
  if (r.max_us > 0)
    row(to, "latency p50/p99/p99.9/max",
        number(static_cast<double>(r.p50_us) / 1000) + " / "
          + number(static_cast<double>(r.p99_us) / 1000) + " / "
          + number(static_cast<double>(r.p999_us) / 1000) + " / "
          + number(static_cast<double>(r.max_us) / 1000) + " ms");
  for (const auto& [name, value] : r.more)
    row(to, name, value);
  row(to, "lost, doubled, reordered",
      std::to_string(r.lost) + ", " + std::to_string(r.duplicated) + ", "
        + std::to_string(r.reordered)
        + (r.valid() ? "" : "   THE FIGURES ABOVE ARE VOID"));
  return to;
}

std::string machine() {
  std::ifstream cpu{"/proc/cpuinfo"};
  std::string model = "unknown CPU";
  for (std::string line; std::getline(cpu, line);)
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  const auto pages = sysconf(_SC_PHYS_PAGES);
  const auto gib = pages * (sysconf(_SC_PAGESIZE) / 1024) / 1024 / 1024;
  utsname name{};
  uname(&name);
  return std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " x " + model + ", "
         + std::to_string(gib) + " GiB, " + name.sysname + ' ' + name.release;
}

std::string today() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return text.data();
}

progress::progress(std::string what)
  : what_(std::move(what)), terminal_(isatty(2) == 1) {
  at(0);
}

progress::~progress() {
  if (terminal_)
    std::fprintf(stderr, "\r\033[K");
}

void progress::at(double part) {
  constexpr int width = 40;
  const auto percent = static_cast<int>(std::clamp(part, 0.0, 1.0) * 100);
  if (!terminal_ || percent == shown_)
    return;
  shown_ = percent;
  const auto full = static_cast<std::size_t>(percent * width / 100);
  std::fprintf(stderr, "\r%s [%s%s] %d%%", what_.c_str(),
               std::string(full, '#').c_str(),
               std::string(width - full, '.').c_str(), percent);
}

void latencies::add(const latencies& more) {
  all_.insert(all_.end(), more.all_.begin(), more.all_.end());
  sorted_ = false;
}

void latencies::sort() {
  if (!std::exchange(sorted_, true))
    std::sort(all_.begin(), all_.end());
}

std::int64_t latencies::quantile(double part) {
  if (all_.empty())
    return 0;
  sort();
  const auto at = static_cast<std::size_t>(
    std::ceil(part * static_cast<double>(all_.size())));
  return all_[std::min(std::max<std::size_t>(at, 1), all_.size()) - 1];
}

std::int64_t latencies::max() {
  return quantile(1);
}

void latencies::write(report& to) {
  to.p50_us = quantile(.5);
  to.p99_us = quantile(.99);
  to.p999_us = quantile(.999);
  to.max_us = max();
  to.curve.clear();
  if (all_.empty())
    return;
  for (const auto part :
       {.0,   .1,   .2,   .3,   .4,    .5,    .6,    .7,  .75,
        .8,   .85,  .9,   .925, .95,   .97,   .98,   .99, .993,
        .995, .997, .998, .999, .9995, .9998, .9999, 1.})
    to.curve.push_back({part, quantile(part)});
}

report::series
rate_of(std::vector<std::chrono::steady_clock::time_point> done) {
  constexpr double steps = 60;
  if (done.size() < 2)
    return {};
  std::sort(done.begin(), done.end());
  const auto seconds = [&](std::chrono::steady_clock::time_point x) {
    return std::chrono::duration<double>(x - done.front()).count();
  };
  const auto whole = seconds(done.back());
  if (whole <= 0)
    return {};
  report::series s{.step_s = whole / steps};
  s.values.resize(static_cast<std::size_t>(steps));
  for (const auto& x : done) {
    const auto at = static_cast<std::size_t>(seconds(x) / s.step_s);
    s.values[std::min(at, s.values.size() - 1)] += 1 / s.step_s;
  }
  return s;
}

std::int64_t cpu_us_of(int pid) {
  // utime, stime and those of children that have ended and were waited for.
  std::multimap<int, int> children;
  std::map<int, std::int64_t> used;
  auto* all = opendir("/proc");
  if (!all)
    return 0;
  while (const auto* entry = readdir(all)) {
    const auto number = std::atoi(entry->d_name);
    if (number <= 0)
      continue;
    const auto fields = stat_of(number);
    if (fields.size() < 15)
      continue;
    children.emplace(std::stoi(fields[1]), number);
    std::int64_t ticks = 0;
    for (std::size_t i = 11; i <= 14; ++i)
      ticks += std::stoll(fields[i]);
    used[number] = ticks * 1'000'000 / sysconf(_SC_CLK_TCK);
  }
  closedir(all);
  std::int64_t sum = 0;
  std::vector<int> open{pid};
  while (!open.empty()) {
    const auto next = open.back();
    open.pop_back();
    sum += used[next];
    for (auto [at, end] = children.equal_range(next); at != end; ++at)
      open.push_back(at->second);
  }
  return sum;
}

memory_use memory_of(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  memory_use m;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:"))
      m.peak = std::stoll(line.substr(6)) * 1024;
    if (line.starts_with("VmRSS:"))
      m.now = std::stoll(line.substr(6)) * 1024;
  }
  return m;
}

} // namespace switchboard::bench
