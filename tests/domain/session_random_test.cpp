// What holds for a session whatever happens to it, in whatever order.
#include "tests/support/session_words.hpp"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

using namespace switchboard;
using namespace switchboard::session;
using namespace switchboard::session::words;

namespace {

/// An event among all there are, by numbers that may be right, old or foreign.
struct dice {
  std::uint32_t what;
  std::uint32_t who;
  std::uint32_t number;
  std::uint32_t seconds;
};

rc::Gen<dice> any_dice() {
  return rc::gen::build<dice>(
    rc::gen::set(&dice::what, rc::gen::inRange<std::uint32_t>(0, 1000)),
    rc::gen::set(&dice::who, rc::gen::inRange<std::uint32_t>(0, 1000)),
    rc::gen::set(&dice::number, rc::gen::inRange<std::uint32_t>(0, 8)),
    rc::gen::set(&dice::seconds, rc::gen::inRange<std::uint32_t>(0, 40)));
}

agent_id somebody(std::uint32_t i) {
  const agent_id* all[] = {&ann, &bob, &cas, &dan};
  return *all[i % 4];
}

/// Mostly the agent and number that the session expects.
event drawn(const state& s, const dice& d) {
  auto who = somebody(d.who);
  auto offer = s.offers - (d.number == 7 ? 1 : 0);
  for (const auto& x : holds(s))
    if (d.who % 5 != 0 && x.open_offer == (d.number % 2 == 0)) {
      who = x.agent;
      offer = x.open_offer ? x.offer : offer;
    }
  const auto owned = s.ownership - (d.number == 7 ? 1 : 0);
  const transfer_target to = d.number % 3 == 0
                               ? transfer_target{{}, queue_id{"sales"}}
                               : transfer_target{somebody(d.who + 1), {}};
  inbound message;
  message.content = d.number == 7 ? "" : "hello";
  switch (d.what % 16) {
    case 0: return customer_said{message};
    case 1: return agent_said{who, owned, {}, message.content};
    case 2: return agent_noted{who, {}, message.content};
    case 3: return accepted{who, offer};
    case 4: return declined{who, offer, "no"};
    case 5: return withdrawn{who, offer, "gone"};
    case 6: return agent_lost{who, "gone"};
    case 7: return transfer_asked{who, owned, to, d.number < 4 ? "" : "note"};
    case 8: return hold_asked{who, owned};
    case 9: return resume_asked{who, owned};
    case 10: return close_asked{who, owned, "solved"};
    case 11: return wrapped_up{who, "solved"};
    case 12: return timer{s.rounds - (d.number == 7 ? 1 : 0)};
    case 13: return revived{};
    case 14:
      if (d.number == 7 && d.who % 4 == 0)
        return customer_left{};
      return timer{s.rounds};
    default: return granted{somebody(d.number), d.who % 6 == 0, {}};
  }
}

bool wants_answer(const event& e) {
  return !std::holds_alternative<granted>(e)
         && !std::holds_alternative<withdrawn>(e)
         && !std::holds_alternative<agent_lost>(e)
         && !std::holds_alternative<timer>(e)
         && !std::holds_alternative<revived>(e);
}

/// Hours that begin and end within minutes, and whatever else a queue may ask.
rc::Gen<waiting_rules> any_waiting_rules() {
  return rc::gen::map(
    rc::gen::inRange<std::uint32_t>(0, 1024), [](std::uint32_t bits) {
      waiting_rules w;
      if (bits & 1)
        for (const auto* x : {"Mon-Sun 00:00-08:01", "Mon-Sun 08:03-08:06",
                              "Mon-Sun 08:10-24:00"})
          w.hours.week.push_back(parse_weekly(x).value());
      w.closed_text = bits & 2 ? "later" : "";
      w.when_closed = static_cast<closed_hours>(bits / 4 % 3);
      if (bits & 16)
        w.overflow = {"sales"};
      if (bits & 32)
        w.receiver = dan;
      w.overflow_time = bits & 64 ? 50s : 0s;
      w.probe_time = bits & 128 ? 70s : 0s;
      w.probe_answer_time = 30s;
      return w;
    });
}

/// What agents, router and clock have been told so far.
struct neighbours {
  std::map<agent_id, std::int64_t> places; ///< 0: assigned, else the offer.
  bool in_line = false;
  std::optional<wake> armed;

  void hear(const effect& e) {
    if (const auto* x = std::get_if<offer>(&e))
      places[x->to.agent] = x->to.offer;
    if (const auto* x = std::get_if<assign>(&e))
      places[x->agent] = 0;
    if (const auto* x = std::get_if<end_offer>(&e)) {
      const auto at = places.find(x->agent);
      if (at != places.end() && at->second > 0 && at->second == x->offer)
        places.erase(at);
    }
    if (const auto* x = std::get_if<unassign>(&e))
      places.erase(x->agent);
    if (std::holds_alternative<find_agent>(e))
      in_line = true;
    if (std::holds_alternative<leave_queue>(e))
      in_line = false;
    if (const auto* x = std::get_if<wake>(&e))
      armed = *x;
  }

