#include "tests/support/session_words.hpp"

#include "tests/support/table.hpp"

namespace switchboard::session::words {

namespace {

state at(phase p) {
  state s;
  s.id = {77};
  s.who = {"web", "u1"};
  s.at = std::move(p);
  s.opened_at = noon - 10min;
  s.waiting_since = noon - 1min;
  if (std::holds_alternative<fresh>(s.at))
    return s;
  s.last_seq = 10;
  s.ownership = 3;
  s.offers = 5;
  s.rounds = 7;
  s.previous = ann;
  return s;
}

struct in_words {
  std::string operator()(const append& e) const {
    return e.line.kind == entry_kind::event
             ? "log " + e.line.event
             : "append " + std::string(to_string(e.line.kind));
  }
  std::string operator()(const save&) const { return "save"; }
  std::string operator()(const send_out&) const { return "send_out"; }
  std::string operator()(const record&) const { return "record"; }
  std::string operator()(const answer& e) const {
    return "answer "
           + std::string(e.what ? "ok" : to_string(e.what.error().code));
  }
  std::string operator()(const find_agent&) const { return "find_agent"; }
  std::string operator()(const leave_queue&) const { return "leave_queue"; }
  std::string operator()(const offer& e) const {
    return "offer " + e.to.agent.text;
  }
  std::string operator()(const end_offer& e) const {
    return "end_offer " + e.agent.text + ' ' + e.reason;
  }
  std::string operator()(const assign& e) const {
    return "assign " + e.agent.text;
  }
  std::string operator()(const unassign& e) const {
    return "unassign " + e.agent.text;
  }
  std::string operator()(const remind& e) const {
    return "remind " + e.agent.text;
  }
  std::string operator()(const show& e) const { return "show " + e.agent.text; }
  std::string operator()(const wake& e) const {
    return "wake +"
           + std::to_string(
             std::chrono::duration_cast<std::chrono::seconds>(e.at - noon)
               .count())
           + 's';
  }
  std::string operator()(const ignore&) const { return "ignore"; }
  std::string operator()(const tell_place& e) const {
    return "tell_place " + std::to_string(e.where.position);
  }
};

} // namespace

std::map<std::string, state> givens() {
  const reservation to_bob{bob, 5, noon};
  const transfer_target anywhere{{}, queue_id{"sales"}};
  auto unreplied = at(active{ann});
  unreplied.look_at = noon;
  auto overdue = at(active{.agent = ann, .reminders = 2});
  overdue.look_at = noon;
  auto quiet = at(active{.agent = ann, .replied = true, .quiet = true});
  quiet.answered = true;
  return {
    {"new", at(fresh{})},
    {"queued", at(queued{})},
    {"offered", at(offered{to_bob})},
    {"offered two", at(offered{to_bob, {{dan, 4, noon + 10s}}, 1})},
    {"active", unreplied},
    {"overdue", overdue},
    {"quiet", quiet},
    {"held", at(held{ann})},
    {"transferring", at(transferring{ann, anywhere, noon, {}})},
    {"transfer_asked", at(transferring{ann, anywhere, noon + 60s, to_bob})},
    {"wrap_up", at(wrap_up{ann, noon})},
    {"closed", at(closed{})},
  };
}

std::vector<std::pair<std::string, event>> events(const state& s) {
  const auto now_owned = s.ownership;
  inbound message;
  message.id = {"m"};
  message.content = "hello";
  return {
    {"customer_said", customer_said{message}},
    {"customer_left", customer_left{}},
    {"agent_said", agent_said{ann, now_owned, {"a"}, "hi"}},
    {"agent_said stale", agent_said{ann, now_owned - 1, {"a"}, "hi"}},
    {"agent_said cas", agent_said{cas, now_owned, {"a"}, "hi"}},
    {"agent_noted", agent_noted{ann, {"n"}, "vip"}},
    {"granted", granted{cas, false, {}}},
    {"picked", granted{cas, true, {}}},
    {"accepted", accepted{bob, 5}},
    {"accepted stale", accepted{bob, 4}},
    {"declined", declined{bob, 5, "lunch"}},
    {"withdrawn", withdrawn{bob, 5, "disconnected"}},
    {"agent_lost", agent_lost{ann, "disconnected"}},
    {"agent_lost cas", agent_lost{cas, "disconnected"}},
    {"transfer_asked", transfer_asked{ann, now_owned, {bob, {}}, "note"}},
    {"hold_asked", hold_asked{ann, now_owned}},
    {"resume_asked", resume_asked{ann, now_owned}},
    {"close_asked", close_asked{ann, now_owned, "solved"}},
    {"wrapped_up", wrapped_up{ann, "solved"}},
    {"timer", timer{s.rounds}},
    {"timer old", timer{s.rounds - 1}},
    {"revived", revived{}},
    {"placed", placed{3, 10s, 40s}},
  };
}

std::string say(const effect& e) {
  return std::visit(in_words{}, e);
}

/// A line of the log and the save that goes with it are one word.
std::string say(const effects& all) {
  std::vector<std::string> said;
  for (std::size_t i = 0; i < all.size(); ++i) {
    said.push_back(say(all[i]));
    if (said.back().starts_with("log ") && i + 1 < all.size()
        && std::holds_alternative<save>(all[i + 1]))
      ++i;
  }
  return test::joined(said);
}

std::string say(const state& s) {
  auto text = std::string(name_of(s.at));
  if (const auto who = owner(s))
    text += ' ' + who->text;
  for (const auto& x : holds(s))
    if (x.open_offer)
      text += " ? " + x.agent.text;
  if (const auto* at = std::get_if<wrap_up>(&s.at))
    text += ' ' + at->agent.text;
  return text;
}

} // namespace switchboard::session::words
