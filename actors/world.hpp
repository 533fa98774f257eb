#pragma once

#include "actors/alarm.hpp"
#include "actors/cluster/peers.hpp"
#include "actors/domain/person.hpp"
#include "actors/outbox_sender.hpp"
#include "actors/protocol.hpp"
#include "actors/query_pool.hpp"
#include "actors/statistics.hpp"
#include "bus/bus.hpp"
#include "persistence/writer.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

namespace switchboard {

class lane_reader;
class visitors;

/// What the actors of a node need of it. Made by `node`, which outlives them.
/// Every node has an actor for every slot: the owner's serves it, the others'
/// send on what they are told. So nobody here asks where a thing lives.
struct world {
  bus* wire = nullptr;
  writer* log = nullptr;
  query_pool* reads = nullptr;
  outbox_sender* sender = nullptr;
  alarm* timers = nullptr;
  lane_reader* lane = nullptr;
  statistics* counted = nullptr;
  peers* post = nullptr;
  visitors* visits = nullptr;
  /// Called with slot and epoch, from any thread: a write was refused ...
  std::function<void(slot_number, std::int64_t)> on_fenced{};
  /// ... and: all is finished that was under way in a slot that will move.
  std::function<void(slot_number, std::int64_t)> on_quiet{};
  /// ... and: a slot that was taken is served.
  std::function<void(slot_number)> on_served{};
  /// ... and: something came for a slot that may have been given to us.
  std::function<void()> on_stray{};
  std::array<slot_ref, slots> slot{};
  router_ref router{};
  person::rules persons{};
  duration agent_grace = agent::grace_time;

  void tell_session(session_id to, job what) const {
    const auto k = slot_of(to);
    if (k < slots)
      rt::post(slot.at(k),
               slot_told{letter{for_session{to, std::move(what), 0}}});
    else if (what.reply) // A number that nobody of ours has given out.
      what.reply(fail(errc::not_found, "there is no such session"));
  }

  void tell_agent(const agent_id& to, agent_told what) const {
    rt::post(slot.at(slot_of(to)),
             slot_told{letter{for_agent{to, std::move(what), 0}}});
  }

  void tell_router(router::event what) const {
    rt::post(router, router_told{for_router{std::move(what), 0}});
  }

  /// From another node, or sent back to this one.
  void tell(slot_number to, letter what) const {
    if (to < slots)
      rt::post(slot.at(to), slot_told{std::move(what)});
    else if (auto* x = std::get_if<for_router>(&what))
      rt::post(router, router_told{std::move(*x)});
  }
};

} // namespace switchboard
