#include "actors/node.hpp"

#include "actors/local_node.hpp"
#include "actors/router_actor.hpp"
#include "actors/slot_actor.hpp"
#include "config/child_process.hpp"
#include "config/thread_name.hpp"
#include "persistence/postgres/postgres_leases.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace switchboard {

namespace {

constexpr auto retry_time = std::chrono::milliseconds{250};
/// So long a start waits for the cluster to agree who owns what.
constexpr auto join_time = std::chrono::milliseconds{5000};
constexpr auto drain_time = std::chrono::milliseconds{5000};

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

} // namespace

local_node::local_node(options how)
  : how_(std::move(how)),
    incarnation_(random_secret(8)),
    gate_(how_.in_flight_max) {
  // nop
}

local_node::~local_node() {
  end();
}

std::unique_ptr<store> local_node::open_store(const char* role) const {
  return make_postgres_store(how_.postgres_url, application(role));
}

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
  if (const auto ok = connect(); !ok)
    return ok;
  const auto stream = insist<bus::stream_state>(
    how_, "JetStream", [this] { return ensure_streams(); });
  if (!stream)
    return stream.error();
  if (const auto ok = make_parts(*stream); !ok)
    return ok;
  spawn_actors();
  if (const auto ok = join(); !ok)
    return ok;
  if (const auto ok = listen_to_signs(); !ok)
    return ok;
  caring_ = std::thread{[this] {
    name_thread("care");
    care();
  }};
  const auto until = clock::now() + join_time;
  while (clock::now() < until && keeper_->now().known <= slots
         && !(how_.give_up && how_.give_up()))
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  spdlog::info("node {} serves {} slots", how_.name.text, keeper_->now().owned);
  return {};
}

result<void> local_node::check_database() {
  const auto durable = insist<void>(
    how_, "PostgreSQL", [this] { return check_durability(how_.postgres_url); });
  if (!durable)
    return durable;
  const auto schema = insist<migration_state>(
    how_, "PostgreSQL", [this] { return migration_status(how_.postgres_url); });
  if (!schema)
    return schema.error();
  if (!schema->pending.empty())
    return fail(errc::forbidden,
                "the database is at version " + std::to_string(schema->current)
                  + " and this program needs " + std::to_string(schema->newest)
                  + "; run `switchboard db migrate` first");
  return {};
}

bus::stream_config local_node::stream(const char* name,
                                      const char* subjects) const {
  return {.name = name,
          .subjects = {subjects},
          .bytes_max = how_.stream_bytes_max,
          .age_max = how_.stream_age_max,
          .replicas = how_.stream_replicas};
}

result<bus::stream_state> local_node::ensure_streams() {
  for (const auto& [name, subjects] : {std::pair{"SB_OUT", "sb.v1.out.>"},
                                       {"SB_EVT", "sb.v1.evt.>"},
                                       {"SB_DLQ", "sb.v1.dlq.>"}})
    if (const auto made = wire_->ensure_stream(stream(name, subjects)); !made)
      return made.error();
  return wire_->ensure_stream(stream("SB_IN", "sb.v1.slot.*.in.>"));
}

result<void> local_node::connect() {
  auto wire = insist<std::unique_ptr<bus>>(
    how_, "nats-server", [this] { return connect_nats(how_.nats); });
  if (!wire)
    return wire.error();
  wire_ = std::move(*wire);
  return {};
}

