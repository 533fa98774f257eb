#pragma once

#include "actors/cluster/peers.hpp"
#include "actors/front.hpp"

#include <bitset>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// The screens whose sockets are on this node. The agent's actor may live on
/// any node and may move; a screen stays signed in: whenever the agent's slot
/// starts anew, it signs in again from where it stands. Towards the socket this
/// looks like one unbroken feed: what it has is not shown again, and what it
/// lacks is asked for.
/// Thread safety: all members may be called from any thread.
class screens {
public:
  /// Brings a letter to the slot of an agent.
  using send = std::function<void(const agent_id&, agent_told)>;

  /// @param home "<node>/<incarnation>"
  screens(std::string home, send to);
  ~screens();

  void sign_in(const agent_id& who, std::shared_ptr<agent_screen> screen,
               screen_position from, front::callback<std::int64_t> done);
  void sign_out(const agent_id& who, std::int64_t key);

  /// Something for a screen, from the node of the agent's actor.
  void show(const wire::shown& what);

  /// The agents of these slots have new actors.
  void sign_in_again(const std::bitset<slots + 1>& which);

  /// Ends all: this node can serve nobody, and others can.
  void end_all(std::string_view reason);

  /// Signs those in again that have missed something. Once in a while.
  void tick();

private:
  class line;

  void bind(const std::shared_ptr<line>& x, reply_to done);

  std::string home_;
  send to_;
  std::mutex mutex_;
  std::int64_t made_; ///< Numbers the screens, from a random number on.
  std::map<std::int64_t, std::shared_ptr<line>> all_;
};

/// A screen whose socket is on another node.
std::shared_ptr<agent_screen> make_remote_screen(peers& post, std::string home,
                                                 std::int64_t key,
                                                 std::int64_t binding);

} // namespace switchboard
