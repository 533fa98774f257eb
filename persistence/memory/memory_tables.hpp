#pragma once

#include "persistence/memory/memory_store.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the memory twin keeps: the tables of persistence/migrations as maps.
/// Whoever reads or writes holds `mutex`.
namespace switchboard::memory {

struct lease_row {
  std::string incarnation;
  std::int64_t renew_count = 0;
};

struct slot_row {
  std::optional<node_id> owner{};
  std::int64_t epoch = 0;
  std::uint64_t offset = 0;
  std::string stream{};
};

struct stored_session {
  slot_number slot = 0;
  session::state state;
  std::optional<agent_id> agent{}; ///< Who has it, or had it last.
  std::optional<time_point> closed_at{};

  [[nodiscard]] bool open() const { return !closed_at; }
};

struct stored_entry {
  entry line;
  std::int64_t epoch = 0;
};

struct seen_row {
  receipt where;
  std::int64_t digest = 0;
};

struct tables {
  std::mutex mutex;
  std::map<node_id, lease_row> leases{};
  std::array<slot_row, slots + 1> slot{};
  std::map<session_id, stored_session> sessions{};
  std::map<session_id, std::vector<stored_entry>> entries{};
  std::map<std::pair<contact, std::string>, seen_row> seen{};
  std::map<agent_id, agent_row> agents{};
  std::map<session_id, std::vector<session::hold>> assignments{};
  std::map<queue_id, queue_row> queues{{{"default"}, {{"default"}, "Default"}}};
  std::map<std::string, outbox_row> outbox{};
  std::map<std::string, outbox_row> outbox_dead{};
  std::map<session_id, std::vector<std::string>> decisions{};
  std::vector<dead_letter> letters{};
  std::map<contact, customer_id> customers{};
  std::map<std::string, customer_id> addresses{};
  std::map<contact, std::vector<contact_change>> changes{};
  std::int64_t customers_made = 0;
  std::int64_t directory_version = 1;
  memory_database::fault next_fault = memory_database::fault::none;
  int faults_left = 0;
};

/// As append_v1 does it. @pre the mutex is held
std::vector<outcome> append(tables& to, const node_id& node, const batch& what);

/// The invariants that the tables alone can show. @pre the mutex is held
std::vector<finding> verify(const tables& from);

} // namespace switchboard::memory
