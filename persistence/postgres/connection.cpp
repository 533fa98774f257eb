#include "persistence/postgres/connection.hpp"

#include <arpa/inet.h>
#include <endian.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace switchboard::postgres {

namespace {

// Object ids of built-in types (pg_type.dat); fixed for ever.
constexpr Oid bool_oid = 16;
constexpr Oid bytea_oid = 17;
constexpr Oid bigint_oid = 20;
constexpr Oid smallint_oid = 21;
constexpr Oid integer_oid = 23;
constexpr Oid text_oid = 25;
constexpr Oid bool_array_oid = 1000;
constexpr Oid bytea_array_oid = 1001;
constexpr Oid smallint_array_oid = 1005;
constexpr Oid integer_array_oid = 1007;
constexpr Oid text_array_oid = 1009;
constexpr Oid bigint_array_oid = 1016;

void put32(std::string& to, std::int32_t x) {
  const auto net = htonl(static_cast<std::uint32_t>(x));
  to.append(reinterpret_cast<const char*>(&net), sizeof net);
}

/// array_recv: dimensions, has-null flag, element type; then for each dimension
/// its length and lower bound; then each element with its length.
std::string array_head(Oid element, std::size_t count) {
  std::string to;
  put32(to, count == 0 ? 0 : 1);
  put32(to, 0);
  put32(to, static_cast<std::int32_t>(element));
  if (count > 0) {
    put32(to, static_cast<std::int32_t>(count));
    put32(to, 1);
  }
  return to;
}

std::string text_array(Oid element, const std::vector<std::string_view>& all) {
  auto to = array_head(element, all.size());
  for (const auto& x : all) {
    put32(to, static_cast<std::int32_t>(x.size()));
    to.append(x);
  }
  return to;
}

bool is_temporary(std::string_view state) {
  // 08 connection, 40 rollback (deadlock), 53 resources, 55 lock not available,
  // 57 operator intervention: shutdown, crash, cancelled; 25006 read-only.
  return state.empty() || state.starts_with("08") || state.starts_with("40")
         || state.starts_with("53") || state.starts_with("55")
         || state.starts_with("57") || state.starts_with("58")
         || state == "25006";
}

errc code_of(std::string_view state) {
  if (is_temporary(state))
    return errc::unavailable;
  // 22 data, 23 constraints, 54 limits: with other values it would have worked.
  if (state.starts_with("22") || state.starts_with("23")
      || state.starts_with("54"))
    return errc::malformed;
  return errc::forbidden;
}

} // namespace

std::string_view rows::text(int row, int column) const {
  return {PQgetvalue(raw_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(raw_.get(), row, column))};
}

std::int64_t rows::number(int row, int column) const {
  const auto from = text(row, column);
  std::int64_t x = 0;
  std::from_chars(from.data(), from.data() + from.size(), x);
  return x;
}

bool rows::flag(int row, int column) const {
  return text(row, column) == "t";
}

void parameters::put(Oid type, std::string bytes) {
  types_.push_back(type);
  values_.push_back(std::move(bytes));
}

parameters& parameters::add(std::string_view text) {
  put(text_oid, std::string(text));
  return *this;
}

parameters& parameters::add(std::int64_t number) {
  const auto net = htobe64(static_cast<std::uint64_t>(number));
  put(bigint_oid, {reinterpret_cast<const char*>(&net), sizeof net});
  return *this;
}

parameters& parameters::add(const std::vector<std::int16_t>& all) {
  auto to = array_head(smallint_oid, all.size());
  for (const auto x : all) {
    put32(to, 2);
    const auto net = htons(static_cast<std::uint16_t>(x));
    to.append(reinterpret_cast<const char*>(&net), sizeof net);
  }
  put(smallint_array_oid, std::move(to));
  return *this;
}

parameters& parameters::add(const std::vector<std::int32_t>& all) {
  auto to = array_head(integer_oid, all.size());
  for (const auto x : all) {
    put32(to, 4);
    put32(to, x);
  }
  put(integer_array_oid, std::move(to));
  return *this;
}

parameters& parameters::add(const std::vector<std::int64_t>& all) {
  auto to = array_head(bigint_oid, all.size());
  for (const auto x : all) {
    put32(to, 8);
    const auto net = htobe64(static_cast<std::uint64_t>(x));
    to.append(reinterpret_cast<const char*>(&net), sizeof net);
  }
  put(bigint_array_oid, std::move(to));
  return *this;
}

