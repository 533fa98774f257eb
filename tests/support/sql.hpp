#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace switchboard::test {

/// A connection of the test's own: to look into the database, to break it on
/// purpose, and to stand in somebody's way. What fails is thrown with the
/// server's words: a test cannot go on without it.
/// Thread safety: none.
class sql_session {
public:
  /// @param name as pg_stat_activity shows it
  explicit sql_session(const std::string& conninfo,
                       const std::string& name = "test");
  ~sql_session();
  sql_session(const sql_session&) = delete;
  sql_session& operator=(const sql_session&) = delete;

  void run(const std::string& sql);

  /// Several statements in one transaction.
  void script(const std::string& sql);

  /// The first cell; empty where there is no row.
  std::string text(const std::string& sql);
  std::int64_t number(const std::string& sql);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// True while the connection of this name waits for a lock.
bool is_blocked(sql_session& look, const std::string& name);

} // namespace switchboard::test
