// What a node owns comes and goes: this is what it does about it.
#include "actors/local_node.hpp"

#include "bus/subject.hpp"
#include "config/zone_file.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace switchboard {

namespace {

constexpr auto care_time = std::chrono::milliseconds{100};
/// So long after a slot has moved its messages are passed on.
constexpr auto leaving_time = std::chrono::milliseconds{500};
constexpr int outbox_read_max = 10'000;

} // namespace

keeper::handlers local_node::keeper_handlers() {
  return {
    .on_serve = [this](const lease_book::taken& x) { on_serve(x); },
    .on_stop = [this](const membership::stop& x) { on_stop(x.slot, x.epoch); },
    .on_settle =
      [this](const membership::settle& x) {
        if (x.slot == router_slot) // Nothing of it is kept: at once.
          reads_->run([this, x](store&) {
            keeper_->tell(membership::quiet{x.slot, x.epoch});
          });
        else
          rt::post(world_->slot.at(x.slot), slot_told{settle_slot{x.epoch}});
      },
    .on_resume =
      [this](const membership::resume& x) {
        if (x.slot < slots)
          rt::post(world_->slot.at(x.slot), slot_told{resume_slot{x.epoch}});
      },
    .on_reroute = [this](const membership::reroute& x) { on_reroute(x.what); },
    .on_bury =
      [this](const membership::bury& x) {
        const auto home = x.node.text + '/' + x.incarnation;
        tell_all_slots(slot_told{home_gone{home}});
        visits_->home_gone(home);
        peers_->say_buried(x.node, x.incarnation);
      },
    .on_handed_over =
      [this](const membership::handed_over& x) { peers_->notify(x.to); },
    .on_suspend = [this](bool suspended) { on_suspend(suspended); },
    .on_second =
      [this] {
        refresh_directory();
        refresh_replicas();
        refresh_policy();
        if (!sender_->wants_more())
          return;
        std::vector<slot_number> mine;
        {
          const std::lock_guard lock{mutex_};
          for (std::size_t k = 0; k < serving_.size(); ++k)
            if (serving_.at(k) > 0)
              mine.push_back(static_cast<slot_number>(k));
        }
        send_pending(std::move(mine));
      }};
}

peers::handlers local_node::peer_handlers() {
  return {
    .on_letter = [this](slot_number slot,
                        letter x) { world_->tell(slot, std::move(x)); },
    .on_shown = [this](const wire::shown& x) { screens_->show(x); },
    .on_visited = [this](const wire::visited& x) { visits_->on_visited(x); },
    .on_notice = [this] { keeper_->hurry(); },
    .on_anew =
      [this](const std::bitset<slots + 1>& which) {
        const std::lock_guard lock{mutex_};
        started_anew_ |= which;
      },
    .on_served =
      [this](slot_number slot) { keeper_->tell(membership::served{slot}); },
    .on_buried =
      [this](std::string_view incarnation) {
        // If we are back, our sockets have signed in again.
        if (incarnation == incarnation_ && cut_off())
          send_sockets_away();
      },
    .on_stats = [this] { return metrics(); }};
}

// -- slots come and go --------------------------------------------------------

void local_node::on_serve(const lease_book::taken& x) {
  const auto slot = x.what.slot;
  const auto epoch = x.what.epoch;
  {
    const std::lock_guard lock{mutex_};
    serving_.at(slot) = epoch;
    if (slot < slots && !suspended_ && !stopping_)
      listen(slot);
  }
  if (slot == router_slot) {
    rt::post(world_->router, router_told{slot_claimed{epoch}});
    peers_->say_served(slot);
    return;
  }
  rt::post(world_->slot.at(slot), slot_told{slot_claimed{epoch}});
  lane_->own({slot, epoch, x.offset, x.stream});
  send_pending({slot});
}

