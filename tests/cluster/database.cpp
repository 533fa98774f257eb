#include "tests/cluster/database.hpp"

#include <libpq-fe.h>

#include <stdexcept>
#include <string_view>
#include <thread>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

/// Errors of the connection and of a server that starts or ends.
bool away(const PGresult* of) {
  const char* state = PQresultErrorField(of, PG_DIAG_SQLSTATE);
  const std::string_view code{state ? state : ""};
  return code.empty() || code.starts_with("08") || code.starts_with("53")
         || code.starts_with("57");
}

} // namespace

void database::closer::operator()(void* raw) const {
  PQfinish(static_cast<PGconn*>(raw));
}

database::database(std::string conninfo) : conninfo_(std::move(conninfo)) {
  // nop
}

database::~database() = default;

std::optional<database::rows> database::try_ask(const std::string& query) {
  auto* to = static_cast<PGconn*>(raw_.get());
  if (!to || PQstatus(to) != CONNECTION_OK) {
    raw_.reset(PQconnectdb((conninfo_ + "?connect_timeout=3").c_str()));
    to = static_cast<PGconn*>(raw_.get());
    if (PQstatus(to) != CONNECTION_OK)
      return std::nullopt;
  }
  const std::unique_ptr<PGresult, decltype(&PQclear)> got{
    PQexec(to, query.c_str()), &PQclear};
  const auto status = PQresultStatus(got.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    if (!away(got.get()))
      throw std::runtime_error("SQL: " + std::string(PQerrorMessage(to)));
    return std::nullopt;
  }
  rows all(static_cast<std::size_t>(PQntuples(got.get())));
  for (std::size_t i = 0; i < all.size(); ++i)
    for (int k = 0; k < PQnfields(got.get()); ++k)
      all[i].emplace_back(PQgetvalue(got.get(), static_cast<int>(i), k));
  return all;
}

database::rows database::ask(const std::string& query) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    if (auto got = try_ask(query))
      return std::move(*got);
    std::this_thread::sleep_for(20ms);
  }
  throw std::runtime_error("PostgreSQL does not answer the test");
}

std::int64_t database::number(const std::string& query) {
  const auto got = ask(query);
  return got.empty() || got[0].empty() || got[0][0].empty()
           ? 0
           : std::stoll(got[0][0]);
}

std::string database::text(const std::string& query) {
  std::string all;
  for (const auto& row : ask(query)) {
    for (std::size_t i = 0; i < row.size(); ++i)
      all += (i == 0 ? "" : " ") + row[i];
    all += '\n';
  }
  return all;
}

} // namespace switchboard::faults
