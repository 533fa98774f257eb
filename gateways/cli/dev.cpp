// `serve` and `dev`: one node, with servers of others or with private ones.
#include "bus/nats/local_nats.hpp"
#include "config/child_process.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/cli/demo.hpp"
#include "gateways/cli/serve.hpp"
#include "persistence/postgres/local_postgres.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <spdlog/spdlog.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

namespace switchboard::cli {

namespace fs = std::filesystem;

namespace {

struct dev_options {
  std::string folder = ".switchboard";
  int port = 8080;
  bool demo = false;
  double rate = 20;
  int nodes = 1;
};

/// Several nodes, each a process of its own, so that one can be killed. What
/// ends is started again after a while: long enough to see the others take
/// over.
class dev_nodes {
public:
  dev_nodes(fs::path folder, settings s, int count)
    : folder_(std::move(folder)),
      settings_(std::move(s)),
      all_(static_cast<std::size_t>(count)) {
    fs::create_directories(folder_ / "nodes");
    for (std::size_t i = 0; i < all_.size(); ++i)
      start(i);
  }

  void tend() {
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < all_.size(); ++i) {
      auto& x = all_[i];
      if (x.process && !x.process->alive()) {
        spdlog::warn("node {} has ended; it is started again soon", name(i));
        x.process.reset();
        x.again_at = now + std::chrono::seconds{5};
      } else if (!x.process && now >= x.again_at) {
        start(i);
      }
    }
  }

private:
  struct one {
    std::optional<child_process> process;
    std::chrono::steady_clock::time_point again_at{};
  };

  static std::string name(std::size_t i) { return "n" + std::to_string(i + 1); }

  void start(std::size_t i) {
    const auto port = settings_.http.port == 0
                        ? 0
                        : settings_.http.port + static_cast<std::int64_t>(i);
    // Secrets stay in the settings file, which only its owner can read.
    all_[i].process.emplace(child_process::options{
      .command = {fs::read_symlink("/proc/self/exe").string(), "serve", "-c",
                  (folder_ / "dev.toml").string()},
      .environment = {"SWITCHBOARD_NODE_NAME=" + name(i),
                      "SWITCHBOARD_HTTP_PORT=" + std::to_string(port)},
      .log = (folder_ / "nodes" / (name(i) + ".log")).string()});
    std::ofstream{folder_ / "nodes" / (name(i) + ".pid")}
      << all_[i].process->pid() << '\n';
  }

