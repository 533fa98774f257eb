#include "gateways/cli/bench_output.hpp"

#include "bench/compare.hpp"
#include "bench/report_page.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace switchboard::cli {

namespace {

/// The command line as it was given: how to make the figures again.
std::string command_line() {
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!text.empty() && text.back() == '\0')
    text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  // Where the program lies says nothing to others.
  const auto end = text.find(' ');
  const auto slash = text.substr(0, end).rfind('/');
  return slash == text.npos ? text : text.substr(slash + 1);
}

void write_page(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file)
    throw failure{failed, "cannot write " + path
                            + ": check that its folder exists and has room"};
  std::cerr << "switchboard: wrote " << path << '\n';
}

} // namespace

void add_output(CLI::App& to, bench_output& into) {
  to.add_option("--html", into.html, "Write a page with pictures here, too");
  to.add_option("--compare", into.compare,
                "Show the change since this file, which --json has written");
}

std::vector<bench::report> earlier(const bench_output& how) {
  if (how.compare.empty())
    return {};
  std::ifstream file{how.compare, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    throw failure{failed, "cannot read " + how.compare
                            + ": check that it exists and is not empty"};
  auto all = bench::reports_from_json(text.str());
  if (!all)
    throw failure{failed, how.compare + ": " + all.error().detail};
  return std::move(*all);
}

int finish(const context& c, const bench_output& how,
           const std::vector<bench::report>& before,
           const std::vector<bench::report>& now, bool many) {
  std::string text;
  for (const auto& r : now)
    text += c.json ? (text.empty() ? "" : ",\n")
                       + bench::to_json(r, bench::find(before, r.name))
                   : (text.empty() ? "" : "\n") + bench::to_text(r);
  if (c.json)
    std::cout << (many ? "[" + text + "]" : text) << '\n';
  else
    std::cout << text;
  if (!how.compare.empty() && !c.json)
    std::cout << "\ncompared with " << how.compare << '\n'
              << bench::compare(before, now);
  if (!how.html.empty())
    write_page(how.html, bench::to_html(now, command_line()));
  // A figure from a run that lost, doubled or reordered anything is void.
  return std::all_of(now.begin(), now.end(),
                     [](const auto& r) { return r.valid(); })
           ? ok
           : failed;
}

CLI::App* add_benchmark(CLI::App& to, context& c, const std::string& name,
                        const std::string& help, const std::string& examples,
                        std::function<bench::report()> run) {
  const auto how = std::make_shared<bench_output>();
  auto* made = add(to, name, help, examples, [&c, how, run = std::move(run)] {
    const auto before = earlier(*how);
    return finish(c, *how, before, {run()}, false);
  });
  add_output(*made, *how);
  return made;
}

} // namespace switchboard::cli
