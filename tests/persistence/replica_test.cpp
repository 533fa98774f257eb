// A real standby that follows a real primary, and how far it is behind.
#include "persistence/postgres/postgres_store.hpp"
#include "tests/support/house.hpp"
#include "tests/support/servers.hpp"
#include "tests/support/sql.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

using namespace switchboard;
using namespace std::chrono_literals;
using test::becomes;

namespace {

namespace fs = std::filesystem;

/// A copy of the primary's folder, served on a port of its own.
class standby {
public:
  explicit standby(const local_postgres& of) : port_(free_port()) {
    const std::string user = geteuid() == 0 ? "postgres" : "";
    const auto copy = folder_.path() + "/copy";
    // Who runs the server must own its folder.
    fs::permissions(folder_.path(), fs::perms::all);
    const auto copied =
      run_process({.command = {"pg_basebackup", "-d", of.conninfo(), "-D", copy,
                               "-R", "-X", "stream", "-c", "fast"},
                   .directory = "/",
                   .user = user});
    INFO(copied.output);
    REQUIRE(copied.exit_code == 0);
    std::string program;
    for (const auto& x : fs::directory_iterator{"/usr/lib/postgresql"})
      program = std::max(program, (x.path() / "bin" / "postgres").string());
    const auto told = of.conninfo("postgres");
    conninfo_ = told;
    const auto colon = conninfo_.rfind(':');
    conninfo_.replace(colon + 1, conninfo_.rfind('/') - colon - 1,
                      std::to_string(port_));
    server_.emplace(child_process::options{
      .command = {program, "-D", copy, "-c", "port=" + std::to_string(port_),
                  "-c", "listen_addresses=127.0.0.1", "-c",
                  "unix_socket_directories=" + folder_.path(), "-c",
                  "max_connections=60"},
      .directory = "/",
      .log = folder_.path() + "/log",
      .user = user});
    REQUIRE(becomes([&] {
      try {
        session_ = std::make_unique<test::sql_session>(conninfo_, "standby");
        return true;
      } catch (const std::exception&) {
        return false;
      }
    }));
  }

  ~standby() {
    session_.reset();
    server_->stop(SIGINT, 10s);
  }

  standby(const standby&) = delete;
  standby& operator=(const standby&) = delete;

  test::sql_session& sql() { return *session_; }

private:
  test::scratch_folder folder_;
  std::uint16_t port_;
  std::string conninfo_;
  std::optional<child_process> server_;
  std::unique_ptr<test::sql_session> session_;
};

} // namespace

TEST_CASE("it is known how far the standby is behind", "[replica]") {
  const test::fresh_database database;
  const auto to = make_postgres_store(database.conninfo(), "test");
  const auto seen = [&] {
    const auto x = to->replicas();
    REQUIRE(x.has_value());
    return *x;
  };
  CHECK(seen().standbys == 0);
  CHECK(seen().lag_bytes == 0);
  standby copy{test::shared_postgres()};
  REQUIRE(becomes([&] { return seen().standbys == 1; }));
  const auto write = [&](const std::string& name) {
    REQUIRE(to->put_queue({{"q"}, name, {}}).has_value());
  };
  write("a");
  CHECK(becomes([&] { return seen().lag_bytes == 0; }));
  copy.sql().run("SELECT pg_wal_replay_pause()");
  write("b");
  CHECK(becomes([&] { return seen().lag_bytes > 0; }));
  copy.sql().run("SELECT pg_wal_replay_resume()");
  CHECK(becomes([&] { return seen().lag_bytes == 0; }));
}