  fs::path folder_;
  settings settings_;
  std::vector<one> all_;
};

/// One `dev` at a time in a folder; the lock goes with the process.
void lock(const fs::path& folder) {
  const auto path = folder / "lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0)
    throw failure{failed, "switchboard dev runs already in " + folder.string()
                            + "; stop it, or name another folder with --data"};
}

/// The secret of tokens, made once and kept.
std::string kept_secret(const fs::path& file) {
  std::string text;
  if (std::ifstream from{file}; std::getline(from, text))
    return text;
  text = random_secret(32);
  std::ofstream{file} << text << '\n';
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  return text;
}

/// So that `switchboard send …` in another terminal finds this one.
void write_settings(const fs::path& file, const settings& s) {
  std::ofstream to{file, std::ios::trunc};
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  to << "# Written by `switchboard dev`; made anew at each start.\n"
     << "[node]\nname = \"" << s.node.name << "\"\n"
     << "[nats]\nurl = \"" << s.nats.url << "\"\nuser = \"" << s.nats.user
     << "\"\npassword = \"" << s.nats.password << "\"\n"
     << "[postgres]\nurl = \"" << s.postgres.url << "\"\n"
     << "[http]\nport = " << s.http.port << "\n"
     << "[auth]\nsecret = \"" << s.auth.secret << "\"\n";
}

/// Somebody to talk to, on the first start.
void add_first_agents(store& to) {
  if (!must(to.agents()).empty())
    return;
  must(to.put_queue({{"after-sale"}, "After-sale service", {}}));
  must(to.put_queue({{"tech"}, "Technical support", {}}));
  must(to.put_agent({"li"}, {.display_name = "Li Na",
                             .languages = {{"zh", 5}, {"en", 3}},
                             .skills = {{"refund", 4}},
                             .capacity = 4000}));
  must(to.put_agent({"ann"}, {.display_name = "Ann",
                              .languages = {{"en", 5}},
                              .skills = {{"tech", 5}},
                              .capacity = 4000}));
  must(to.put_agent({"bob"}, {.display_name = "Bob",
                              .languages = {{"en", 5}, {"zh", 2}},
                              .skills = {{"refund", 2}, {"tech", 3}},
                              .capacity = 4000}));
}

void welcome(const settings& s) {
  const auto token =
    must(create_token(tokens_of(s), {.subject = "li"},
                      std::chrono::time_point_cast<duration>(clock::now())));
  const auto desk = "http://127.0.0.1:" + std::to_string(s.http.port) + '/';
  std::cerr << "\n  Switchboard runs: NATS at " << s.nats.url
            << ", everything kept in .switchboard/\n\n"
            << "  Write as a customer (another terminal, this folder):\n"
            << "      switchboard send --user u1 \"hello\"\n"
            << "  or with any NATS client (user and password are in "
               ".switchboard/dev.toml):\n"
            << "      nats req sb.v1.post.web.u1 '{\"text\":\"hello\"}'\n\n"
            << "  Answer as agent li: open " << desk << " and sign in with\n"
            << "      " << token << "\n\n"
            << "  See replies and events:  switchboard watch\n"
            << "  Why this agent?          switchboard explain SESSION\n"
            << "  Is everything there?     switchboard verify\n\n"
            << "  Ctrl-C stops it all.\n\n";
}

template <class Server>
void restart_if_ended(const char* name, Server& x) {
  if (x.alive())
    return;
  spdlog::warn("{} has ended; it is started again", name);
  x.start();
}

int dev(const dev_options& how) {
  fs::create_directories(how.folder);
  const auto folder = fs::absolute(how.folder);
  // The user postgres must be able to pass through, and nobody else to look.
  fs::permissions(folder, fs::perms::owner_all | fs::perms::group_exec
                            | fs::perms::others_exec);
  lock(folder);
  catch_signals();
  settings s;
  s.node.name = "dev";
  set_up_log(s);
  std::cerr << "starting PostgreSQL … " << std::flush;
  local_postgres database{{.folder = folder / "postgres"}};
  std::cerr << "NATS … " << std::flush;
  local_nats wire{folder / "nats"};
  std::cerr << "schema … " << std::flush;
  must(migrate(database.conninfo()));
  s.postgres.url = database.conninfo();
  s.nats.url = wire.url();
  s.nats.user = wire.user();
  s.nats.password = wire.password();
  s.auth.secret = kept_secret(folder / "token-secret");
  s.http.port = how.port;
  add_first_agents(*make_postgres_store(s.postgres.url, "switchboard/dev"));
  std::unique_ptr<demo> traffic;
  if (how.nodes > 1) {
    std::cerr << how.nodes << " nodes …\n";
    write_settings(folder / "dev.toml", s);
    dev_nodes all{folder, s, how.nodes};
    welcome(s);
    std::cerr << "  Nodes n1 to n" << how.nodes << ", HTTP on ports "
              << s.http.port << " and up. See them: switchboard top\n"
              << "  Kill one and watch: switchboard node kill n2\n\n";
    if (how.demo)
      traffic = std::make_unique<demo>(s, how.rate);
    while (!stop_asked()) {
      restart_if_ended("PostgreSQL", database);
      restart_if_ended("nats-server", wire);
      all.tend();
      if (traffic)
        traffic->show();
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    return ok;
  }
  std::cerr << "node …\n";
  return run_node(
    s,
    [&](int port) {
      s.http.port = port;
      write_settings(folder / "dev.toml", s);
      welcome(s);
      if (how.demo)
        traffic = std::make_unique<demo>(s, how.rate);
    },
    [&] {
      // Whoever kills a part to see what happens should see it come back.
      restart_if_ended("PostgreSQL", database);
      restart_if_ended("nats-server", wire);
      if (traffic)
        traffic->show();
      return true;
    });
}

/// On a cluster that runs: its HTTP on this machine, NATS and PostgreSQL as
/// set.
int run_demo(const settings& s, double rate) {
  catch_signals();
  add_first_agents(*make_postgres_store(s.postgres.url, "switchboard/demo"));
  demo traffic{s, rate};
  while (!stop_asked()) {
    traffic.show();
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return ok;
}

} // namespace

void add_serve(CLI::App& to, context& c) {
  add(to, "serve", "Runs one node",
      "  switchboard serve -c /etc/switchboard/switchboard.toml\n", [&c] {
        const auto s = c.load();
        set_up_log(s);
        catch_signals();
        return run_node(s, [&](int port) {
          std::cerr << "switchboard: listening on port " << port << '\n';
        });
      });
  static double demo_rate = 20;
  add(to, "demo", "Simulated customers and agents, on a cluster that runs",
      "  switchboard demo -c switchboard.toml --rate 50\n",
      [&c] { return run_demo(c.load(), demo_rate); })
    ->add_option("--rate", demo_rate, "Customer messages a second")
    ->capture_default_str();
  static dev_options how;
  auto* made =
    add(to, "dev",
        "Runs everything on this machine: private NATS and PostgreSQL, a node",
        "  switchboard dev\n  switchboard dev --demo --rate 200\n",
        [] { return dev(how); });
  made->add_option("--data", how.folder, "Folder that keeps everything")
    ->capture_default_str();
  made->add_option("--port", how.port, "Port of HTTP and WebSocket; 0: any")
    ->capture_default_str();
  made
    ->add_option("--nodes", how.nodes,
                 "Nodes, each a process of its own on the next port")
    ->check(CLI::Range(1, 9))
    ->capture_default_str();
  made->add_flag("--demo", how.demo, "Simulated customers and agents");
  made->add_option("--rate", how.rate, "Customer messages a second of --demo")
    ->capture_default_str();
}

} // namespace switchboard::cli
