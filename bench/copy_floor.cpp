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

} // namespace

double copy_floor(const std::string& conninfo, std::int64_t rows) {
  const std::unique_ptr<PGconn, finish> on{PQconnectdb(conninfo.c_str())};
  if (PQstatus(on.get()) != CONNECTION_OK)
    throw std::runtime_error(PQerrorMessage(on.get()));
  run(on.get(), "SET client_min_messages = warning; "
                "DROP TABLE IF EXISTS floor_entry, floor_seen; "
                "CREATE TABLE floor_entry (LIKE entry INCLUDING ALL); "
                "CREATE TABLE floor_seen (LIKE seen INCLUDING ALL)");
  constexpr std::int64_t per_commit = 1000;
  const auto begin = std::chrono::steady_clock::now();
  std::string entries;
  std::string seen;
  for (std::int64_t n = 0; n < rows; ++n) {
    const auto user = std::to_string(n % 2000);
    const auto seq = std::to_string(n / 2000 + 1);
    const auto session = std::to_string(1000000 + n % 2000);
    const auto id = "floor-" + user + '-' + seq;
    const auto& body = payload(static_cast<std::uint64_t>(n));
    entries += session + '\t' + seq + "\t1\t1\t\t\t" + body + '\t' + id
               + "\t2026-01-01 00:00:00+00\n";
    seen += "web:floor-" + user + "\tc:" + id + '\t' + session + '\t' + seq
            + '\t' + std::to_string(digest(body)) + '\n';
    if ((n + 1) % per_commit != 0 && n + 1 != rows)
      continue;
    run(on.get(), "BEGIN");
    copy(on.get(), "COPY floor_entry FROM STDIN", entries);
    copy(on.get(), "COPY floor_seen FROM STDIN", seen);
    run(on.get(), "COMMIT");
    entries.clear();
    seen.clear();
  }
  const auto took =
    std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
  run(on.get(), "DROP TABLE floor_entry, floor_seen");
  return static_cast<double>(rows) / took;
}

} // namespace switchboard::bench
