#pragma once

#include "actors/cluster/wire.hpp"
#include "actors/domain/membership.hpp"
#include "bus/bus.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace switchboard {

/// The post between nodes: knows who owns which slot, carries letters there,
/// and brings answers back. A letter that somebody waits for is sent again to
/// the next owner when a slot moves, and answered `unavailable` in the end; one
/// that nobody waits for may be lost, as may any push (see `neighbours_new`).
/// Thread safety: all members may be called from any thread.
class peers {
public:
  using clock = std::chrono::steady_clock;

  /// How long a request may take, over all its repetitions.
  static constexpr auto patience = std::chrono::milliseconds{8000};
  /// A request whose owner was not there is tried again after so long.
  static constexpr auto pause = std::chrono::milliseconds{50};
  static constexpr std::size_t pending_max = 100'000;

  struct handlers {
    /// Something for a slot of (hopefully) this node.
    std::function<void(slot_number, letter)> on_letter;
    std::function<void(const wire::shown&)> on_shown;
    std::function<void(const wire::visited&)> on_visited;
    /// A slot was handed to us, or something else worth a look has happened.
    std::function<void()> on_notice;
    /// These slots of another node were out of reach for a while.
    std::function<void(const std::bitset<slots + 1>&)> on_anew;
    /// Another node serves a slot that it has taken.
    std::function<void(slot_number)> on_served;
    /// Others took a node of our name and this incarnation for dead.
    std::function<void(std::string_view incarnation)> on_buried;
    /// How this node is, for operators: its metrics.
    std::function<std::string()> on_stats;
  };

  peers(bus& wire, node_id me, handlers to);
  ~peers();
  peers(const peers&) = delete;
  peers& operator=(const peers&) = delete;

  /// Begins to listen.
  result<void> start();
  void stop();

  void reroute(const std::vector<membership::place>& changed);

  /// The other node that owns the slot; nothing if it is us, or unknown.
  [[nodiscard]] std::optional<node_id> owner(slot_number slot) const;

  /// Sends `what` to the owner of the slot.
  /// @returns false, and `what` is untouched, while no other owner is known
  bool send(slot_number slot, letter& what);

  /// Sends a push to the node at `home` ("<node>/<incarnation>").
  void show(const std::string& home, const wire::shown& what);

  /// The same for a contact.
  void show(const std::string& home, const wire::visited& what);

  /// Tells a node that something of its has changed in the database.
  void notify(const node_id& to);

  /// Tells all other nodes that what they have sent to these slots (and was not
  /// answered) may be lost: the bus was away.
  void say_anew(const std::bitset<slots + 1>& which);

  /// Tells all other nodes that this slot is served here now: whoever gave it
  /// away may give the next one.
  void say_served(slot_number slot);

  /// Tells a node that it was taken for dead, in case it lives and only has no
  /// database.
  void say_buried(const node_id& whom, std::string_view incarnation);

  /// Tries again what is due, gives up what is late. A few times a second.
  void tick();

  /// How often anything was sent to another node.
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

private:
  struct request {
    slot_number slot = 0;
    std::string bytes;
    reply_to reply;
    clock::time_point late_at;
    std::optional<clock::time_point> again_at{};
  };

  [[nodiscard]] std::set<node_id> others() const;
  void on_packet(const bus::packet& x);
  void on_parcel(std::string_view bytes);
  void on_answer(std::string_view bytes);
  void try_again(std::uint64_t number);
  bool publish(const node_id& to, std::string_view verb,
               std::string_view bytes);

  bus& wire_;
  node_id me_;
  handlers to_;
  mutable std::mutex mutex_;
  std::array<node_id, slots + 1> owner_{};
  std::map<std::uint64_t, request> pending_;
  std::uint64_t made_;
  std::atomic<std::uint64_t> sent_{0};
  std::unique_ptr<bus::subscription> listening_;
};

} // namespace switchboard
