#pragma once

#include "actors/cluster/keeper.hpp"
#include "actors/cluster/screens.hpp"
#include "actors/cluster/visitors.hpp"
#include "actors/lane_reader.hpp"
#include "actors/node.hpp"
#include "actors/policy_watch.hpp"
#include "actors/router_tape.hpp"
#include "actors/services.hpp"
#include "actors/world.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace switchboard {

/// A node and its face. Everything is made in `begin` in the order of
/// dependency and taken down in the opposite order in `end` (node.cpp); what it
/// owns comes and goes (node_slots.cpp); gateways call it (node_front.cpp).
class local_node final : public node, public front {
public:
  explicit local_node(options how);
  ~local_node() override;

  /// To be called once, before everything else.
  result<void> begin();

  front& face() override { return *this; }
  void drain() override;

  // -- front ------------------------------------------------------------------

  void sign_in(const agent_id& who, std::shared_ptr<agent_screen> screen,
               screen_position from, callback<std::int64_t> done) override;
  void sign_out(const agent_id& who, std::int64_t token) override;
  void ask(const agent_id& who, agent_ask what,
           callback<receipt> done) override;
  void post(inbound what, callback<receipt> done) override;
  std::int64_t come(const contact& who, std::shared_ptr<visitor_screen> screen,
                    visit::position from, callback<receipt> done) override;
  void leave(const contact& who, std::int64_t token) override;
  void sign(const contact& who, std::optional<std::int32_t> read) override;
  void recall(const contact& who, session_id of, std::int32_t before,
              std::int32_t count_max,
              callback<std::vector<entry>> done) override;
  void history(const agent_id& who, session_id of, std::int32_t after,
               std::int32_t count_max,
               callback<std::vector<entry>> done) override;
  void person(const agent_id& who, session_id of, time_point before,
              std::int32_t count_max,
              callback<std::vector<person_line>> done) override;
  [[nodiscard]] std::vector<check> health() const override;
  [[nodiscard]] std::string metrics() const override;

private:
  using clock = std::chrono::steady_clock;

  /// The configuration of the actor system: as many workers as told, which
  /// share one queue (idle stealing can delay a job by 10 ms).
  struct actor_config : caf::actor_system_config {
    explicit actor_config(int threads) {
      rt::use_workers(*this, static_cast<std::size_t>(threads));
    }
  };

  // Start and end (node.cpp).
  result<void> check_database();
  result<bus::stream_state> ensure_streams();
  [[nodiscard]] bus::stream_config stream(const char* name,
                                          const char* subjects) const;
  result<void> connect();
  result<void> make_parts(const bus::stream_state& stream);
  void spawn_actors();
  result<void> join();
  void end();

  // What is owned (node_slots.cpp).
  [[nodiscard]] keeper::handlers keeper_handlers();
  [[nodiscard]] peers::handlers peer_handlers();
  void on_serve(const lease_book::taken& what);
  void on_stop(slot_number slot, std::int64_t epoch);
  void on_reroute(const std::vector<membership::place>& what);
  void on_suspend(bool suspended);
  void listen(slot_number slot);
  void send_pending(std::vector<slot_number> of);
  [[nodiscard]] bool cut_off() const;
  void send_sockets_away();
  void tell_neighbours(const std::bitset<slots + 1>& which);
  void tell_all_slots(const slot_told& what);
  void arrive(slot_number slot, arrived what);
  void on_post(slot_number slot, const bus::packet& x);
  result<void> listen_to_signs();
  void on_sign(const bus::packet& x);
  void care();
  void look_at_bus();
  void end_listeners();
  void refresh_directory();
  void refresh_replicas();
  [[nodiscard]] std::shared_ptr<router_tape> make_tape();
  void refresh_policy();
  result<directory_ptr> read_directory();
  void set_clock(queue_row& of);

  void read_if_allowed(const agent_id& who, session_id of,
                       std::function<void(result<void>)> then);

  [[nodiscard]] std::string application(const char* role) const {
    return "switchboard/" + how_.name.text + '/' + incarnation_ + '/' + role;
  }
  [[nodiscard]] std::string home() const {
    return how_.name.text + '/' + incarnation_;
  }
  [[nodiscard]] std::unique_ptr<store> open_store(const char* role) const;

  options how_;
  std::string incarnation_;
  statistics counted_;
  admission gate_;
  std::unique_ptr<store> store_; ///< Of begin(), then of the keeper's thread.
  std::unique_ptr<bus> wire_;
  std::unique_ptr<alarm> timers_;
  std::unique_ptr<writer> writer_;
  std::unique_ptr<query_pool> reads_;
  std::unique_ptr<outbox_sender> sender_;
  std::unique_ptr<policy_watch> policies_; ///< Like `store_`.
  std::shared_ptr<router_tape> tape_;
  std::unique_ptr<actor_config> actor_config_;
  std::unique_ptr<caf::actor_system> actors_;
  std::shared_ptr<world> world_ = std::make_shared<world>();
  std::unique_ptr<lane_reader> lane_;
  std::unique_ptr<peers> peers_;
  std::unique_ptr<screens> screens_;
  std::unique_ptr<visitors> visits_;
  std::unique_ptr<keeper> keeper_;
  std::unique_ptr<services> services_;
  std::vector<std::unique_ptr<bus::subscription>> signs_;
  directory_ptr known_;
  std::chrono::steady_clock::time_point replicas_due_{};
  std::map<std::string, std::shared_ptr<const time_zone>> clocks_{};
  std::array<std::shared_ptr<slot_inbox>, slots> inboxes_{};

  /// A subscription that is no longer ours ends a little later: what was on its
  /// way to us is passed on.
  struct leaving_listener {
    clock::time_point until;
    std::unique_ptr<bus::subscription> what;
  };

  std::thread caring_;
  mutable std::mutex mutex_; ///< Guards what follows.
  std::condition_variable stopping_changed_;
  std::array<std::int64_t, slots + 1> serving_{}; ///< Epoch; 0: not ours.
  std::array<std::unique_ptr<bus::subscription>, slots> listening_;
  std::vector<leaving_listener> leaving_;
  std::bitset<slots + 1> started_anew_; ///< To be told to all, soon.
  std::atomic<bool> bus_connected_ = true;
  std::uint64_t bus_reconnects_ = 0;
  bool suspended_ = false;
  bool stopping_ = false;
  bool ended_ = false;
};

} // namespace switchboard