result<void> local_node::make_parts(const bus::stream_state& stream) {
  auto known = insist<directory_ptr>(how_, "PostgreSQL",
                                     [this] { return read_directory(); });
  if (!known)
    return known.error();
  known_ = *known;
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
    [this](slot_number slot, arrived x) { arrive(slot, std::move(x)); },
    [this] {
      return wire_->ensure_stream(this->stream("SB_IN", "sb.v1.slot.*.in.>"));
    });
  lane_->start(stream);
  peers_ = std::make_unique<peers>(*wire_, how_.name, peer_handlers());
  screens_ = std::make_unique<screens>(
    home(), [this](const agent_id& who, agent_told what) {
      world_->tell_agent(who, std::move(what));
    });
  visits_ = std::make_unique<visitors>(
    home(),
    visitors::handlers{
      .tell = [this](slot_number slot,
                     letter x) { world_->tell(slot, std::move(x)); },
      .pass_on = [this](const std::string& to,
                        const wire::visited& x) { peers_->show(to, x); },
      .read =
        [this](std::function<void(store&)> what) {
          return reads_->run(std::move(what));
        }});
  keeper_ = std::make_unique<keeper>(
    keeper::options{.me = how_.name,
                    .incarnation = incarnation_,
                    .address = how_.address,
                    .open =
                      [this] {
                        return make_postgres_leases(how_.postgres_url,
                                                    application("lease"));
                      },
                    .rules = how_.leases},
    keeper_handlers());
  return {};
}

/// All actors first: each may speak to any other as soon as it lives.
void local_node::spawn_actors() {
  *world_ = world{.wire = wire_.get(),
                  .log = writer_.get(),
                  .reads = reads_.get(),
                  .sender = sender_.get(),
                  .timers = timers_.get(),
                  .lane = lane_.get(),
                  .counted = &counted_,
                  .post = peers_.get(),
                  .visits = visits_.get(),
                  .persons = how_.persons,
                  .agent_grace = how_.agent_grace};
  world_->on_fenced = [this](slot_number slot, std::int64_t epoch) {
    keeper_->tell(membership::fenced{slot, epoch});
  };
  world_->on_stray = [this] { keeper_->hurry(); };
  world_->on_served = [this](slot_number slot) { peers_->say_served(slot); };
  world_->on_quiet = [this](slot_number slot, std::int64_t epoch) {
    keeper_->tell(membership::quiet{slot, epoch});
  };
  actor_config_ = std::make_unique<actor_config>(how_.threads);
  actors_ = std::make_unique<caf::actor_system>(*actor_config_);
  const std::shared_ptr<const world> shared{world_};
  world_->router = rt::spawn<router_actor>(
    *actors_, router_actor::birth{choice_of(policies_->current()), tape_},
    shared);
  for (std::size_t k = 0; k < slots; ++k) {
    inboxes_.at(k) = std::make_shared<slot_inbox>();
    world_->slot.at(k) = rt::spawn<slot_actor>(
      *actors_,
      slot_actor::birth{static_cast<slot_number>(k), inboxes_.at(k), known_},
      shared);
  }
}

result<void> local_node::join() {
  if (const auto ok = peers_->start(); !ok)
    return ok;
  return insist<void>(how_, "PostgreSQL", [this] { return keeper_->start(); });
}

// -- end ----------------------------------------------------------------------

void local_node::drain() {
  if (keeper_ && !keeper_->drain(drain_time))
    spdlog::info("no other node takes the slots");
}

void local_node::end() {
  if (std::exchange(ended_, true))
    return;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  if (caring_.joinable())
    caring_.join();
  if (keeper_)
    keeper_->stop();
  end_listeners();
  signs_.clear();
  services_.reset();
  if (lane_)
    lane_->stop();
  // What was accepted is committed and answered before anything goes away.
  const auto patience = clock::now() + std::chrono::seconds{5};
  while (counted_.in_flight > 0 && clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  if (peers_)
    peers_->stop();
  if (sender_)
    sender_->stop();
  if (timers_)
    timers_->stop();
  if (reads_)
    reads_->stop();
  if (actors_) {
    tell_all_slots(slot_told{stop{}});
    rt::post(world_->router, router_told{stop{}});
  }
  while (writer_ && writer_->depth() > 0 && clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  // With the database away the writer gives up first: its callbacks hold the
  // sessions that the actor system would wait for.
  if (writer_ && writer_->depth() > 0)
    writer_.reset();
  actors_.reset();
  writer_.reset();
  if (keeper_)
    keeper_->release();
}

result<std::unique_ptr<node>> node::start(options how) {
  auto made = std::make_unique<local_node>(std::move(how));
  if (const auto ok = made->begin(); !ok)
    return ok.error();
  return std::unique_ptr<node>{std::move(made)};
}

} // namespace switchboard
