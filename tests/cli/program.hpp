#pragma once

#include "config/child_process.hpp"

#include <string>
#include <vector>

namespace switchboard::test {

/// What the program printed on stdout (data) or on both (`all`).
struct printed {
  int code = 0;
  std::string text;
};

/// The built program in a folder of its own, with settings from the environment
/// alone, as a person would call it.
class program {
public:
  /// @param environment "SWITCHBOARD_…=value"
  program(std::string folder, std::vector<std::string> environment)
    : folder_(std::move(folder)), environment_(std::move(environment)) {}

  /// Data only: what a pipe would get.
  [[nodiscard]] printed run(std::vector<std::string> arguments) const {
    return call(R"(exec "$0" "$@" 2>/dev/null)", std::move(arguments));
  }

  /// Data and messages.
  [[nodiscard]] printed all(std::vector<std::string> arguments) const {
    return call(R"(exec "$0" "$@" 2>&1)", std::move(arguments));
  }

private:
  [[nodiscard]] printed call(const std::string& script,
                             std::vector<std::string> arguments) const {
    std::vector<std::string> command{"sh", "-c", script, SWITCHBOARD_PROGRAM};
    for (auto& x : arguments)
      command.push_back(std::move(x));
    const auto done = run_process(
      {.command = command, .environment = environment_, .directory = folder_});
    return {done.exit_code, done.output};
  }

  std::string folder_;
  std::vector<std::string> environment_;
};

} // namespace switchboard::test
