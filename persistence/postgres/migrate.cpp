#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/migrations.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <algorithm>

namespace switchboard {

namespace {

using postgres::connection;

result<migration_state> migrations_of(connection& to) {
  migration_state m;
  const auto there =
    to.run("SELECT to_regclass('schema_migration') IS NOT NULL");
  if (!there)
    return there.error();
  if (there->flag(0, 0)) {
    const auto got = to.run("SELECT name FROM schema_migration ORDER BY name");
    if (!got)
      return got.error();
    for (int i = 0; i < got->count(); ++i)
      m.applied.emplace_back(got->text(i, 0));
  }
  m.current = static_cast<int>(m.applied.size());
  m.newest = static_cast<int>(migrations().size());
  for (const auto& x : migrations())
    if (std::find(m.applied.begin(), m.applied.end(), x.name)
        == m.applied.end())
      m.pending.push_back(x.name);
  return m;
}

} // namespace

result<migration_state> migrate(const std::string& conninfo) {
  connection to{conninfo, "switchboard/migrate"};
  // Two nodes that start at once: the second waits here, and finds it done.
  const auto made = to.script(
    "SELECT pg_advisory_xact_lock(7142301);"
    "CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, "
    "applied_at timestamptz NOT NULL DEFAULT now())");
  if (!made)
    return made.error();
  for (const auto& x : migrations()) {
    const auto state = migrations_of(to);
    if (!state)
      return state.error();
    if (std::find(state->pending.begin(), state->pending.end(), x.name)
        == state->pending.end())
      continue;
    // Fails on the name, and changes nothing, if another was faster.
    const auto done = to.script("SELECT pg_advisory_xact_lock(7142301);"
                                "INSERT INTO schema_migration (name) VALUES ('"
                                + x.name + "');" + x.sql);
    if (done)
      continue;
    const auto again = migrations_of(to);
    if (!again
        || std::find(again->pending.begin(), again->pending.end(), x.name)
             != again->pending.end())
      return fail(done.error().code, x.name + ": " + done.error().detail);
  }
  return migrations_of(to);
}

result<migration_state> migration_status(const std::string& conninfo) {
  connection to{conninfo, "switchboard/migrate"};
  return migrations_of(to);
}

result<void> check_durability(const std::string& conninfo) {
  connection to{conninfo, "switchboard/check"};
  const auto got = to.run("SELECT current_setting('fsync'), "
                          "current_setting('synchronous_commit'), "
                          "current_setting('full_page_writes')");
  if (!got)
    return got.error();
  if (got->text(0, 0) != "on")
    return fail(errc::forbidden, "PostgreSQL runs with fsync = off and would "
                                 "forget acknowledged messages; set it to on");
  if (got->text(0, 1) == "off" || got->text(0, 1) == "local")
    return fail(errc::forbidden, "PostgreSQL runs with synchronous_commit = "
                                   + std::string(got->text(0, 1))
                                   + "; set it to on");
  if (got->text(0, 2) != "on")
    return fail(errc::forbidden, "PostgreSQL runs with full_page_writes = off; "
                                 "set it to on");
  return {};
}

} // namespace switchboard
