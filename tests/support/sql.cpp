#include "tests/support/sql.hpp"

#include "persistence/postgres/connection.hpp"

#include <stdexcept>

namespace switchboard::test {

struct sql_session::impl {
  impl(const std::string& conninfo, const std::string& name)
    : to(conninfo, name) {
    // nop
  }

  postgres::rows run(const std::string& sql) {
    auto got = to.run(sql);
    if (!got)
      throw std::runtime_error(sql + ": " + got.error().detail);
    return std::move(*got);
  }

  postgres::connection to;
};

sql_session::sql_session(const std::string& conninfo, const std::string& name)
  : impl_(std::make_unique<impl>(conninfo, name)) {
  // Unlike the program, a test may sit in a transaction and think.
  run("SET idle_in_transaction_session_timeout = 0");
}

sql_session::~sql_session() = default;

void sql_session::run(const std::string& sql) {
  impl_->run(sql);
}

void sql_session::script(const std::string& sql) {
  const auto done = impl_->to.script(sql);
  if (!done)
    throw std::runtime_error(done.error().detail);
}

std::string sql_session::text(const std::string& sql) {
  const auto got = impl_->run(sql);
  return got.count() > 0 ? std::string(got.text(0, 0)) : std::string{};
}

std::int64_t sql_session::number(const std::string& sql) {
  const auto got = impl_->run(sql);
  return got.count() > 0 ? got.number(0, 0) : 0;
}

bool is_blocked(sql_session& look, const std::string& name) {
  return look.number("SELECT count(*) FROM pg_stat_activity WHERE "
                     "datname = current_database() AND application_name = '"
                     + name + "' AND wait_event_type = 'Lock'")
         > 0;
}

} // namespace switchboard::test
