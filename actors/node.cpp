#include "actors/node.hpp"

#include "actors/lane_reader.hpp"
#include "actors/policy_watch.hpp"
#include "actors/router_actor.hpp"
#include "actors/slot_actor.hpp"
#include "actors/world.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace switchboard {

namespace {

constexpr auto retry_time = std::chrono::milliseconds{250};
constexpr auto beat_time = std::chrono::milliseconds{200};
constexpr int outbox_read_max = 10'000;

/// The configuration of the actor system: as many workers as told, which share
/// one queue (idle stealing can delay a job by 10 ms).
struct actor_config : caf::actor_system_config {
  explicit actor_config(int threads) {
    rt::use_workers(*this, static_cast<std::size_t>(threads));
  }
};

/// Tries until it works, logging once what it waits for.
template <class T, class Try>
result<T> insist(const node::options& how, const char* what, Try attempt) {
  for (bool said = false;; said = true) {
    auto got = attempt();
    if (got || got.error().code != errc::unavailable)
      return got;
    if (!said)
      spdlog::warn("waiting for {}: {}", what, got.error().detail);
    if (how.give_up && how.give_up())
      return fail(errc::unavailable, got.error().detail);
    std::this_thread::sleep_for(retry_time);
  }
}

router::policy_choice choice_of(const policy_file& x) {
  return {x.acting, x.canary, x.canary_percent};
}

/// Everything is made in `begin` in the order of dependency and taken down in
/// the opposite order in `end`.
class local_node final : public node, public front {
public:
  explicit local_node(options how)
    : how_(std::move(how)),
      incarnation_(random_secret(8)),
      gate_(how_.in_flight_max) {
    // nop
  }

  ~local_node() override { end(); }

  result<void> begin();

  front& face() override { return *this; }
  void drain() override;

  // -- front ------------------------------------------------------------------

  void sign_in(const agent_id& who, std::shared_ptr<agent_screen> screen,
               screen_position from, callback<std::int64_t> done) override {
    world_->tell_agent(
      who, screen_in{std::move(screen), std::move(from), std::move(done)});
  }

  void sign_out(const agent_id& who, std::int64_t token) override {
    world_->tell_agent(who, screen_out{token});
  }

  void ask(const agent_id& who, agent_ask what,
           callback<receipt> done) override {
    world_->tell_agent(who, asked{std::move(what), std::move(done)});
  }

  void post(inbound what, callback<receipt> done) override;
  void history(const agent_id& who, session_id of, std::int32_t after,
               std::int32_t count_max,
               callback<std::vector<entry>> done) override;
  void person(const agent_id& who, session_id of, time_point before,
              std::int32_t count_max,
              callback<std::vector<person_line>> done) override;
  [[nodiscard]] std::vector<check> health() const override;
  [[nodiscard]] std::string metrics() const override;

private:
  result<void> check_database();
  result<void> claim_slots();
  result<bus::stream_state> ensure_streams();
  result<void> spawn_actors();
  result<void> listen(const bus::stream_state& stream);
  result<directory_ptr> read_directory();
  void send_pending();
  void arrive(slot_number slot, arrived what);
  void on_post(slot_number slot, const bus::packet& x);
  void beat();
  void refresh_directory();
  std::shared_ptr<router_tape> make_tape();
  void refresh_policy();
  void read_if_allowed(const agent_id& who, session_id of,
                       std::function<void(result<void>)> then);
  void end();

  [[nodiscard]] std::string application(const char* role) const {
    return "switchboard/" + how_.name.text + '/' + incarnation_ + '/' + role;
  }

  [[nodiscard]] std::unique_ptr<store> open_store(const char* role) const {
    return make_postgres_store(how_.postgres_url, application(role));
  }

  options how_;
  std::string incarnation_;
  statistics counted_;
  admission gate_;
  std::unique_ptr<store> store_; ///< Of begin(), then of the beating thread.
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
  std::vector<claimed_slot> owned_;
  directory_ptr known_;
  std::array<std::shared_ptr<slot_inbox>, slots> inboxes_{};
  std::vector<std::unique_ptr<bus::subscription>> listening_;

