#pragma once

#include "persistence/store.hpp"

#include <string>
#include <utility>
#include <vector>

/// Rows as the program writes them, for tests of stores.
namespace switchboard::test {

inline time_point at_ms(std::int64_t ms) {
  return time_point{duration{1'790'000'000'000 + ms}};
}

/// A conversation and what the next write to it looks like. The numbers are a
/// sender's: change them to be somebody who is wrong.
struct conversation {
  session_id id;
  contact who;
  slot_number slot = 3;
  std::int64_t epoch = 1;
  std::int32_t last_seq = 0;
  session::phase at = session::queued{};
  std::int64_t ownership = 0;

  [[nodiscard]] session::state state() const {
    return {.id = id,
            .who = who,
            .at = at,
            .last_seq = last_seq,
            .ownership = ownership,
            .opened_at = at_ms(id.value),
            .waiting_since = at_ms(id.value)};
  }

  /// A customer's lines, one for each (id, body).
  session_write
  says(const std::vector<std::pair<std::string, std::string>>& lines) {
    session_write w{.slot = slot,
                    .epoch = epoch,
                    .state = {},
                    .base_seq = last_seq,
                    .state_changed = last_seq == 0,
                    .entries = {}};
    for (const auto& [name, body] : lines) {
      ++last_seq;
      w.entries.push_back({.seq = last_seq,
                           .kind = entry_kind::customer,
                           .body = body,
                           .id = {name},
                           .at = at_ms(id.value + last_seq)});
    }
    w.state = state();
    return w;
  }

  /// A change of phase, as the line that names it.
  session_write becomes(session::phase next) {
    at = std::move(next);
    ++ownership;
    ++last_seq;
    session_write w{.slot = slot,
                    .epoch = epoch,
                    .state = state(),
                    .base_seq = last_seq - 1,
                    .state_changed = true,
                    .holds_changed = true,
                    .entries = {}};
    w.entries.push_back({.seq = last_seq,
                         .kind = entry_kind::event,
                         .event = std::string(session::name_of(at)),
                         .at = at_ms(id.value + last_seq)});
    return w;
  }
};

} // namespace switchboard::test
