#pragma once

#include "tests/faults/ledger.hpp"
#include "tests/faults/out_log.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace switchboard::faults {

/// Answers one SQL query as psql -tA does, columns with a space between.
using sql = std::function<std::string(const std::string& query)>;

/// What is wrong; all 0 when nothing was lost, doubled or reordered.
struct damage {
  std::int64_t lost = 0;
  std::int64_t doubled = 0;
  std::int64_t reordered = 0;
  std::vector<std::string> examples{}; ///< At most 10.

  [[nodiscard]] bool clean() const {
    return lost == 0 && doubled == 0 && reordered == 0;
  }
  void note(std::int64_t& which, const std::string& what) {
    ++which;
    if (examples.size() < 10)
      examples.push_back(what);
  }
};

/// Waits until the buffered lane is read to its end and the outbox is empty.
/// @returns false, with what is left, after `patience`
struct rest {
  std::int64_t unread = 0;
  std::int64_t unsent = 0;
};
bool wait_until_quiet(const sql& ask, const std::string& run,
                      std::int64_t stored, std::chrono::seconds patience,
                      rest& left);

/// Every receipt has its entry, in its place; one user's messages, which end in
/// -1, -2 ..., stand in this order.
void check_receipts(damage& to, const sql& ask, const ledger& receipts,
                    const std::string& prefix);

/// Every message that the broker promised to keep has one entry, in order.
void check_stored(damage& to, const sql& ask,
                  const std::vector<numbered>& stored);

/// Every answer that an agent has a receipt for has left, in its user's order.
void check_out(damage& to, const out_log& left, const ledger& answers);

/// Asks the program itself. @returns its findings; empty if all is in order
/// @param folder where it runs
std::string run_verify(const std::string& program, const std::string& conninfo,
                       const std::string& folder);

} // namespace switchboard::faults
