#pragma once

#include "tests/cluster_simulation/database.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace switchboard::cluster_simulation {

class cluster;
class node;

/// What somebody says to a slot. `reply` is called at most once, by the node
/// that knows the answer; never, if that node is killed.
struct letter {
  slot_number slot = 0;
  std::optional<session_id> session{}; ///< None: what a customer says.
  session::event what;
  std::function<void(node& by, const result<receipt>&)> reply{};
  int hops = 0;
  bool buffered = false; ///< Read from the stream.
};

/// One node: the real membership and session machines, and around them what the
/// product's adapters do (actors/cluster/keeper.cpp, actors/slot_actor.cpp,
/// actors/session_actor.cpp, actors/lane_reader.cpp), in small.
class node {
public:
  node(cluster& in, std::string name);

  // -- what happens to it -----------------------------------------------------

  void boot();
  void kill();
  void freeze(bool frozen);
  void cut_database(bool cut) { database_cut_ = cut; }
  void cut_bus(bool cut);
  void set_clock(instant by) { skew_ += by; }
  void drain();
  void shut_down(); ///< In order: its lease goes with it.

  // -- what it is told --------------------------------------------------------

  void take(letter what);
  void look_now();
  void hear_served(slot_number slot);

  [[nodiscard]] const node_id& name() const { return name_; }
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool draining() const { return state_.draining; }
  [[nodiscard]] bool drained() const { return drained_; }
  [[nodiscard]] bool reachable() const { return up_ && !bus_cut_; }
  [[nodiscard]] bool listens(slot_number slot) const;
  [[nodiscard]] bool serves(const membership::place& x) const;
  [[nodiscard]] std::int64_t life_count() const { return lives_; }

  /// Calls later, unless this life has ended by then; once it is thawed.
  void later(instant wait, std::function<void()> what);

private:
  enum class mode { away, loading, serving, leaving };

  struct planned {
    letter what;
    session::effects todo;
    std::optional<std::size_t> repeats{}; ///< The same message, earlier here.
  };
  struct flight {
    std::int64_t number = 0;
    session::state next;
    std::vector<planned> jobs;
    write what;
  };
  struct conversation {
    session::state s;
    std::deque<letter> inbox;
    std::optional<flight> under_way{};
  };
  struct lane {
    std::uint64_t seen = 0;
    std::uint64_t written = 0;
    std::set<std::uint64_t> under_way{};
  };
  struct slot_life {
    mode at = mode::away;
    std::int64_t epoch = 0;
    instant listens_until{0};
    bool settle_asked = false; ///< While loading: it leaves as soon as it can.
    std::map<std::string, session_id> by_user{};
    std::map<session_id, conversation> all{};
    std::deque<letter> held{};
    lane reads{};
  };

  // -- the cluster (node.cpp) -------------------------------------------------

  template <class Run, class Hear>
  void ask(Run run, Hear hear);
  /// The same, one after the other: looks, claims and hand-overs share a thread
  /// and a connection.
  template <class Run, class Hear>
  void ask_in_turn(Run run, Hear hear);
  void next_turn();
  void announce();
  void look();
  void renew();
  void renew_now();
  void tick();
  void happen(const membership::event& what);
  instant clock() const;
  time_point wall() const;

  void perform(const membership::claim& e);
  void perform(const membership::serve& e);
  void perform(const membership::stop& e);
  void perform(const membership::settle& e);
  void perform(const membership::resume& e);
  void perform(const membership::hand_over& e);
  void perform(const membership::reroute& e);
  void perform(const membership::bury& e);
  void perform(const membership::say& e);
  void perform(const membership::suspend&) { suspended_ = true; }
  void perform(const membership::go_on& e);
  void perform(const membership::drained&) { drained_ = true; }

  // -- slots (node_slots.cpp) -------------------------------------------------

  void load(slot_number slot);
  void loaded(slot_number slot, const database::contents& what);
  void leave(slot_number slot);
  void look_quiet(slot_number slot);
  void flush_held(slot_number slot);
  void send_on(letter what);
  void pass_on(letter what);
  void open(letter what);
  void customer_says(letter what);
  void read_lane();
  void read_lane(slot_number slot);
  void write_watermarks();
  void sweep_outbox();
  void send_out(const std::string& id);

  // -- sessions (node_sessions.cpp) -------------------------------------------

  void take_up(slot_number slot, session_id id);
  flight plan(slot_number slot, conversation& c);
  void submit(slot_number slot, session_id id);
  void attempt(slot_number slot, session_id id);
  void heard(slot_number slot, session_id id, const outcome& x);
  void finish(slot_number slot, session_id id);
  void without(slot_number slot, session_id id, const outcome& x);
  void perform(slot_number slot, const planned& x);
  void end(slot_number slot, session_id id);
  void answer(const letter& to, const result<receipt>& what);
  conversation* find(slot_number slot, session_id id);

  cluster& cluster_;
  node_id name_;
  std::string life_;
  std::int64_t lives_ = 0;
  std::int64_t flights_ = 0;
  std::uint16_t started_ = 0;
  bool up_ = false;
  bool frozen_ = false;
  bool suspended_ = false;
  bool drained_ = false;
  bool database_cut_ = false;
  bool bus_cut_ = false;
  bool looking_ = false;
  bool renewing_ = false;
  instant skew_{0};
  instant boot_offset_{0};
  membership::condition says_ = membership::condition::serving;
  membership::rules rules_{};
  membership::state state_;
  std::map<slot_number, slot_life> slots_;
  std::vector<std::function<void()>> frozen_calls_;
  std::deque<std::function<void()>> turns_;
  bool busy_ = false;
};

} // namespace switchboard::cluster_simulation
