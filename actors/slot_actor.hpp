#pragma once

#include "actors/intake.hpp"
#include "actors/session_ties.hpp"
#include "actors/world.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace switchboard {

/// Stands for one of the 64 slots on this node. Where the slot is ours it
/// decodes what arrives, refuses the malformed, finds or starts the contact's
/// session, and keeps the actors of the slot; the steps of the pipeline are
/// function calls here, not actors: a hop costs a wake-up. Where the slot is
/// another node's it sends on what it is told.
///
///     away -- slot_claimed --> loading -- revive --> serving
///                                 |                  |    ^
///                                 |       settle_slot|    |resume_slot
///                                 v                  v    |
///     away <------ slot_lost -------------------- leaving +
///
/// While loading and leaving everything new is held back, in order.
class slot_actor {
public:
  static constexpr const char* name = "slot";
  using handle = slot_ref;

  struct birth {
    slot_number slot = 0;
    std::shared_ptr<slot_inbox> inbox;
    directory_ptr known;
  };

  slot_actor(handle::pointer self, birth b, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

  /// More is not held back: whoever waits is told `overloaded`.
  static constexpr std::size_t held_max = 100'000;

  /// Until then it is known whether a slot was given to us.
  static constexpr auto look_time = duration{50};

private:
  enum class mode { away, loading, serving, leaving };

  struct resident {
    session_id id;
    session_ref ref;
    /// Set while the session is over and has not given back what came too late;
    /// what the customer says meanwhile waits here, so that order is kept.
    bool leaving = false;
    std::vector<job> waiting{};
  };

  struct tied_session {
    session_ref ref;
    std::shared_ptr<const session_ties> with;
  };

  void told(const inbox_filled&);
  void told(const letter& x);
  void told(const sign_from& x);
  void told(const timer_due& x);
  void told(const session_over& x);
  void told(const session_left_behind& x);
  void told(const session_settled& x);
  void told(const directory_changed& x);
  void told(const slot_claimed& x);
  void told(const revive& x);
  void told(const slot_lost& x);
  void told(const settle_slot& x);
  void told(const resume_slot& x);
  void told(const route_known&);
  void told(const neighbours_new& x);
  void told(const home_gone& x);
  void told(const read_again& x);
  void told(const stop&);

  // Letters, where the slot is ours.
  void open(const for_session& x);
  void open(const for_agent& x);
  void open(const from_gateway& x);
  void open(const straggler& x);
  void open(const agent_claims& x);
  void open(const for_router&) {}
  void open(const visitor_here& x);
  void open(const visitor_gone& x);
  void open(const for_visitor& x);

  void hold(letter what);
  void send_held();
  void read_sessions();
  void serve();
  void send_on(arrived what);
  void look_quiet();
  void take(arrived what);
  void customer_says(job what);
  session_ref start_session(const inbound& first);
  session_ref keep(session::state state, bool from_store);
  agent_ref agent_of(const agent_id& id);
  void leave();

  handle::pointer self_;
  slot_number slot_;
  std::int64_t epoch_ = 0;
  mode mode_ = mode::away;
  bool settle_asked_ = false; ///< While loading.
  bool looking_ = false;      ///< Whether the slot was given to us.
  std::deque<letter> held_;
  std::size_t unsettled_ = 0; ///< Sessions that have work under way.
  std::shared_ptr<slot_inbox> inbox_;
  directory_ptr known_;
  std::unordered_map<contact, resident> by_contact_;
  std::unordered_map<session_id, tied_session> by_id_;
  std::unordered_map<agent_id, agent_ref> agents_;
  std::uint16_t started_; ///< Numbers new sessions.
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
