#pragma once

#include "actors/domain/result.hpp"
#include "bus/bus.hpp"
#include "bus/nats/nats_bus.hpp"
#include "config/settings.hpp"
#include "gateways/auth/token.hpp"
#include "persistence/store.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The command line: one file for each group of commands, each of which adds
/// its subcommands to the program. Data goes to stdout, messages go to stderr.
namespace switchboard::cli {

/// Exit codes, after sysexits.h where it has one.
enum exit_code : int {
  ok = 0,
  failed = 1,
  usage = 2,
  dependency_down = 69,
  bad_configuration = 78,
};

/// What a command throws to end with a message and a code.
struct failure {
  int code = failed;
  std::string text;
};

/// What every command can be told, and how it reaches the outside.
struct context {
  std::string file;               ///< -c
  std::vector<std::string> flags; ///< --set name=value
  bool json = false;

  /// The settings from all sources. Without -c: ./.switchboard/dev.toml if a
  /// `switchboard dev` runs here, else /etc/switchboard/switchboard.toml.
  /// @throws failure (bad_configuration)
  [[nodiscard]] settings load() const;

  /// @throws failure (dependency_down), saying what could not be reached
  [[nodiscard]] std::unique_ptr<store> open_store() const;
  [[nodiscard]] std::unique_ptr<bus> open_bus() const;
};

/// The value, or a failure that fits the error.
template <class T>
T must(result<T> x) {
  if (x)
    return std::move(*x);
  throw failure{x.error().code == errc::unavailable ? dependency_down : failed,
                x.error().detail};
}
inline void must(const result<void>& x) {
  if (!x)
    throw failure{x.error().code == errc::unavailable ? dependency_down
                                                      : failed,
                  x.error().detail};
}

/// A command's body runs after parsing; it returns the exit code.
using action = std::function<int()>;

/// Adds a subcommand whose body is `run`.
CLI::App* add(CLI::App& to, const std::string& name, const std::string& help,
              const std::string& examples, action run);

[[nodiscard]] nats_options nats_of(const settings& s, const std::string& name);
[[nodiscard]] token_options tokens_of(const settings& s);

// -- the groups ---------------------------------------------------------------

void add_serve(CLI::App& to, context& c);     ///< serve, dev
void add_messages(CLI::App& to, context& c);  ///< send, watch
void add_directory(CLI::App& to, context& c); ///< agent, session, token
void add_queues(CLI::App& to, context& c);    ///< queue
void add_customers(CLI::App& to, context& c); ///< customer
void add_care(CLI::App& to, context& c);      ///< db, config, doctor, health,
                                              ///< verify, explain, version
void add_routing(CLI::App& to, context& c);   ///< policy, replay
void add_cluster(CLI::App& to, context& c);   ///< node, top
void add_bench(CLI::App& to, context& c);
void add_simulate(CLI::App& to, context& c);

// -- output -------------------------------------------------------------------

/// A table with aligned columns, or, with `json`, an array of objects.
void print_table(bool json, const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows);

} // namespace switchboard::cli
