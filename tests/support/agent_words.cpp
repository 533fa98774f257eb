#include "tests/support/agent_words.hpp"

#include "tests/support/table.hpp"

namespace switchboard::agent::words {

namespace {

state at(presence p, std::set<std::int64_t> devices) {
  state s;
  s.id = {"ann"};
  s.who.capacity = 3000;
  s.now = p;
  s.devices = std::move(devices);
  return s;
}

/// Room for one more.
state laden(presence p, std::set<std::int64_t> devices) {
  auto s = at(p, std::move(devices));
  s.places[served] = {1000, true, 0, noon - 60s, {}};
  s.places[ringing] = {500, false, 4, noon - 5s, noon + 15s};
  s.places[kept] = {500, false, 0, noon - 5s, {}};
  s.rounds = 3;
  return s;
}

struct in_words {
  std::string operator()(const grant& e) const {
    return "grant " + to_string(e.session) + (e.pick ? " pick" : "");
  }
  std::string operator()(const refuse& e) const {
    return "refuse " + to_string(e.session);
  }
  std::string operator()(const advertise&) const { return "advertise"; }
  std::string operator()(const withdraw& e) const {
    return "withdraw " + to_string(e.session) + ' ' + e.reason;
  }
  std::string operator()(const lose& e) const {
    return "lose " + to_string(e.session);
  }
  std::string operator()(const save&) const { return "save"; }
  std::string operator()(const show_presence&) const { return "show"; }
  std::string operator()(const wake& e) const {
    return "wake +"
           + std::to_string(
             std::chrono::duration_cast<std::chrono::seconds>(e.at - noon)
               .count())
           + 's';
  }
  std::string operator()(const ignore&) const { return "ignore"; }
};

} // namespace

std::map<std::string, state> givens() {
  auto full = laden(presence::online, {1});
  full.places[served].load = 2000;
  auto last = at(presence::busy, {1});
  last.next = presence::on_break;
  last.places[served] = {1000, true, 0, noon - 60s, {}};
  auto gone = laden(presence::online, {});
  gone.grace_until = noon;
  auto unanswered = laden(presence::online, {1});
  unanswered.unanswered = 1;
  return {
    {"offline", at(presence::offline, {})},
    {"free", at(presence::online, {1})},
    {"online", laden(presence::online, {1})},
    {"online 2", laden(presence::online, {1, 2})},
    {"unanswered", unanswered},
    {"full", full},
    {"busy", laden(presence::busy, {1})},
    {"busy, break", last},
    {"break", at(presence::on_break, {1})},
    {"finishing", laden(presence::finishing, {1})},
    {"silent", at(presence::not_responding, {1})},
    {"gone", gone},
  };
}

std::vector<std::pair<std::string, event>> events(const state& s) {
  auto changed = s.who;
  changed.capacity = 1000;
  return {
    {"connected", connected{5}},
    {"disconnected", disconnected{1}},
    {"disconnected 7", disconnected{7}},
    {"online", presence_asked{presence::online, "", {}}},
    {"break", presence_asked{presence::on_break, "lunch", {}}},
    {"finish, offline",
     presence_asked{presence::finishing, "", presence::offline}},
    {"profile", profile_changed{changed}},
    {"proposed", proposed{other, 1000, false, {}}},
    {"proposed 3", proposed{kept, 500, false, {}}},
    {"picked", proposed{other, 1000, true, {}}},
    {"offer_opened", offer_opened{kept, 8, 500, noon + 20s}},
    {"timed out", offer_ended{ringing, 4, "timed_out"}},
    {"declined", offer_ended{ringing, 4, "declined"}},
    {"ended other", offer_ended{ringing, 3, "timed_out"}},
    {"not needed", offer_ended{kept, 0, "not_needed"}},
    {"assigned", assigned{ringing, 500}},
    {"unassigned", unassigned{served}},
    {"unassigned 9", unassigned{other}},
    {"timer", timer{s.rounds}},
    {"timer old", timer{s.rounds - 1}},
    {"router_started", router_started{}},
  };
}

std::string say(const effect& e) {
  return std::visit(in_words{}, e);
}

std::string say(const effects& all) {
  std::vector<std::string> said;
  for (const auto& e : all)
    said.push_back(say(e));
  return test::joined(said);
}

std::string say(const state& s) {
  auto text = std::string(to_string(s.now));
  if (s.devices.empty())
    text += s.grace_until > time_point{} ? " (grace)" : " (away)";
  text += ' ' + std::to_string(load(s));
  for (const auto& [session, x] : s.places)
    text += ' ' + to_string(session)
            + (x.assigned    ? '='
               : x.offer > 0 ? '?'
                             : '.');
  return text;
}

} // namespace switchboard::agent::words
