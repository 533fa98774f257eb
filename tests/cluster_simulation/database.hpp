#pragma once

#include "actors/domain/session.hpp"
#include "tests/cluster_simulation/world.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace switchboard::cluster_simulation {

/// The most load that an agent may have, in thousandths of a chat.
inline constexpr std::int32_t capacity = 2000;

struct write {
  node_id by;
  std::string life;
  slot_number slot = 0;
  std::int64_t epoch = 0;
  std::int32_t base = 0;
  session::state after;
  std::vector<entry> lines;
  std::vector<std::string> out{};
  bool fence_seen = false;    ///< With early_fence: what it saw.
  bool capacity_seen = false; ///< With early_capacity: what it saw.
};

enum class verdict : std::uint8_t { committed, duplicate, fenced, full, stale };

struct outcome {
  verdict what = verdict::committed;
  std::map<std::string, receipt> known{}; ///< By the message's id.
};

/// PostgreSQL as the nodes meet it: serial, with the statements of
/// persistence/migrations in words. Every statement is judged by checks that do
/// not believe its own conditions.
class database {
public:
  explicit database(world& on);

  struct line {
    std::int32_t seq = 0;
    std::int64_t epoch = 0;
    entry what;
  };
  struct row {
    session::state s;
    std::vector<line> lines;
  };
  struct contents {
    std::vector<session::state> open;
    std::uint64_t offset = 0;
  };
  struct letter_out {
    slot_number slot = 0;
    bool done = false;
    int sent = 0;
  };

  // -- leases and slots -------------------------------------------------------

  void announce(const node_id& who, const std::string& life);
  void leave(const node_id& who, const std::string& life);
  bool renew(const node_id& who, const std::string& life,
             membership::condition says);
  membership::view look(const std::string& life);
  std::vector<membership::place> take(const node_id& who,
                                      const std::string& life,
                                      const membership::claim& what,
                                      instant decided_at);
  bool hand_over(const node_id& who, const membership::hand_over& what);

  // -- sessions ---------------------------------------------------------------

  /// What the write would see now; with a planted bug it acts upon it later.
  void look_before(write& what) const;
  outcome append(const write& what);
  contents read_slot(slot_number slot) const;
  void watermark(const node_id& who, slot_number slot, std::int64_t epoch,
                 std::uint64_t offset);

  /// @throws violation unless the entry that the receipt names is there
  void must_have(const std::string& user, const std::string& id,
                 const receipt& told) const;
  /// Nothing else may be wrong when all is at rest.
  void check_all() const;

  bool away = false;
  std::map<session_id, row> sessions;
  std::map<std::string, letter_out> outbox;
  std::array<membership::place, membership::slots_all> places{};
  [[nodiscard]] bool has(const std::string& user, const std::string& id) const {
    return seen_.contains(user + '/' + id);
  }

  std::int64_t takeovers = 0;
  std::int64_t moves = 0;
  std::int64_t fenced = 0;
  std::int64_t repeats = 0;

private:
  struct life_of {
    membership::lease lease;
    instant moved_at{};
  };

  bool fenced_off(const write& x) const;
  bool is_repeat(const row& there, const write& x) const;
  bool would_be_full(const write& x) const;
  void commit(const write& x);
  void check_order(const std::string& user, const std::string& id);
  void own(slot_number slot, const node_id& who, const std::string& life,
           bool same_epoch);
  void check_take(const node_id& who, const std::string& life,
                  const node_id& from, instant decided_at) const;

  world& world_;
  std::map<node_id, life_of> leases_;
  std::map<std::pair<slot_number, std::int64_t>, std::string> lives_ever_;
  std::map<std::string, std::vector<instant>> looks_; ///< Of each life.
  std::array<std::uint64_t, membership::slots_all> offsets_{};
  std::map<std::string, receipt> seen_; ///< user/id
  std::map<std::string, session_id> open_;
  std::map<std::string, std::int64_t> last_of_; ///< Of each sender.
};

} // namespace switchboard::cluster_simulation
