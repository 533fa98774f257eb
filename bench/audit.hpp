#pragma once

#include "bench/report.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Whether everything that was sent is there, once, and in its order. Pure.
namespace switchboard::bench {

/// Where a line stands: session and seq.
struct place {
  std::int64_t session = 0;
  std::int32_t seq = 0;

  friend auto operator<=>(const place&, const place&) = default;
};

/// A message that must be there: it was acknowledged.
struct sent_message {
  std::string user;
  std::int64_t number = 0; ///< Of the user's messages, in the order of sending.
  std::string id;
  std::optional<place> told{}; ///< By its receipt, where there was one.
};

/// A customer's line as it is stored.
struct stored_line {
  std::string id;
  place at;
};

struct tally {
  std::int64_t lost = 0;       ///< Nowhere, or not where the receipt said.
  std::int64_t duplicated = 0; ///< An id stored twice, a place given twice.
  std::int64_t reordered = 0;  ///< A user's later message has an earlier place.
  /// What happened to the first few: ("lost: u1-7", "told 12 3, stored
  /// nowhere").
  std::vector<std::pair<std::string, std::string>> examples{};
};

[[nodiscard]] tally audit(std::vector<sent_message> sent,
                          const std::vector<stored_line>& stored);

/// Adds what was found to a report.
void add(report& to, const tally& found);

} // namespace switchboard::bench
