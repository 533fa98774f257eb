#pragma once

#include "actors/screen_feed.hpp"
#include "actors/world.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace switchboard {

/// Keeps one agent: presence, places, and what every connected screen shows.
/// `agent::apply` decides about presence and places; entries pass through a
/// `screen_feed` for each screen and session.
class agent_actor {
public:
  static constexpr const char* name = "agent";
  using handle = agent_ref;

  struct birth {
    agent_id id;
    std::optional<agent_row> row{}; ///< None: the directory does not know them.
    slot_number slot = 0;
    std::int64_t epoch = 0;
  };

  agent_actor(handle::pointer self, birth b, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

private:
  struct screen {
    std::shared_ptr<agent_screen> to;
    std::int64_t binding = 0;
    std::string home{}; ///< The node that has its socket.
    screen_position from{};
    std::map<session_id, screen_feed> feeds{};
  };

  /// Who picked a session waits for it, or for the reason why not.
  struct pick {
    std::int64_t number = 0;
    reply_to reply;
  };

  void told(const agent::event& x);
  void told(const screen_in& x);
  void take_in(const screen_in& x);
  bool look_up(screen_in x);
  void told(const screen_out& x);
  void told(const asked& x);
  void told(const session_given& x);
  void told(const session_taken& x);
  void told(const offer_made& x);
  void told(const offer_over& x);
  void told(const passed_on& x);
  void told(const filled& x);
  void told(const fill_on& x);
  void told(const may_read& x);
  void told(const pick_refused& x);
  void told(const neighbours_new& x);
  void told(const home_gone& x);

  // What an agent asks for: most of it is an event of the session.
  void asks(const ask::send& x, const reply_to& reply);
  void asks(const ask::note& x, const reply_to& reply);
  void asks(const ask::accept& x, const reply_to& reply);
  void asks(const ask::decline& x, const reply_to& reply);
  void asks(const ask::presence& x, const reply_to& reply);
  void asks(const ask::transfer& x, const reply_to& reply);
  void asks(const ask::hold& x, const reply_to& reply);
  void asks(const ask::resume& x, const reply_to& reply);
  void asks(const ask::close& x, const reply_to& reply);
  void asks(const ask::wrapped_up& x, const reply_to& reply);
  void asks(const ask::pick& x, const reply_to& reply);
  void asks(const ask::typing& x, const reply_to& reply);
  void asks(const ask::read& x, const reply_to& reply);
  void tell_channel(std::string_view what, const push::session_opened& of,
                    std::optional<std::int32_t> seq);

  void happen(const agent::event& x);
  void answer_pick(session_id of, const result<receipt>& what);

  void perform(const agent::grant&);
  void perform(const agent::refuse&);
  void perform(const agent::advertise&);
  void perform(const agent::withdraw&);
  void perform(const agent::lose&);
  void perform(const agent::save&);
  void perform(const agent::show_presence&);
  void perform(const agent::wake&);
  void perform(const agent::ignore&);

  void show(const agent_push& what);
  void claim(session_id what);
  void open(std::int64_t token, screen& at, const push::session_opened& what);
  void fill(std::int64_t token, session_id of, std::int32_t after,
            std::int32_t count);
  [[nodiscard]] push::presence presence() const;

  handle::pointer self_;
  agent::state state_;
  bool known_;
  bool looking_up_ = false;
  std::vector<agent_told> held_; ///< About screens, while we look ourselves up.
  slot_number slot_;
  std::int64_t epoch_;
  std::map<std::int64_t, screen> screens_;
  std::map<session_id, push::session_opened> open_; ///< On every screen.
  std::map<session_id, push::offer> offers_;
  std::map<session_id, pick> picks_; ///< Not answered yet.
  std::int64_t picks_made_ = 0;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
