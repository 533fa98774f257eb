#pragma once

#include "actors/cluster/wire.hpp"
#include "actors/front.hpp"
#include "actors/visit_feed.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchboard {

/// Who looks at which contact's conversation. On every node it holds two
/// things: the customers whose sockets are here, and, for the slots that this
/// node owns, which other nodes have sockets of a contact. A session shows its
/// lines once; they go to the sockets here, and once to each other node that
/// has some. Nothing is subscribed to for a session or a connection.
///
/// The owner keeps none of it: when a slot starts anew, every node tells it
/// again whom it has there. What was missed meanwhile is read from the store,
/// where every line is before it is shown. So a push may be lost at any time.
/// Thread safety: all members may be called from any thread.
class visitors {
public:
  struct handlers {
    std::function<void(slot_number, letter)> tell;
    std::function<void(const std::string& home, const wire::visited&)> pass_on;
    /// @returns false when too many reads wait
    std::function<bool(std::function<void(store&)>)> read;
  };

  /// @param home "<node>/<incarnation>"
  visitors(std::string home, handlers to);
  ~visitors();

  // -- sockets of this node ---------------------------------------------------

  /// @returns a token for `leave`, at once
  std::int64_t come(const contact& who, std::shared_ptr<visitor_screen> screen,
                    visit::position from, front::callback<receipt> done);
  void leave(const contact& who, std::int64_t token);

  /// A session has shown this, here or on the node that owns it.
  void show(const contact& who, const visit_push& what);

  /// From another node.
  void on_visited(const wire::visited& x);

  /// The contacts of these slots have new actors.
  void look_again(const std::bitset<slots + 1>& which);

  /// Ends all: this node can serve nobody, and others can.
  void end_all(std::string_view reason);

  /// Goes on where something had to wait. Once in a while.
  void tick();

  // -- slots of this node -----------------------------------------------------

  /// A node has, or has no more, sockets of this contact.
  void here(const contact& who, const std::string& home);
  void gone(const contact& who, const std::string& home);
  void home_gone(const std::string& home);
  void forget(slot_number slot);

  /// True if anybody looks: then it is worth showing something.
  [[nodiscard]] bool watched(slot_number slot, const contact& who) const;

  [[nodiscard]] const std::string& home() const { return home_; }
  [[nodiscard]] std::size_t count() const { return count_; }

private:
  struct line;
  struct place {
    std::vector<std::shared_ptr<line>> here{};
    std::vector<std::shared_ptr<const std::string>> there{};
  };
  [[nodiscard]] static bool nobody(const place& x) {
    return x.here.empty() && x.there.empty();
  }
  struct shelf {
    mutable std::mutex mutex;
    std::unordered_map<contact, place> all;
  };

  bool show_here(const contact& who, const visit_push& what,
                 std::vector<std::shared_ptr<const std::string>>& there);
  void ask_owner(const contact& who, reply_to done);
  void settle(const contact& who, const receipt& now);
  void fill(const std::shared_ptr<line>& x);
  void filled(const std::shared_ptr<line>& x,
              const result<std::vector<entry>>& lines);
  void wait(const std::shared_ptr<line>& x);
  void doubt(const contact& who);
  std::shared_ptr<const std::string> same(const std::string& home);

  std::string home_;
  handlers to_;
  std::array<shelf, slots> shelves_;
  std::atomic<std::int64_t> made_{0};
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_; ///< Guards what follows; taken after a shelf's.
  std::vector<std::weak_ptr<line>> waiting_;
  std::vector<contact> doubted_;
  std::vector<std::shared_ptr<const std::string>> homes_;
};

} // namespace switchboard