/// @pre the mutex is held
void local_node::listen(slot_number slot) {
  // Without a connection the library lets us wait for its lock; `care` comes
  // back when there is one.
  if (listening_.at(slot) || !bus_connected_)
    return;
  auto made =
    wire_->subscribe(subject::slot_post_pattern(slot), "",
                     [this, slot](const bus::packet& p) { on_post(slot, p); });
  if (made)
    listening_.at(slot) = std::move(*made);
  else
    spdlog::error("slot {}: cannot listen, trying again: {}", slot,
                  made.error().detail);
}

void local_node::on_stop(slot_number slot, std::int64_t epoch) {
  {
    const std::lock_guard lock{mutex_};
    serving_.at(slot) = 0;
    if (slot < slots && listening_.at(slot))
      leaving_.push_back({clock::now() + leaving_time,
                          std::exchange(listening_.at(slot), nullptr)});
  }
  if (slot == router_slot) {
    rt::post(world_->router, router_told{slot_lost{epoch}});
    return;
  }
  rt::post(world_->slot.at(slot), slot_told{slot_lost{epoch}});
  lane_->disown(slot, epoch);
}

void local_node::on_reroute(const std::vector<membership::place>& what) {
  peers_->reroute(what);
  for (const auto& x : what)
    if (x.slot == router_slot)
      rt::post(world_->router, router_told{route_known{}});
    else
      rt::post(world_->slot.at(x.slot), slot_told{route_known{}});
  const std::lock_guard lock{mutex_};
  for (const auto& x : what)
    if (!x.owner.empty())
      started_anew_.set(x.slot);
}

/// While nobody knows whether we still own anything we take nothing new: who
/// asks, finds nobody here, and asks again.
void local_node::on_suspend(bool suspended) {
  const std::lock_guard lock{mutex_};
  suspended_ = suspended;
  if (!suspended)
    // Others may have taken us for dead, and our sockets with us.
    started_anew_.set();
  for (slot_number k = 0; k < slots; ++k)
    if (suspended && listening_.at(k))
      leaving_.push_back(
        {clock::now(), std::exchange(listening_.at(k), nullptr)});
    else if (!suspended && serving_.at(k) > 0)
      listen(k);
}

/// True while this node can serve nobody: without its lease, or without the bus
/// when others have taken its slots.
bool local_node::cut_off() const {
  const auto hears = wire_->stats().connected;
  const std::lock_guard lock{mutex_};
  return suspended_
         || (!hears
             && std::all_of(serving_.begin(), serving_.end(),
                            [](auto epoch) { return epoch == 0; }));
}

/// Nothing would tell them that they are not heard: their agents' actors live
/// elsewhere now, and do not know of them.
void local_node::send_sockets_away() {
  screens_->end_all("unavailable");
  visits_->end_all("unavailable: come back, and resume");
}

void local_node::send_pending(std::vector<slot_number> of) {
  reads_->run([this, of = std::move(of)](store& from) {
    const auto rows = from.pending_outbox(of, outbox_read_max);
    if (!rows)
      return;
    for (const auto& x : *rows)
      sender_->send(x);
  });
}

/// Some slots have new actors, here or elsewhere, which know nothing of us.
void local_node::tell_neighbours(const std::bitset<slots + 1>& which) {
  tell_all_slots(slot_told{neighbours_new{which}});
  screens_->sign_in_again(which);
  visits_->look_again(which);
}

void local_node::tell_all_slots(const slot_told& what) {
  for (const auto& x : world_->slot)
    rt::post(x, what);
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
  if (inboxes_.at(slot)->put(std::move(what)))
    rt::post(world_->slot.at(slot), slot_told{inbox_filled{}});
}

// -- care ---------------------------------------------------------------------

