#pragma once

#include "actors/domain/result.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The little of libpq that the store needs, with owners for its objects.
namespace switchboard::postgres {

struct clear_result {
  void operator()(PGresult* x) const noexcept { PQclear(x); }
};

/// Rows of an answer. Cells are text; an SQL NULL reads as an empty string.
class rows {
public:
  explicit rows(PGresult* raw) : raw_(raw) {}

  [[nodiscard]] int count() const { return PQntuples(raw_.get()); }
  [[nodiscard]] std::string_view text(int row, int column) const;
  [[nodiscard]] std::int64_t number(int row, int column) const;
  [[nodiscard]] bool flag(int row, int column) const;

private:
  std::unique_ptr<PGresult, clear_result> raw_;
};

/// The parameters of a statement. Numbers and texts are sent in their binary
/// form, arrays in the binary form of array_recv: nothing is escaped, and
/// nothing grows on the way.
class parameters {
public:
  parameters& add(std::string_view text);
  parameters& add(std::int64_t number); ///< As bigint.
  parameters& add(const std::vector<std::int16_t>& x);
  parameters& add(const std::vector<std::int32_t>& x);
  parameters& add(const std::vector<std::int64_t>& x);
  parameters& add(const std::vector<bool>& x);
  parameters& add(const std::vector<std::string_view>& x);       ///< As text[].
  parameters& add_bytes(const std::vector<std::string_view>& x); ///< bytea[]

private:
  friend class connection;
  void put(Oid type, std::string bytes);

  std::vector<std::string> values_;
  std::vector<Oid> types_;
};

/// One connection that reopens itself. After a failure the outcome of the last
/// statement is unknown.
/// Thread safety: none.
class connection {
public:
  connection(std::string conninfo, std::string name);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Runs one statement, prepared on first use.
  /// @returns unavailable when there is no connection, or it broke, or the
  ///          server is starting or stopping; malformed, with the server's
  ///          words, for values that it cannot keep; forbidden for a statement
  ///          that it refuses whatever the values
  result<rows> run(std::string_view sql, const parameters& with = {});

  /// Runs a script of several statements in one transaction.
  result<void> script(const std::string& sql);

private:
  result<void> open();
  result<rows> judge(PGresult* raw);

  std::string conninfo_;
  std::string name_;
  PGconn* raw_ = nullptr;
  std::vector<std::string> prepared_; ///< Statement texts; index = its name.
};

} // namespace switchboard::postgres
