#include "tests/cluster/site.hpp"

#include "actors/domain/membership.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace switchboard::faults {

namespace fs = std::filesystem;

namespace {

using std::chrono::steady_clock;

std::string make_folder() {
  const auto path =
    fs::temp_directory_path() / ("switchboard-" + random_secret(6));
  fs::create_directories(path);
  // PostgreSQL runs as another user when we are root, and must get through.
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_exec
                          | fs::perms::others_exec);
  return path.string();
}

std::string migrated(const std::string& conninfo) {
  if (const auto done = migrate(conninfo); !done)
    throw std::runtime_error(done.error().detail);
  return conninfo;
}

} // namespace

site::site(std::string program)
  : program_(std::move(program)),
    folder_(make_folder()),
    secret_(random_secret(32)),
    nats_(folder_, nats_servers),
    postgres_({.folder = folder_ + "/postgres"}),
    ask_(migrated(postgres_.conninfo())),
    nodes_(nodes_max) {
  for (auto& x : nodes_) {
    x.port = free_port();
    x.postgres = std::make_unique<tcp_link>(postgres_.port());
    for (int i = 0; i < nats_servers; ++i)
      x.nats.push_back(std::make_unique<tcp_link>(nats_.at(i).port()));
  }
}

site::~site() {
  for (auto& x : nodes_)
    if (x.process) {
      x.process->signal(SIGCONT);
      x.process->signal(SIGKILL); // Nothing of it is needed any more.
      x.process->wait(std::chrono::seconds{10});
    }
  nodes_.clear();
  for (int i = 0; i < nats_.count(); ++i)
    nats_.at(i).kill();
  postgres_.signal(SIGCONT);
  postgres_.stop();
  if (kept_)
    return;
  std::error_code ignored;
  // Where PostgreSQL's user may not enter, its data is behind a link.
  if (const auto data = fs::canonical(folder_ + "/postgres", ignored); !ignored)
    fs::remove_all(data, ignored);
  fs::remove_all(folder_, ignored);
}

std::string site::keep() {
  kept_ = true;
  return folder_;
}

std::string site::name(int node) {
  return "n" + std::to_string(node);
}

std::string site::conninfo_through(const tcp_link& by) const {
  auto to = postgres_.conninfo();
  const auto own = ':' + std::to_string(postgres_.port()) + '/';
  return to.replace(to.find(own), own.size(),
                    ':' + std::to_string(by.port()) + '/');
}

void site::start(int node) {
  auto& x = at(node);
  x.told_to_end = false;
  std::string urls;
  for (const auto& one : x.nats)
    urls += (urls.empty() ? "" : ",")
            + ("nats://127.0.0.1:" + std::to_string(one->port()));
  // Secrets go through the environment: the command line is for all to see.
  x.process.emplace(child_process::options{
    .command = {program_, "serve"},
    .environment = {"SWITCHBOARD_NODE_NAME=" + name(node),
                    "SWITCHBOARD_NATS_URL=" + urls,
                    "SWITCHBOARD_NATS_USER=" + nats_.user(),
                    "SWITCHBOARD_NATS_PASSWORD=" + nats_.password(),
                    "SWITCHBOARD_NATS_STREAM_REPLICAS="
                      + std::to_string(nats_servers),
                    "SWITCHBOARD_POSTGRES_URL=" + conninfo_through(*x.postgres),
                    "SWITCHBOARD_AUTH_SECRET=" + secret_,
                    // Not 30: agents whose node lost its database are not told,
                    // and their conversations wait for so long.
                    "SWITCHBOARD_AGENTS_GRACE_S=5",
                    "SWITCHBOARD_HTTP_PORT=" + std::to_string(x.port)},
    .directory = folder_,
    .log = folder_ + '/' + name(node) + ".log"});
}

void site::kill(int node) {
  auto& x = at(node).process;
  x->signal(SIGKILL);
  x->wait(std::chrono::seconds{10});
  x.reset();
}

void site::signal(int node, int number) {
  if (!at(node).process)
    return;
  at(node).told_to_end = at(node).told_to_end || number == SIGTERM;
  at(node).process->signal(number);
}

std::optional<int> site::wait(int node, std::chrono::milliseconds patience) {
  auto& x = at(node).process;
  const auto code = x->wait(patience);
  if (code)
    x.reset();
  return code;
}

bool site::runs(int node) {
  return at(node).process && at(node).process->alive();
}

int site::pid(int node) const {
  return at(node).process ? at(node).process->pid() : -1;
}

std::uint16_t site::http_port(int node) const {
  return at(node).port;
}

std::vector<std::uint16_t> site::http_ports() const {
  std::vector<std::uint16_t> all;
  for (const auto& x : nodes_)
    all.push_back(x.port);
  return all;
}

int site::ended_by_itself() {
  for (int i = 0; i < nodes_max; ++i)
    if (at(i).process && !at(i).told_to_end && !at(i).process->alive())
      return i;
  return -1;
}

bool site::wait_balanced(std::chrono::milliseconds patience) {
  std::vector<node_id> running;
  for (int i = 0; i < nodes_max; ++i)
    if (at(i).process)
      running.push_back({name(i)});
  const auto best = [&](slot_number k) {
    return std::max_element(running.begin(), running.end(),
                            [&](const auto& a, const auto& b) {
                              return membership::weight(a, k)
                                     < membership::weight(b, k);
                            })
      ->text;
  };
  const auto until = steady_clock::now() + patience;
  while (steady_clock::now() < until) {
    const auto slots =
      ask_.try_ask("SELECT slot, coalesce(owner, '') FROM slot");
    if (slots && std::all_of(slots->begin(), slots->end(), [&](const auto& x) {
          return x[1] == best(static_cast<slot_number>(std::stoi(x[0])));
        }))
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return false;
}

tcp_link& site::to_postgres(int node) {
  return *at(node).postgres;
}

std::vector<tcp_link*> site::to_nats(int node) {
  std::vector<tcp_link*> all;
  for (const auto& x : at(node).nats)
    all.push_back(x.get());
  return all;
}

std::unique_ptr<bus> site::connect(const std::string& name) const {
  auto made = connect_nats(nats_.options(name));
  if (!made)
    throw std::runtime_error("NATS: " + made.error().detail);
  return std::move(*made);
}

std::string site::logs(int lines) const {
  std::string all;
  for (int i = 0; i < nodes_max; ++i) {
    const auto file = folder_ + '/' + name(i) + ".log";
    if (fs::exists(file))
      all +=
        "--- the end of " + name(i) + ".log\n"
        + run_process({.command = {"tail", "-n", std::to_string(lines), file}})
            .output;
  }
  return all;
}

} // namespace switchboard::faults
