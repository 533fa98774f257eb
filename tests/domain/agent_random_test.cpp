// What holds for an agent whatever happens, in whatever order.
#include "tests/support/agent_words.hpp"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include <algorithm>

using namespace switchboard;
using namespace switchboard::agent;
using namespace switchboard::agent::words;

namespace {

struct dice {
  std::uint32_t what;
  std::uint32_t which;
  std::uint32_t number;
  std::uint32_t seconds;
};

rc::Gen<dice> any_dice() {
  return rc::gen::build<dice>(
    rc::gen::set(&dice::what, rc::gen::inRange<std::uint32_t>(0, 1000)),
    rc::gen::set(&dice::which, rc::gen::inRange<std::uint32_t>(1, 6)),
    rc::gen::set(&dice::number, rc::gen::inRange<std::uint32_t>(0, 6)),
    rc::gen::set(&dice::seconds, rc::gen::inRange<std::uint32_t>(0, 20)));
}

event drawn(const state& s, const dice& d, time_point now) {
  const session_id session{d.which};
  const auto at = s.places.find(session);
  const auto offer = at == s.places.end() ? d.number : at->second.offer;
  static const char* reasons[] = {"timed_out", "timed_out", "declined",
                                  "withdrawn", "closed",    "not_needed"};
  static constexpr presence wishes[] = {presence::online,    presence::online,
                                        presence::busy,      presence::on_break,
                                        presence::finishing, presence::offline};
  const auto load = static_cast<std::int32_t>(250 * (d.number % 4 + 1));
  switch (d.what % 12) {
    case 0: return connected{d.number % 2};
    case 1: return disconnected{d.number % 2};
    case 2:
      return presence_asked{wishes[d.number], "",
                            d.which == 1 ? std::optional{wishes[5 - d.number]}
                                         : std::nullopt};
    case 3: {
      auto who = s.who;
      who.capacity = static_cast<std::int32_t>(d.number * 1000);
      return profile_changed{who};
    }
    case 4: return offer_opened{session, 1 + d.number, load, now + 20s};
    case 5: return offer_ended{session, offer, reasons[d.number]};
    case 6: return assigned{session, load};
    case 7: return unassigned{session};
    case 8: return timer{s.rounds - (d.number == 5 ? 1 : 0)};
    case 9: return router_started{};
    default: return proposed{session, load, d.number == 5, {}};
  }
}

template <class Effect>
const Effect* find(const effects& all) {
  for (const auto& e : all)
    if (const auto* x = std::get_if<Effect>(&e))
      return x;
  return nullptr;
}

/// Whatever has to end by itself has a timer that ends it.
void check_way_out(const state& s, const std::optional<wake>& armed) {
  for (const auto& [session, x] : s.places)
    if (!x.assigned) {
      RC_ASSERT(armed && armed->round == s.rounds);
      RC_ASSERT(armed->at <= grant_time + (x.offer ? x.until : x.since));
    }
  if (s.grace_until > time_point{}) {
    RC_ASSERT(armed && armed->round == s.rounds);
    RC_ASSERT(armed->at <= s.grace_until);
  }
}

} // namespace

TEST_CASE("an agent keeps their promises in any order of events",
          "[agent][random]") {
  CHECK(rc::check([] {
    const auto all = *rc::gen::container<std::vector<dice>>(any_dice());
    state s;
    s.id = {"ann"};
    s.who.capacity = 3000;
    auto at = noon;
    std::optional<wake> armed;
    for (const auto& d : all) {
      at += std::chrono::seconds{d.seconds};
      const auto before = s;
      const auto what = drawn(s, d, at);
      const auto todo = apply(s, what, at);
      RC_LOG() << std::visit([](const auto& x) { return x.name; }, what)
               << " -> " << say(todo) << " -> " << say(s) << '\n';
      for (const auto& e : todo)
        if (const auto* x = std::get_if<wake>(&e))
          armed = *x;
      std::int32_t sum = 0;
      for (const auto& [session, x] : s.places)
        sum += x.load;
      RC_ASSERT(load(s) == sum && sum >= 0);
      if (find<grant>(todo) != nullptr) {
        RC_ASSERT(load(s) <= s.who.capacity);
        RC_ASSERT(!s.devices.empty());
      }
      if (std::holds_alternative<proposed>(what))
        RC_ASSERT((find<grant>(todo) != nullptr)
                  != (find<refuse>(todo) != nullptr));
      RC_ASSERT(availability_of(s) == availability_of(before)
                || find<advertise>(todo) != nullptr);
      RC_ASSERT(s.now == before.now || find<save>(todo) != nullptr);
      RC_ASSERT(!availability_of(s).routable
                || (s.now == presence::online && !s.devices.empty()));
      check_way_out(s, armed);
    }
  }));
}
