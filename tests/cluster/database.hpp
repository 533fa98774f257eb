#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchboard::faults {

/// A connection of the test's own to PostgreSQL, past all links; made anew when
/// the server was away. Thread safety: none.
class database {
public:
  using rows = std::vector<std::vector<std::string>>;

  explicit database(std::string conninfo);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// @returns nothing when the server does not answer now
  /// @throws std::runtime_error when the query is wrong
  std::optional<rows> try_ask(const std::string& query);

  /// Asks until the server answers. @throws std::runtime_error after a minute
  rows ask(const std::string& query);

  /// The one number that a query gives; 0 for none.
  std::int64_t number(const std::string& query);

  /// As `psql -tA`, with a space between columns.
  std::string text(const std::string& query);

private:
  struct closer {
    void operator()(void* raw) const;
  };

  std::string conninfo_;
  std::unique_ptr<void, closer> raw_;
};

} // namespace switchboard::faults