/// Ten times a second: what must not wait for the database.
void local_node::care() {
  for (int round = 1;; ++round) {
    std::bitset<slots + 1> anew;
    {
      std::unique_lock lock{mutex_};
      if (stopping_changed_.wait_for(
            lock, care_time,
            [this] { return stopping_ || started_anew_.any(); })
          && stopping_)
        return;
      anew = std::exchange(started_anew_, {});
    }
    if (anew.any())
      tell_neighbours(anew);
    look_at_bus();
    keeper_->tell(membership::ticked{});
    peers_->tick();
    screens_->tick();
    visits_->tick();
    if (round % 2 == 0 && bus_connected_)
      lane_->tick();
    if (round % 10 == 0)
      world_->tell_router(router::swept{});
    std::vector<leaving_listener> over;
    {
      const std::lock_guard lock{mutex_};
      const auto now = clock::now();
      for (auto& x : leaving_)
        if (x.until <= now)
          over.push_back(std::move(x));
      std::erase_if(leaving_, [](const auto& x) { return !x.what; });
      for (slot_number k = 0; k < slots; ++k)
        if (serving_.at(k) > 0 && !suspended_)
          listen(k); // If it could not be done before.
    }
    // Each drains: what was delivered is handled. While the library looks for a
    // server each would wait for as long as one takes to answer.
    while (!over.empty() && wire_->stats().connected)
      over.pop_back();
    if (!over.empty()) {
      const std::lock_guard lock{mutex_};
      for (auto& x : over)
        leaving_.push_back(std::move(x)); // In the next round.
    }
  }
}

/// What was said while the connection was down is lost: say it again.
void local_node::look_at_bus() {
  const auto now = wire_->stats();
  const auto lost = bus_connected_.exchange(now.connected);
  if (lost && !now.connected)
    keeper_->tell(membership::bus_lost{});
  if (!now.connected && cut_off())
    send_sockets_away();
  if (now.connected && (!lost || now.reconnects != bus_reconnects_)) {
    bus_reconnects_ = now.reconnects;
    keeper_->tell(membership::bus_found{});
    tell_neighbours(std::bitset<slots + 1>{}.set());
    std::bitset<slots + 1> ours;
    {
      const std::lock_guard lock{mutex_};
      for (std::size_t k = 0; k < serving_.size(); ++k)
        ours.set(k, serving_.at(k) > 0);
    }
    peers_->say_anew(ours);
  }
}

void local_node::end_listeners() {
  std::vector<std::unique_ptr<bus::subscription>> over;
  const std::lock_guard lock{mutex_};
  for (auto& x : listening_)
    over.push_back(std::exchange(x, nullptr));
  for (auto& x : std::exchange(leaving_, {}))
    over.push_back(std::move(x.what));
}

/// Hours of a zone that this machine does not know are taken as UTC: a queue
/// that is open at the wrong hours is better than none.
void local_node::set_clock(queue_row& of) {
  auto& hours = of.rules.waiting.hours;
  if (hours.always() || hours.zone == "UTC")
    return;
  auto& known = clocks_[hours.zone];
  if (!known) {
    if (auto made = load_zone(hours.zone))
      known = std::make_shared<const time_zone>(std::move(*made));
    else
      spdlog::error("queue {}: its hours are taken as UTC: {}", of.id.text,
                    made.error().detail);
  }
  hours.clock = known;
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
  for (auto& x : *queues) {
    set_clock(x);
    made->queues.emplace(x.id, x);
  }
  return directory_ptr{std::move(made)};
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
             + incarnation_ + ".jsonl";
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
  rt::post(world_->router, router_told{choice_of(*fresh)});
  spdlog::info("policy {} decides from now on{}", fresh->acting.version,
               fresh->canary
                 ? ", policy " + std::to_string(fresh->canary->version)
                     + " about " + std::to_string(fresh->canary_percent)
                     + " % of the sessions"
                 : "");
}

/// An operator must hear of it before the standby is needed.
void local_node::refresh_replicas() {
  const auto at = std::chrono::steady_clock::now();
  if (at < replicas_due_)
    return;
  replicas_due_ = at + std::chrono::seconds{2};
  const auto seen = store_->replicas();
  if (!seen)
    return;
  counted_.replicas = seen->standbys;
  counted_.replica_lag_bytes = seen->lag_bytes;
  counted_.replica_lag_ms = seen->lag.count();
}

void local_node::refresh_directory() {
  const auto version = store_->directory_version();
  if (!version || *version == known_->version)
    return;
  const auto fresh = read_directory();
  if (!fresh)
    return;
  known_ = *fresh;
  tell_all_slots(slot_told{directory_changed{known_}});
}

} // namespace switchboard
