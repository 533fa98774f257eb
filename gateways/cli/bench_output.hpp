#pragma once

#include "bench/report.hpp"
#include "gateways/cli/cli.hpp"

#include <functional>
#include <string>
#include <vector>

/// What every benchmark's command has in common: `--html`, `--compare` and how
/// reports are printed.
namespace switchboard::cli {

struct bench_output {
  std::string html;    ///< A page is written here, too; empty: none.
  std::string compare; ///< Reports of another day; empty: none.
};

/// Adds the two flags to a command.
void add_output(CLI::App& to, bench_output& into);

/// The reports to compare with; none without `--compare`.
/// @throws failure when the file cannot be read: before anything is measured
[[nodiscard]] std::vector<bench::report> earlier(const bench_output& how);

/// Prints them (as an array if `many`), writes the page.
/// @returns failed when something was lost, doubled or reordered
int finish(const context& c, const bench_output& how,
           const std::vector<bench::report>& before,
           const std::vector<bench::report>& now, bool many);

/// `bench NAME`: runs it and shows its report.
CLI::App* add_benchmark(CLI::App& to, context& c, const std::string& name,
                        const std::string& help, const std::string& examples,
                        std::function<bench::report()> run);

} // namespace switchboard::cli
