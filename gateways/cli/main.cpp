#include "gateways/cli/cli.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <filesystem>
#include <iostream>
#include <map>

namespace switchboard::cli {

namespace {

/// The body of the subcommand that was chosen. (CLI11's own callbacks run while
/// parsing and cannot return a code.)
std::map<const CLI::App*, action>& actions() {
  static std::map<const CLI::App*, action> all;
  return all;
}

const CLI::App* chosen(const CLI::App* from) {
  const auto below = from->get_subcommands();
  return below.empty() ? from : chosen(below.front());
}

/// Where the parser stood when it did not understand a word.
const CLI::App* reached(const CLI::App& from, int argc, char** argv) {
  const auto* at = &from;
  for (int i = 1; i < argc; ++i)
    for (const auto* next : at->get_subcommands({}))
      if (next->get_name() == argv[i]) {
        at = next;
        break;
      }
  return at;
}

/// "did you mean": the nearest subcommand or flag.
std::string suggestion(const CLI::App& from, int argc, char** argv) {
  const auto* at = reached(from, argc, argv);
  std::vector<std::string> known;
  for (const auto* x : at->get_subcommands({}))
    known.push_back(x->get_name());
  for (const auto* x : at->get_options({}))
    for (const auto& name : x->get_lnames())
      known.push_back("--" + name);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (std::find(known.begin(), known.end(), word) != known.end()
        || word.size() < 3)
      continue;
    if (const auto near = nearest(word, known); !near.empty() && near != word)
      return "Did you mean '" + near + "'?\n";
  }
  return "";
}

int run(int argc, char** argv) {
  CLI::App app{"Switchboard routes customers' messages to human agents.",
               "switchboard"};
  context c;
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--config", c.file, "Settings file (TOML)");
  app.add_option("--set", c.flags, "Overrides a setting: --set nats.url=…");
  app.add_flag("--json", c.json, "Print data as JSON");
  app.footer(
    "Examples:\n"
    "  switchboard dev                      everything on this machine\n"
    "  switchboard send --user u1 \"hello\"   write as a customer\n"
    "  switchboard explain SESSION          why this agent?\n");
  add_serve(app, c);
  add_messages(app, c);
  add_directory(app, c);
  add_queues(app, c);
  add_customers(app, c);
  add_care(app, c);
  add_cluster(app, c);
  add_bench(app, c);
  add_routing(app, c);
  add_simulate(app, c);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0)
      return app.exit(e);
    std::cerr << "switchboard: " << e.what() << '\n'
              << suggestion(app, argc, argv)
              << "Run with --help for more information.\n";
    return usage;
  }
  const auto at = actions().find(chosen(&app));
  if (at == actions().end()) {
    std::cerr << chosen(&app)->help();
    return usage;
  }
  return at->second();
}

} // namespace

namespace {

/// "  switchboard db status": how to call what has no example of its own.
std::string plain_example(const CLI::App* x) {
  std::string path;
  for (; x->get_parent() != nullptr; x = x->get_parent())
    path = ' ' + x->get_name() + path;
  return "  switchboard" + path + '\n';
}

} // namespace

CLI::App* add(CLI::App& to, const std::string& name, const std::string& help,
              const std::string& examples, action body) {
  auto* made = to.add_subcommand(name, help);
  const std::string title = "Examples:\n";
  if (body) {
    actions()[made] = std::move(body);
    made->footer(title + (examples.empty() ? plain_example(made) : examples));
    return made;
  }
  made->require_subcommand(1);
  // A group shows the examples of what is in it.
  made->footer([made, title] {
    auto all = title;
    for (const auto* x : made->get_subcommands({}))
      all += x->get_footer().substr(title.size());
    return all;
  });
  made->footer(std::string{});
  return made;
}

} // namespace switchboard::cli

int main(int argc, char** argv) {
  // Messages go to stderr; stdout is for data.
  spdlog::set_default_logger(spdlog::stderr_color_mt("switchboard"));
  try {
    return switchboard::cli::run(argc, argv);
  } catch (const switchboard::cli::failure& e) {
    std::cerr << "switchboard: " << e.text << '\n';
    return e.code;
  } catch (const std::exception& e) {
    std::cerr << "switchboard: " << e.what() << '\n';
    return switchboard::cli::failed;
  }
}
