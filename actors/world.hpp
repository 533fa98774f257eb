#pragma once

#include "actors/alarm.hpp"
#include "actors/domain/person.hpp"
#include "actors/outbox_sender.hpp"
#include "actors/protocol.hpp"
#include "actors/query_pool.hpp"
#include "actors/statistics.hpp"
#include "bus/bus.hpp"
#include "persistence/writer.hpp"

#include <array>
#include <atomic>
#include <memory>

namespace switchboard {

class lane_reader;

/// What the actors of a node need of it. Made by `node`, which outlives them.
struct world {
  bus* wire = nullptr;
  writer* log = nullptr;
  query_pool* reads = nullptr;
  outbox_sender* sender = nullptr;
  alarm* timers = nullptr;
  lane_reader* lane = nullptr;
  statistics* counted = nullptr;
  std::array<slot_ref, slots> slot{};
  router_ref router{};
  person::rules persons{};

  void tell_session(session_id to, job what) const {
    rt::post(slot.at(slot_of(to)), slot_told{for_session{to, std::move(what)}});
  }

  void tell_agent(const agent_id& to, agent_told what) const {
    rt::post(slot.at(slot_of(to)), slot_told{for_agent{to, std::move(what)}});
  }

  void tell_router(router::event what) const {
    rt::post(router, router_told{std::move(what)});
  }
};

} // namespace switchboard