  static std::map<agent_id, std::int64_t> expected(const state& s) {
    std::map<agent_id, std::int64_t> all;
    for (const auto& x : holds(s))
      all[x.agent] = x.open_offer ? x.offer : 0;
    return all;
  }
};

/// The stored part: a timer's number is not worth a save, and who waits since
/// when, and the last seq, are read from the lines.
state stored(state s) {
  s.answered = false;
  s.waiting_since = {};
  s.rounds = 0;
  s.look_at = {};
  s.heard_at = {};
  s.place_told = 0;
  s.last_seq = 0;
  return s;
}

template <class Effect>
std::int64_t count(const effects& all) {
  return std::count_if(all.begin(), all.end(), [](const effect& e) {
    return std::holds_alternative<Effect>(e);
  });
}

bool waits_for_time(const state& s) {
  if (const auto* at = std::get_if<queued>(&s.at))
    return at->closed_until != time_point{} || at->probed_until != time_point{};
  return std::holds_alternative<offered>(s.at)
         || std::holds_alternative<transferring>(s.at)
         || std::holds_alternative<wrap_up>(s.at)
         || (std::holds_alternative<active>(s.at)
             && !std::get<active>(s.at).quiet);
}

void check_step(const state& before, const event& what, const state& after,
                const effects& todo) {
  RC_ASSERT(count<answer>(todo) == (wants_answer(what) ? 1 : 0));
  RC_ASSERT(after.ownership >= before.ownership);
  RC_ASSERT(owner(after) == owner(before) || !owner(after)
            || after.ownership > before.ownership);
  auto seq = before.last_seq;
  for (const auto& e : todo)
    if (const auto* x = std::get_if<append>(&e))
      RC_ASSERT(x->line.seq == ++seq);
  RC_ASSERT(after.last_seq == seq);
  RC_ASSERT(stored(after) == stored(before) || count<save>(todo) > 0
            || before.last_seq == 0);
  if (std::holds_alternative<closed>(before.at)) {
    RC_ASSERT(after == before);
    RC_ASSERT(count<append>(todo) + count<save>(todo) == 0);
  }
}

void check_state(const state& s, const neighbours& told) {
  std::set<agent_id> agents;
  int assigned = 0;
  for (const auto& x : holds(s)) {
    RC_ASSERT(agents.insert(x.agent).second);
    RC_ASSERT(x.load >= 0 && x.load <= s.load);
    assigned += x.open_offer ? 0 : 1;
  }
  RC_ASSERT(assigned <= 1);
  RC_ASSERT(asked(s).size() <= std::size_t{offers_at_once_max});
  RC_ASSERT(s.excluded.size() <= exclusions_max);
  RC_ASSERT(told.places == neighbours::expected(s));
  RC_ASSERT(told.in_line == waits(s));
  if (waits_for_time(s)) {
    RC_ASSERT(told.armed.has_value());
    RC_ASSERT(told.armed->round == s.rounds);
  }
}

} // namespace

TEST_CASE("a session keeps its promises in any order of events",
          "[session][random]") {
  CHECK(rc::check([](bool wrap_up, bool first_reply) {
    const auto all = *rc::gen::container<std::vector<dice>>(any_dice());
    rules r;
    r.wrap_up_time = wrap_up ? duration{60s} : duration{0};
    r.first_reply_time = first_reply ? duration{30s} : duration{0};
    r.quiet_time = 90s;
    r.offers_at_once = *rc::gen::inRange(0, 5);
    r.waiting = *any_waiting_rules();
    state s;
    s.id = {77};
    auto at = noon;
    neighbours told;
    inbound first;
    first.content = "hello";
    std::vector<event> story{customer_said{first}};
    for (std::size_t i = 0; i <= all.size(); ++i) {
      const auto before = s;
      const auto what = i == 0 ? story[0] : drawn(s, all[i - 1]);
      at += i == 0 ? 0s : std::chrono::seconds{all[i - 1].seconds};
      const auto todo = apply(s, what, r, at);
      for (const auto& e : todo)
        told.hear(e);
      RC_LOG() << std::visit([](const auto& x) { return x.name; }, what)
               << " -> " << say(todo) << " -> " << say(s) << '\n';
      check_step(before, what, s, todo);
      check_state(s, told);
    }
  }));
}

TEST_CASE("a session told again what it knows is as it was",
          "[session][random]") {
  for (const auto& [name, given] : givens()) {
    INFO(name);
    auto s = given;
    const auto todo = apply(s, revived{}, rules{}, noon);
    CHECK(count<append>(todo) + count<save>(todo) == 0);
    CHECK(stored(s) == stored(given));
  }
}
