#pragma once

#include "actors/intake.hpp"
#include "actors/world.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace switchboard {

/// Owns one of the 64 slots: decodes what arrives, refuses the malformed, finds
/// or starts the contact's session, and keeps the actors of the slot. The steps
/// of the pipeline are function calls here, not actors: a hop costs a wake-up.
class slot_actor {
public:
  static constexpr const char* name = "slot";
  using handle = slot_ref;

  struct birth {
    slot_number slot = 0;
    std::int64_t epoch = 0;
    std::shared_ptr<slot_inbox> inbox;
    directory_ptr known;
  };

  slot_actor(handle::pointer self, birth b, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

private:
  struct resident {
    session_id id;
    session_ref ref;
    /// Set while the session is over and has not given back what came too late;
    /// what the customer says meanwhile waits here, so that order is kept.
    bool leaving = false;
    std::vector<job> waiting{};
  };

  void told(const inbox_filled&);
  void told(const revive& x);
  void told(const from_gateway& x);
  void told(const sign_from& x);
  void told(const for_session& x);
  void told(const for_agent& x);
  void told(const timer_due& x);
  void told(const session_over& x);
  void told(const session_left_behind& x);
  void told(const directory_changed& x);
  void told(const slot_lost&);
  void told(const stop&);

  void take(arrived what);
  void customer_says(job what);
  session_ref start_session(const inbound& first);
  session_ref keep(session::state state, bool from_store);
  agent_ref agent_of(const agent_id& id);
  void leave();

  handle::pointer self_;
  slot_number slot_;
  std::int64_t epoch_;
  std::shared_ptr<slot_inbox> inbox_;
  directory_ptr known_;
  std::unordered_map<contact, resident> by_contact_;
  std::unordered_map<session_id, session_ref> by_id_;
  std::unordered_map<agent_id, agent_ref> agents_;
  std::uint16_t started_; ///< Numbers new sessions.
  bool lost_ = false;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
