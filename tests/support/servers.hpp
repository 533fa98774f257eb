#pragma once

#include "actors/node.hpp"
#include "bus/nats/local_nats.hpp"
#include "persistence/postgres/local_postgres.hpp"

#include <memory>
#include <string>

namespace switchboard::test {

/// A folder under /tmp that is gone when its owner is; the user postgres may
/// enter it.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// The PostgreSQL server of this test process: started by the first who asks,
/// ended with the process.
local_postgres& shared_postgres();

/// A database of its own in the shared server, migrated and empty; dropped at
/// the end.
class fresh_database {
public:
  fresh_database();
  ~fresh_database();
  fresh_database(const fresh_database&) = delete;
  fresh_database& operator=(const fresh_database&) = delete;

  [[nodiscard]] std::string conninfo() const;

private:
  std::string name_;
};

/// Servers of its own, which a test may kill, and a database in them.
struct private_servers {
  private_servers();

  scratch_folder folder;
  local_nats nats;
  local_postgres postgres;

  /// What a node needs to run on these.
  [[nodiscard]] node::options options(const std::string& name = "n1") const;
};

} // namespace switchboard::test