  std::thread beating_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  bool lease_held_ = false;
  bool ended_ = false;
};

// -- start --------------------------------------------------------------------

result<void> local_node::begin() {
  try {
    policies_ = std::make_unique<policy_watch>(how_.policy_file);
    tape_ = make_tape();
  } catch (const std::exception& e) {
    return fail(errc::malformed, e.what());
  }
  store_ = open_store("node");
  if (const auto ok = check_database(); !ok)
    return ok;
  auto wire = insist<std::unique_ptr<bus>>(
    how_, "nats-server", [this] { return connect_nats(how_.nats); });
  if (!wire)
    return wire.error();
  wire_ = std::move(*wire);
  const auto stream = insist<bus::stream_state>(
    how_, "JetStream", [this] { return ensure_streams(); });
  if (!stream)
    return stream.error();
  if (const auto ok = claim_slots(); !ok)
    return ok;
  if (const auto ok = spawn_actors(); !ok)
    return ok;
  send_pending();
  if (const auto ok = listen(*stream); !ok)
    return ok;
  beating_ = std::thread{[this] { beat(); }};
  spdlog::info("node {} serves {} slots", how_.name.text,
               counted_.slots_owned.load());
  return {};
}

/// @throws std::runtime_error when the record cannot be written
std::shared_ptr<router_tape> local_node::make_tape() {
  const auto& shadows = policies_->current().shadows;
  if (how_.router_record.empty() && shadows.empty())
    return nullptr;
  router_tape::options o{.shadows = shadows};
  if (!how_.router_record.empty()) {
    std::filesystem::create_directories(how_.router_record);
    o.file = how_.router_record + "/router-" + how_.name.text + '-'
             + std::to_string(now().time_since_epoch().count()) + ".jsonl";
  }
  o.on_disagreement = [this](const auto&) { ++counted_.disagreements; };
  return std::make_shared<router_tape>(std::move(o));
}

/// Nobody who waits loses their place: the router only thinks otherwise.
void local_node::refresh_policy() {
  if (how_.reload_asked && how_.reload_asked())
    policies_->look_again();
  const auto fresh = policies_->look();
  if (!fresh)
    return;
  world_->tell_router(router::policy_changed{choice_of(*fresh)});
  spdlog::info("policy {} decides from now on{}", fresh->acting.version,
               fresh->canary
                 ? ", policy " + std::to_string(fresh->canary->version)
                     + " about " + std::to_string(fresh->canary_percent)
                     + " % of the sessions"
                 : "");
}

result<void> local_node::check_database() {
  const auto durable = insist<void>(
    how_, "PostgreSQL", [this] { return check_durability(how_.postgres_url); });
  if (!durable)
    return durable;
  const auto schema = migration_status(how_.postgres_url);
  if (!schema)
    return schema.error();
  if (!schema->pending.empty())
    return fail(errc::forbidden,
                "the database is at version " + std::to_string(schema->current)
                  + " and this program needs " + std::to_string(schema->newest)
                  + "; run `switchboard db migrate` first");
  return {};
}

result<bus::stream_state> local_node::ensure_streams() {
  const auto stream = [this](const char* name, const char* subjects) {
    return bus::stream_config{.name = name,
                              .subjects = {subjects},
                              .bytes_max = how_.stream_bytes_max,
                              .age_max = how_.stream_age_max,
                              .replicas = how_.stream_replicas};
  };
  for (const auto& [name, subjects] : {std::pair{"SB_OUT", "sb.v1.out.>"},
                                       {"SB_EVT", "sb.v1.evt.>"},
                                       {"SB_DLQ", "sb.v1.dlq.>"}})
    if (const auto made = wire_->ensure_stream(stream(name, subjects)); !made)
      return made.error();
  return wire_->ensure_stream(stream("SB_IN", "sb.v1.slot.*.in.>"));
}

result<void> local_node::claim_slots() {
  const auto announced = insist<void>(how_, "PostgreSQL", [this] {
    return store_->announce(how_.name, incarnation_);
  });
  if (!announced)
    return announced;
  auto owned = insist<std::vector<claimed_slot>>(how_, "PostgreSQL", [this] {
    return store_->claim(how_.name, incarnation_);
  });
  if (!owned)
    return owned.error();
  owned_ = std::move(*owned);
  counted_.slots_owned = std::count_if(
    owned_.begin(), owned_.end(), [](const auto& x) { return x.slot < slots; });
  const std::lock_guard lock{mutex_};
  lease_held_ = true;
  return {};
}

result<directory_ptr> local_node::read_directory() {
  auto version = store_->directory_version();
  if (!version)
    return version.error();
  auto agents = store_->agents();
  if (!agents)
    return agents.error();
  auto queues = store_->queues();
  if (!queues)
    return queues.error();
  auto made = std::make_shared<directory>();
  made->version = *version;
  for (auto& x : *agents)
    made->agents.emplace(x.id, x);
  for (auto& x : *queues)
    made->queues.emplace(x.id, x);
  return directory_ptr{std::move(made)};
}

result<void> local_node::spawn_actors() {
  auto known = insist<directory_ptr>(how_, "PostgreSQL",
                                     [this] { return read_directory(); });
  if (!known)
    return known.error();
  known_ = *known;
  std::vector<slot_number> numbers;
  for (const auto& x : owned_)
    if (x.slot < slots)
      numbers.push_back(x.slot);
  auto open = insist<std::vector<session::state>>(
    how_, "PostgreSQL", [&] { return store_->open_sessions(numbers); });
  if (!open)
    return open.error();

  timers_ = std::make_unique<alarm>();
  writer_ = std::make_unique<writer>(open_store("writer"), how_.name,
                                     how_.batch_rows_max);
  std::vector<std::unique_ptr<store>> readers;
  for (int i = 0; i < std::max(how_.readers, 1); ++i)
    readers.push_back(open_store("reader"));
  reads_ = std::make_unique<query_pool>(std::move(readers));
  sender_ = std::make_unique<outbox_sender>(*wire_, *writer_, *timers_);
  lane_ = std::make_unique<lane_reader>(
    *wire_, *writer_, counted_, gate_,
    [this](slot_number slot, arrived x) { arrive(slot, std::move(x)); });
  *world_ = world{.wire = wire_.get(),
                  .log = writer_.get(),
                  .reads = reads_.get(),
                  .sender = sender_.get(),
                  .timers = timers_.get(),
                  .lane = lane_.get(),
                  .counted = &counted_};
  actor_config_ = std::make_unique<actor_config>(how_.threads);
  actors_ = std::make_unique<caf::actor_system>(*actor_config_);
  world_->router = rt::spawn<router_actor>(
    *actors_, router_actor::birth{choice_of(policies_->current()), tape_},
    std::shared_ptr<const world>{world_});
  std::array<std::vector<session::state>, slots> by_slot{};
  for (auto& s : *open)
    by_slot.at(slot_of(s.id)).push_back(std::move(s));
  // An actor may speak to any slot as soon as it lives: first all, then begin.
  for (const auto& x : owned_) {
    if (x.slot >= slots)
      continue;
    inboxes_.at(x.slot) = std::make_shared<slot_inbox>();
    world_->slot.at(x.slot) = rt::spawn<slot_actor>(
      *actors_, slot_actor::birth{x.slot, x.epoch, inboxes_.at(x.slot), known_},
      std::shared_ptr<const world>{world_});
  }
  for (std::size_t k = 0; k < slots; ++k)
    if (world_->slot.at(k) && !by_slot.at(k).empty())
      rt::post(world_->slot.at(k), slot_told{revive{std::move(by_slot.at(k))}});
  return {};
}

void local_node::send_pending() {
  std::vector<slot_number> numbers;
  for (const auto& x : owned_)
    numbers.push_back(x.slot);
  reads_->run([this, numbers](store& from) {
    const auto rows = from.pending_outbox(numbers, outbox_read_max);
    if (!rows)
      return;
    for (const auto& x : *rows)
      sender_->send(x);
  });
}

result<void> local_node::listen(const bus::stream_state& stream) {
  for (const auto& x : owned_) {
    if (x.slot >= slots)
      continue;
    auto made = wire_->subscribe(
      subject::slot_post_pattern(x.slot), "",
      [this, k = x.slot](const bus::packet& p) { on_post(k, p); });
    if (!made)
      return made.error();
    listening_.push_back(std::move(*made));
  }
  return lane_->start(owned_, stream);
}

// -- the path of a message ----------------------------------------------------

void local_node::on_post(slot_number slot, const bus::packet& x) {
  if (x.bytes.size() > payload_bytes_max) {
    reply_problem(
      *wire_, std::string(x.reply),
      fail(errc::too_large, "payload has " + std::to_string(x.bytes.size())
                              + " bytes, at most "
                              + std::to_string(payload_bytes_max)
                              + " are taken; send large content as a link"));
    ++counted_.refused;
    return;
  }
  if (!gate_.enter(counted_)) {
    ++counted_.overloaded;
    reply_problem(*wire_, std::string(x.reply),
                  fail(errc::overloaded,
                       "too many messages are under way; send the same id "
                       "again a little later"));
    return;
  }
  arrive(slot, arrived{.subject = std::string(x.subject),
                       .bytes = std::string(x.bytes),
                       .id = x.header("Nats-Msg-Id"),
                       .reply = std::string(x.reply),
                       .offset = 0,
                       .at = std::chrono::steady_clock::now()});
}

void local_node::arrive(slot_number slot, arrived what) {
  const auto& inbox = inboxes_.at(slot);
  if (inbox && inbox->put(std::move(what)))
    rt::post(world_->slot.at(slot), slot_told{inbox_filled{}});
}

void local_node::post(inbound what, callback<receipt> done) {
  if (!gate_.enter(counted_)) {
    ++counted_.overloaded;
    done(fail(errc::overloaded, "too many messages are under way"));
    return;
  }
  const auto slot = subject::slot_of(what.from);
  if (!world_->slot.at(slot)) {
    --counted_.in_flight;
    done(fail(errc::moved, "another node owns this contact"));
    return;
  }
  rt::post(world_->slot.at(slot),
           slot_told{from_gateway{
             job{session::customer_said{std::move(what)},
                 [this, done = std::move(done)](const result<receipt>& x) {
                   --counted_.in_flight;
                   done(x);
                 }}}});
}

// -- reading back -------------------------------------------------------------

void local_node::read_if_allowed(const agent_id& who, session_id of,
                                 std::function<void(result<void>)> then) {
  if (who.empty()) {
    then({});
    return;
  }
  world_->tell_agent(
    who,
    may_read{of, [this, who, of, then](bool known_here) {
               if (known_here) {
                 then({});
                 return;
               }
               const auto run = reads_->run([who, of, then](store& from) {
                 const auto row = from.session(of);
                 if (!row)
                   then(row.error());
                 else if (!*row)
                   then(fail(errc::not_found, "there is no such session"));
                 else if ((*row)->agent != who)
                   then(fail(errc::forbidden, "the session was never yours"));
                 else
                   then({});
               });
               if (!run)
                 then(fail(errc::overloaded, "too many reads are under way"));
             }});
}

void local_node::history(const agent_id& who, session_id of, std::int32_t after,
                         std::int32_t count_max,
                         callback<std::vector<entry>> done) {
  read_if_allowed(who, of, [=, this](const result<void>& allowed) {
    if (!allowed) {
      done(allowed.error());
      return;
    }
    if (!reads_->run(
          [=](store& from) { done(from.entries(of, after, count_max)); }))
      done(fail(errc::overloaded, "too many reads are under way"));
  });
}

void local_node::person(const agent_id& who, session_id of, time_point before,
                        std::int32_t count_max,
                        callback<std::vector<person_line>> done) {
  read_if_allowed(who, of, [=, this](const result<void>& allowed) {
    if (!allowed) {
      done(allowed.error());
      return;
    }
    const auto read = [=](store& from) {
      const auto row = from.session(of);
      if (!row || !*row) {
        done(row ? fail(errc::not_found, "there is no such session")
                 : row.error());
        return;
      }
      const auto lines = from.history((*row)->who, before, count_max);
      if (!lines) {
        done(lines.error());
        return;
      }
      std::vector<person_line> all;
      for (const auto& x : *lines)
        all.push_back({x.session, x.channel, x.what});
      done(std::move(all));
    };
    if (!reads_->run(read))
      done(fail(errc::overloaded, "too many reads are under way"));
  });
}

std::vector<front::check> local_node::health() const {
  const auto log = writer_->stats();
  const auto wire = wire_->stats();
  const auto owned = counted_.slots_owned.load();
  const std::lock_guard lock{mutex_};
  return {
    {"database", log.connected,
     log.connected ? "connected" : "the writer has no connection"},
    {"bus", wire.connected,
     wire.connected ? "connected" : "no connection to any nats-server"},
    {"lease", lease_held_,
     lease_held_ ? "held"
                 : "another process runs under this node's name, or "
                   "the database is away"},
    {"slots", owned > 0, std::to_string(owned) + " of 64 owned"},
    {"draining", !stopping_, stopping_ ? "the node stops" : "no"},
  };
}

std::string local_node::metrics() const {
  auto text = counted_.write();
  const auto log = writer_->stats();
  const auto add = [&](const char* name, const char* type, const char* help,
                       auto value) {
    text += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name
            + ' ' + type + '\n' + name + ' ' + std::to_string(value) + '\n';
  };
  add("switchboard_writer_commits_total", "counter", "Group commits.",
      log.commits);
  add("switchboard_writer_rows_total", "counter", "Entries committed.",
      log.rows);
  add("switchboard_writer_repeats_total", "counter",
      "Batches sent again because their outcome was unknown.", log.repeats);
  add("switchboard_writer_depth", "gauge",
      "Writes submitted and not yet committed.", writer_->depth());
  add("switchboard_outbox_depth", "gauge",
      "Outbox rows on their way to the broker.", sender_->depth());
  add("switchboard_outbox_sent_total", "counter",
      "Outbox rows stored by the broker.", sender_->sent());
  const auto wire = wire_->stats();
  add("switchboard_bus_reconnects_total", "counter",
      "Reconnections to a nats-server.", wire.reconnects);
  add("switchboard_bus_dropped_total", "counter",
      "Packets dropped by full subscriptions. Must stay 0.", wire.dropped);
  return text;
}

// -- care ---------------------------------------------------------------------

/// Keeps the lease, writes watermarks, sweeps the router, notices edits.
void local_node::beat() {
  for (int round = 0;; ++round) {
    {
      std::unique_lock lock{mutex_};
      if (stopping_changed_.wait_for(lock, beat_time,
                                     [this] { return stopping_; }))
        return;
    }
    const auto kept = store_->renew(how_.name, incarnation_);
    if (!kept && kept.error().code == errc::moved) {
      spdlog::critical("another process runs as node '{}'; this one stops "
                       "serving. Give every node a name of its own.",
                       how_.name.text);
      for (const auto& x : world_->slot)
        if (x)
          rt::post(x, slot_told{slot_lost{}});
    }
    {
      const std::lock_guard lock{mutex_};
      lease_held_ = kept.has_value();
    }
    if (kept.has_error() && kept.error().code == errc::moved)
      return;
    lane_->tick();
    if (round % 5 == 0) {
      world_->tell_router(router::swept{});
      refresh_directory();
      refresh_policy();
      if (sender_->wants_more())
        send_pending();
    }
  }
}

void local_node::refresh_directory() {
  const auto version = store_->directory_version();
  if (!version || *version == known_->version)
    return;
  const auto fresh = read_directory();
  if (!fresh)
    return;
  known_ = *fresh;
  for (const auto& x : world_->slot)
    if (x)
      rt::post(x, slot_told{directory_changed{known_}});
}

// -- end ----------------------------------------------------------------------

void local_node::drain() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopping_, true))
      return;
  }
  stopping_changed_.notify_all();
  listening_.clear(); // Each drains: what was delivered is handled.
  if (lane_)
    lane_->stop();
}

void local_node::end() {
  if (std::exchange(ended_, true))
    return;
  drain();
  if (beating_.joinable())
    beating_.join();
  // What was accepted is committed and answered before anything goes away.
  const auto patience =
    std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (counted_.in_flight > 0 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  if (sender_)
    sender_->stop();
  if (timers_)
    timers_->stop();
  if (reads_)
    reads_->stop();
  for (const auto& x : world_->slot)
    if (x)
      rt::post(x, slot_told{stop{}});
  if (world_->router)
    rt::post(world_->router, router_told{stop{}});
  while (writer_ && writer_->depth() > 0
         && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  // With the database away the writer gives up first: its callbacks hold the
  // sessions that the actor system would wait for.
  if (writer_ && writer_->depth() > 0)
    writer_.reset();
  actors_.reset();
  writer_.reset();
  if (store_ && lease_held_)
    static_cast<void>(store_->release(how_.name, incarnation_));
}

} // namespace

result<std::unique_ptr<node>> node::start(options how) {
  auto made = std::make_unique<local_node>(std::move(how));
  if (const auto ok = made->begin(); !ok)
    return ok.error();
  return std::unique_ptr<node>{std::move(made)};
}

} // namespace switchboard
