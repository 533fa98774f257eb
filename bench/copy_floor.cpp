#include "bench/copy_floor.hpp"

#include "actors/domain/message.hpp"
#include "bench/payloads.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <stdexcept>

namespace switchboard::bench {

namespace {

struct finish {
  void operator()(PGconn* x) const noexcept { PQfinish(x); }
};

void run(PGconn* on, const std::string& sql) {
  auto* got = PQexec(on, sql.c_str());
  const auto status = PQresultStatus(got);
  const std::string why = PQresultErrorMessage(got);
  PQclear(got);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK
      && status != PGRES_COPY_IN)
    throw std::runtime_error("floor: " + why);
}

void copy(PGconn* on, const std::string& sql, const std::string& rows) {
  run(on, sql);
  if (PQputCopyData(on, rows.data(), static_cast<int>(rows.size())) != 1
      || PQputCopyEnd(on, nullptr) != 1)
    throw std::runtime_error(PQerrorMessage(on));
  while (auto* got = PQgetResult(on)) {
    const auto good = PQresultStatus(got) == PGRES_COMMAND_OK;
    const std::string why = PQresultErrorMessage(got);
    PQclear(got);
    if (!good)
      throw std::runtime_error("floor: " + why);
  }
}

using connection = std::unique_ptr<PGconn, finish>;

/// Copies of the real tables, with the same keys.
connection connect_with_tables(const std::string& conninfo) {
  connection on{PQconnectdb(conninfo.c_str())};
  if (PQstatus(on.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(on.get()));
  run(on.get(), "SET client_min_messages = warning; "
                "DROP TABLE IF EXISTS floor_entry, floor_seen; "
                "CREATE TABLE floor_entry (LIKE entry INCLUDING ALL); "
                "CREATE TABLE floor_seen (LIKE seen INCLUDING ALL)");
  return on;
}

/// One line of a conversation, as the tables want it.
struct line {
  explicit line(std::int64_t n)
    : user("floor-" + std::to_string(n % 2000)),
      seq(std::to_string(n / 2000 + 1)),
      session(std::to_string(1000000 + n % 2000)),
      id(user + '-' + seq),
      body(payload(static_cast<std::uint64_t>(n))) {}

  std::string user;
  std::string seq;
  std::string session;
  std::string id;
  const std::string& body;
};

double per_second(std::int64_t rows,
                  std::chrono::steady_clock::time_point begin) {
  return static_cast<double>(rows)
         / std::chrono::duration<double>(std::chrono::steady_clock::now()
                                         - begin)
             .count();
}

} // namespace

double copy_floor(const std::string& conninfo, std::int64_t rows) {
  const auto on = connect_with_tables(conninfo);
  constexpr std::int64_t per_commit = 1000;
  const auto begin = std::chrono::steady_clock::now();
  std::string entries;
  std::string seen;
  for (std::int64_t n = 0; n < rows; ++n) {
    const line x{n};
    entries += x.session + '\t' + x.seq + "\t1\t1\t\t\t" + x.body + '\t' + x.id
               + "\t2026-01-01 00:00:00+00\n";
    seen += "web:" + x.user + "\tc:" + x.id + '\t' + x.session + '\t' + x.seq
            + '\t' + std::to_string(digest(x.body)) + '\n';
    if ((n + 1) % per_commit != 0 && n + 1 != rows)
      continue;
    run(on.get(), "BEGIN");
    copy(on.get(), "COPY floor_entry FROM STDIN", entries);
    copy(on.get(), "COPY floor_seen FROM STDIN", seen);
    run(on.get(), "COMMIT");
    entries.clear();
    seen.clear();
  }
  const auto reached = per_second(rows, begin);
  run(on.get(), "DROP TABLE floor_entry, floor_seen");
  return reached;
}

double row_by_row_floor(const std::string& conninfo, std::int64_t rows) {
  const auto on = connect_with_tables(conninfo);
  run(on.get(),
      "PREPARE add_entry AS INSERT INTO floor_entry VALUES ($1, $2, 1, 1, '', "
      "'', $3, $4, '2026-01-01 00:00:00+00'); "
      "PREPARE add_seen AS INSERT INTO floor_seen VALUES ($1, $2, $3, $4, $5)");
  const auto execute = [&](const char* name,
                           std::initializer_list<const char*> values) {
    auto* got = PQexecPrepared(on.get(), name, static_cast<int>(values.size()),
                               values.begin(), nullptr, nullptr, 0);
    const auto good = PQresultStatus(got) == PGRES_COMMAND_OK;
    const std::string why = PQresultErrorMessage(got);
    PQclear(got);
    if (!good)
      throw std::runtime_error("floor: " + why);
  };
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t n = 0; n < rows; ++n) {
    const line x{n};
    run(on.get(), "BEGIN");
    execute("add_entry",
            {x.session.c_str(), x.seq.c_str(), x.body.c_str(), x.id.c_str()});
    execute("add_seen", {("web:" + x.user).c_str(), ("c:" + x.id).c_str(),
                         x.session.c_str(), x.seq.c_str(),
                         std::to_string(digest(x.body)).c_str()});
    run(on.get(), "COMMIT");
  }
  const auto reached = per_second(rows, begin);
  run(on.get(), "DROP TABLE floor_entry, floor_seen");
  return reached;
}

} // namespace switchboard::bench