parameters& parameters::add(const std::vector<bool>& all) {
  auto to = array_head(bool_oid, all.size());
  for (const auto x : all) {
    put32(to, 1);
    to.push_back(x ? '\1' : '\0');
  }
  put(bool_array_oid, std::move(to));
  return *this;
}

parameters& parameters::add(const std::vector<std::string_view>& all) {
  put(text_array_oid, text_array(text_oid, all));
  return *this;
}

parameters& parameters::add_bytes(const std::vector<std::string_view>& all) {
  put(bytea_array_oid, text_array(bytea_oid, all));
  return *this;
}

connection::connection(std::string conninfo, std::string name)
  : conninfo_(std::move(conninfo)), name_(std::move(name)) {
  // nop
}

connection::~connection() {
  if (raw_)
    PQfinish(raw_);
}

result<void> connection::open() {
  if (raw_ && PQstatus(raw_) == CONNECTION_OK)
    return {};
  if (raw_)
    PQfinish(raw_);
  prepared_.clear();
  // `dbname` is expanded as a connection string or URI; what stands after it
  // wins over what is in it.
  const std::vector<const char*> keys{"dbname",
                                      "application_name",
                                      "connect_timeout",
                                      "tcp_user_timeout",
                                      "keepalives_idle",
                                      "options",
                                      nullptr};
  const std::vector<const char*> values{
    conninfo_.c_str(),
    name_.c_str(),
    "3",
    "5000",
    "2",
    "-c synchronous_commit=on -c lock_timeout=5s -c statement_timeout=60s "
    "-c idle_in_transaction_session_timeout=500ms -c timezone=UTC "
    "-c client_min_messages=warning -c plan_cache_mode=force_generic_plan "
    "-c jit=off "
    // To start a parallel worker takes longer than all that is read at once.
    "-c max_parallel_workers_per_gather=0",
    nullptr};
  raw_ = PQconnectdbParams(keys.data(), values.data(), 1);
  if (PQstatus(raw_) == CONNECTION_OK)
    return {};
  std::string why = PQerrorMessage(raw_);
  PQfinish(raw_);
  raw_ = nullptr;
  while (!why.empty() && why.back() == '\n')
    why.pop_back();
  return fail(errc::unavailable, "PostgreSQL: " + why);
}

result<rows> connection::judge(PGresult* raw) {
  rows got{raw};
  const auto status = PQresultStatus(raw);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
    return got;
  const char* state = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
  // Not its detail: that may quote what a customer wrote.
  const char* primary = PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY);
  std::string why = primary ? primary : PQerrorMessage(raw_);
  why.erase(std::min(why.find('\n'), why.size())); // The rest is context.
  const auto code = PQstatus(raw_) != CONNECTION_OK
                      ? errc::unavailable
                      : code_of(state ? state : "");
  return fail(code, "PostgreSQL: " + why);
}

result<rows> connection::run(std::string_view sql, const parameters& with) {
  if (auto ok = open(); !ok)
    return ok.error();
  const auto count = static_cast<int>(with.values_.size());
  auto at = std::find(prepared_.begin(), prepared_.end(), sql);
  const auto name = "s" + std::to_string(at - prepared_.begin());
  if (at == prepared_.end()) {
    auto made = judge(PQprepare(raw_, name.c_str(), std::string(sql).c_str(),
                                count, with.types_.data()));
    if (!made)
      return made.error();
    prepared_.emplace_back(sql);
  }
  std::vector<const char*> values;
  std::vector<int> sizes;
  const std::vector<int> binary(with.values_.size(), 1);
  for (const auto& x : with.values_) {
    values.push_back(x.data());
    sizes.push_back(static_cast<int>(x.size()));
  }
  return judge(PQexecPrepared(raw_, name.c_str(), count, values.data(),
                              sizes.data(), binary.data(), 0));
}

result<void> connection::script(const std::string& sql) {
  if (auto ok = open(); !ok)
    return ok.error();
  // The simple protocol runs all statements of a string in one transaction.
  auto done = judge(PQexec(raw_, sql.c_str()));
  if (!done)
    return done.error();
  return {};
}

} // namespace switchboard::postgres
