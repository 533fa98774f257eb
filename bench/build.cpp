#include "bench/build.hpp"

#include "config/child_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace switchboard::bench {

namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

/// A folder for the build that is gone afterwards.
struct scratch {
  fs::path path =
    fs::temp_directory_path() / ("switchboard-build-" + random_secret(6));
  scratch() { fs::create_directories(path); }
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
};

std::string text_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// How far ninja is, by the last "[12/180]" of its log.
double part_done(const std::string& log) {
  const auto open = log.rfind('[');
  if (open == log.npos)
    return 0;
  int done = 0;
  int all = 0;
  const auto* end = log.data() + log.size();
  const auto [slash, ec] = std::from_chars(log.data() + open + 1, end, done);
  if (ec != std::errc{} || slash == end || *slash != '/')
    return 0;
  std::from_chars(slash + 1, end, all);
  return all > 0 ? static_cast<double>(done) / all : 0;
}

void run(std::vector<std::string> command, const fs::path& log) {
  progress bar{"build"};
  child_process child{{.command = std::move(command),
                       .environment = {"CCACHE_DISABLE=1"},
                       .log = log.string()}};
  auto ended = child.wait(std::chrono::milliseconds{500});
  for (; !ended; ended = child.wait(std::chrono::milliseconds{500}))
    bar.at(part_done(text_of(log)));
  if (*ended == 0)
    return;
  auto said = text_of(log);
  said.erase(0, said.size() > 2000 ? said.size() - 2000 : 0);
  throw std::runtime_error("it does not build:\n" + said);
}

struct step {
  double seconds = 0;
  std::string what{};
};

/// The steps of .ninja_log: "start end mtime output hash", in milliseconds.
std::vector<step> steps_of(const fs::path& log) {
  std::vector<step> all;
  std::ifstream file{log};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words{line};
    double start = 0;
    double end = 0;
    std::string mtime;
    step x;
    if (line.starts_with('#') || !(words >> start >> end >> mtime >> x.what))
      continue;
    x.seconds = (end - start) / 1000;
    all.push_back(std::move(x));
  }
  return all;
}

} // namespace

report run_build(const build_options& how) {
  if (!fs::exists(fs::path{how.source} / "CMakeLists.txt"))
    throw std::runtime_error("there is no CMakeLists.txt in " + how.source
                             + ": name the sources with --source");
  const scratch to;
  const auto jobs =
    how.jobs > 0 ? how.jobs : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const auto begin = steady_clock::now();
  const auto since = [](steady_clock::time_point x) {
    return std::chrono::duration<double>(steady_clock::now() - x).count();
  };
  run({"cmake", "-S", how.source, "-B", to.path.string(), "-G", "Ninja",
       "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -g1"},
      to.path / "configure.log");
  const auto configured = since(begin);
  run({"ninja", "-C", to.path.string(), "-j", std::to_string(jobs),
       "switchboard"},
      to.path / "build.log");
  report r{.name = "build", .unit = "s, from nothing to the program"};
  r.value = since(begin);
  auto steps = steps_of(to.path / ".ninja_log");
  double sum = 0;
  for (const auto& x : steps)
    sum += x.seconds;
  r.floor = configured + sum / jobs;
  r.ratio = r.floor / r.value;
  r.floor_is = "configuring, and all steps shared out without a gap";
  r.must = "360 s on 2 cores, aim 180";
  const auto runs = run_process(
    {.command = {(to.path / "gateways" / "switchboard").string(), "version"}});
  r.lost = runs.exit_code == 0 ? 0 : 1;
  r.more = {
    {"jobs, steps", std::to_string(jobs) + ", " + std::to_string(steps.size())},
    {"configuring", number(configured) + " s"}};
  std::sort(steps.begin(), steps.end(),
            [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  for (std::size_t i = 0; i < std::min<std::size_t>(steps.size(), 5); ++i)
    r.more.emplace_back("slow: " + fs::path{steps[i].what}.filename().string(),
                        number(steps[i].seconds) + " s");
  return r;
}

} // namespace switchboard::bench
