#include "persistence/postgres/local_postgres.hpp"

#include <spdlog/spdlog.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <thread>

namespace switchboard {

namespace fs = std::filesystem;

namespace {

constexpr auto start_time_max = std::chrono::seconds{60};

/// The newest version's programs, where Debian puts them.
std::string find_programs() {
  std::string best;
  int version = 0;
  const fs::path home{"/usr/lib/postgresql"};
  if (fs::exists(home))
    for (const auto& x : fs::directory_iterator{home}) {
      const auto number = std::atoi(x.path().filename().c_str());
      if (number > version && fs::exists(x.path() / "bin" / "initdb")) {
        version = number;
        best = (x.path() / "bin").string();
      }
    }
  if (best.empty())
    throw std::runtime_error(
      "PostgreSQL's server is not installed (Debian: apt install postgresql)");
  return best;
}

std::string read_line(const fs::path& file) {
  std::ifstream from{file};
  std::string line;
  std::getline(from, line);
  return line;
}

/// The last thing a server said, and where it said the rest.
std::string last_line(const fs::path& log) {
  std::ifstream from{log};
  std::string last;
  for (std::string line; std::getline(from, line);)
    if (!line.empty())
      last = line;
  return last + " (" + log.string() + ")";
}

/// Writes a file that only its owner may read.
void write_secret(const fs::path& file, const std::string& text) {
  std::ofstream{file} << text << '\n';
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

/// May this user, who is in no group that counts, pass through all parents?
bool can_enter(const passwd& who, const fs::path& folder) {
  for (auto at = folder; at.has_relative_path(); at = at.parent_path()) {
    struct stat found {};
    if (::stat(at.c_str(), &found) != 0)
      continue; // It is still to be made.
    const auto bit = found.st_uid == who.pw_uid ? S_IXUSR : S_IXOTH;
    if ((found.st_mode & bit) == 0)
      return false;
  }
  return true;
}

/// Root's own folders are often closed to everybody else, the user postgres
/// included: then the data lives in /var/lib/switchboard, and a link leads
/// there.
fs::path place_for(const passwd& who, const fs::path& wanted) {
  if (fs::is_symlink(wanted)) {
    // What a server removed by hand left behind must not be in the way.
    fs::create_directories(fs::read_symlink(wanted));
    return fs::canonical(wanted);
  }
  if (fs::exists(wanted / "data") || can_enter(who, wanted.parent_path()))
    return wanted;
  auto name = wanted.string();
  std::replace(name.begin(), name.end(), '/', '-');
  const auto place = fs::path{"/var/lib/switchboard"} / name.substr(1);
  fs::create_directories(place);
  fs::remove_all(wanted);
  fs::create_directories(wanted.parent_path());
  fs::create_directory_symlink(place, wanted);
  spdlog::info("PostgreSQL's data is in {}, because the user {} may not enter "
               "{}",
               place.string(), who.pw_name, wanted.parent_path().string());
  return place;
}

} // namespace

local_postgres::local_postgres(options how)
  : how_(std::move(how)), programs_(find_programs()) {
  how_.folder = fs::absolute(how_.folder).string();
  // PostgreSQL refuses to run as root.
  user_ = geteuid() == 0 ? "postgres" : "";
  if (user_.empty()) {
    fs::create_directories(how_.folder);
  } else {
    const auto* who = getpwnam(user_.c_str());
    if (!who)
      throw std::runtime_error("there is no user 'postgres' on this machine; "
                               "install the package postgresql");
    how_.folder = place_for(*who, how_.folder).string();
    fs::create_directories(how_.folder);
    if (chown(how_.folder.c_str(), who->pw_uid, who->pw_gid) != 0)
      throw std::runtime_error("cannot give " + how_.folder
                               + " to the user postgres");
  }
  if (!fs::exists(fs::path{how_.folder} / "data" / "PG_VERSION"))
    make_cluster();
  password_ = read_line(fs::path{how_.folder} / "password");
  const auto port_file = fs::path{how_.folder} / "port";
  if (how_.port == 0 && fs::exists(port_file))
    how_.port = static_cast<std::uint16_t>(std::stoi(read_line(port_file)));
  start();
}

local_postgres::~local_postgres() {
  stop();
}

void local_postgres::make_cluster() {
  const fs::path folder{how_.folder};
  fs::remove_all(folder / "data"); // Of a try that was cut short.
  const auto password = folder / "password";
  write_secret(password, random_secret(16));
  if (!user_.empty()) {
    const auto* who = getpwnam(user_.c_str());
    if (chown(password.c_str(), who->pw_uid, who->pw_gid) != 0)
      throw std::runtime_error("cannot give " + password.string()
                               + " to the user postgres");
  }
  const auto made =
    run_process({.command = {programs_ + "/initdb", "--pgdata", folder / "data",
                             "--username", "switchboard", "--pwfile", password,
                             "--auth", "scram-sha-256", "--encoding", "UTF8",
                             "--locale", "C.UTF-8", "--no-instructions"},
                 .directory = how_.folder,
                 .user = user_});
  if (made.exit_code != 0)
    throw std::runtime_error("initdb failed in " + how_.folder
                             + " (may the user postgres enter it?):\n"
                             + made.output);
}

void local_postgres::start() {
  const fs::path folder{how_.folder};
  // Left behind by a server that was killed; it would only be believed if the
  // process number were in use again.
  fs::remove(folder / "data" / "postmaster.pid");
  const auto again = how_.port != 0;
  for (int attempt = 0;; ++attempt) {
    if (how_.port == 0)
      how_.port = free_port();
    std::vector<std::string> command{programs_ + "/postgres", "-D",
                                     folder / "data"};
    for (const auto& setting :
         {std::string("listen_addresses=127.0.0.1"),
          "port=" + std::to_string(how_.port),
          "unix_socket_directories=" + how_.folder, std::string("fsync=on"),
          std::string("synchronous_commit=on"),
          std::string("shared_buffers=256MB"), std::string("max_wal_size=4GB"),
          std::string("min_wal_size=1GB"), std::string("wal_compression=lz4"),
          std::string("max_connections=60"),
          std::string("checkpoint_timeout=15min"),
          std::string("wal_buffers=16MB"),
          std::string("autovacuum_naptime=10s"),
          std::string("logging_collector=off")}) {
      command.emplace_back("-c");
      command.push_back(setting);
    }
    server_.emplace(child_process::options{.command = command,
                                           .directory = how_.folder,
                                           .log = folder / "postgres.log",
                                           .user = user_});
    try {
      wait_until_ready();
      break;
    } catch (const std::runtime_error&) {
      // After a kill the children of the old server take a moment to notice; on
      // a first start somebody may have taken the port meanwhile.
      if (attempt == (again ? 100 : 3) || server_->alive())
        throw;
      if (!again)
        how_.port = 0;
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
  }
  std::ofstream{folder / "port"} << how_.port << '\n';
}

void local_postgres::wait_until_ready() {
  const auto until = std::chrono::steady_clock::now() + start_time_max;
  const auto maintenance = conninfo("postgres");
  while (std::chrono::steady_clock::now() < until) {
    if (!server_->alive())
      throw std::runtime_error("PostgreSQL ended at once: "
                               + last_line(how_.folder + "/postgres.log"));
    auto* to = PQconnectdb(maintenance.c_str());
    const auto ready = PQstatus(to) == CONNECTION_OK;
    if (ready)
      // Fails, and that is as well, when it is there already.
      PQclear(PQexec(to, ("CREATE DATABASE " + how_.database).c_str()));
    PQfinish(to);
    if (ready)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  throw std::runtime_error("PostgreSQL does not answer: "
                           + last_line(how_.folder + "/postgres.log"));
}

std::string local_postgres::conninfo(const std::string& database) const {
  return "postgresql://switchboard:" + password_
         + "@127.0.0.1:" + std::to_string(how_.port) + '/' + database;
}

int local_postgres::pid() const {
  return server_ ? server_->pid() : -1;
}

bool local_postgres::alive() {
  return server_ && server_->alive();
}

void local_postgres::kill() {
  if (!server_)
    return;
  server_->signal(SIGKILL);
  server_->wait(std::chrono::seconds{10});
  server_.reset();
}

void local_postgres::signal(int number) {
  if (!server_ || !server_->alive())
    return;
  const auto children = [id = std::to_string(server_->pid())] {
    std::set<int> all;
    std::ifstream from{"/proc/" + id + "/task/" + id + "/children"};
    for (int child = 0; from >> child;)
      all.insert(child);
    return all;
  };
  // Asked before, as who has been killed has no children any more; and after,
  // as the first process makes the others until it hears.
  auto all = children();
  server_->signal(number);
  all.merge(children());
  for (const auto child : all)
    ::kill(child, number);
}

void local_postgres::stop() {
  if (!server_)
    return;
  // SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes all out.
  server_->stop(SIGINT, std::chrono::seconds{30});
  server_.reset();
}

} // namespace switchboard
