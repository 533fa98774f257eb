#include "tests/support/servers.hpp"

#include "persistence/postgres/postgres_store.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace switchboard::test {

namespace fs = std::filesystem;

namespace {

/// Throws with the server's words: a test cannot go on without a server.
template <class T>
void must(const result<T>& x) {
  if (!x)
    throw std::runtime_error(x.error().detail);
}

std::string admin(const std::string& sql) {
  const auto to = shared_postgres().conninfo("postgres");
  const auto done = run_process({.command = {"psql", to, "-qtAc", sql}});
  if (done.exit_code != 0)
    throw std::runtime_error("psql: " + done.output);
  return done.output;
}

} // namespace

scratch_folder::scratch_folder() {
  path_ =
    (fs::temp_directory_path() / ("switchboard-" + random_secret(6))).string();
  fs::create_directories(path_);
  fs::permissions(path_, fs::perms::owner_all | fs::perms::group_exec
                           | fs::perms::others_exec);
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

local_postgres& shared_postgres() {
  static scratch_folder folder;
  static local_postgres server{{.folder = folder.path() + "/postgres"}};
  return server;
}

fresh_database::fresh_database() {
  static std::atomic<int> made{0};
  // Copying a migrated database takes a tenth of migrating an empty one.
  static const bool ready = [] {
    admin("CREATE DATABASE migrated");
    must(migrate(shared_postgres().conninfo("migrated")));
    return true;
  }();
  static_cast<void>(ready);
  name_ = "test_" + std::to_string(++made);
  admin("CREATE DATABASE " + name_ + " TEMPLATE migrated");
}

fresh_database::~fresh_database() {
  admin("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
}

std::string fresh_database::conninfo() const {
  return shared_postgres().conninfo(name_);
}

private_servers::private_servers()
  : nats(folder.path() + "/nats"),
    postgres({.folder = folder.path() + "/postgres"}) {
  must(migrate(postgres.conninfo()));
}

node::options private_servers::options(const std::string& name) const {
  return {.name = {name},
          .postgres_url = postgres.conninfo(),
          .nats = nats.options(name)};
}

} // namespace switchboard::test
