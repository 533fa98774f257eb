// What the agent who has a session can do with it.
#include "actors/domain/session_step.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

bool step::may_act(const agent_id& who, std::int64_t ownership) {
  if (std::holds_alternative<closed>(s.at)) {
    say_no(errc::stale_owner, "the session is closed");
    return false;
  }
  if (owner(s) != who) {
    say_no(errc::stale_owner, "the session is not yours (any more); your "
                              "screen is out of date");
    return false;
  }
  if (ownership != s.ownership) {
    say_no(errc::stale_owner,
           "the session has changed hands since: ownership is "
             + std::to_string(s.ownership) + ", you sent "
             + std::to_string(ownership));
    return false;
  }
  return true;
}

bool step::is_disposition(std::string_view text) {
  const auto& known = r.dispositions;
  if (known.empty()
      || std::find(known.begin(), known.end(), text) != known.end())
    return true;
  std::string all;
  for (const auto& x : known)
    all += (all.empty() ? "" : ", ") + x;
  say_no(errc::malformed, "'" + std::string(text)
                            + "' is no disposition of queue "
                            + s.want.queue.text + "; choose one of: " + all);
  return false;
}

void step::operator()(const agent_said& e) {
  if (!may_act(e.agent, e.ownership) || !is_text(e.body))
    return;
  if (std::holds_alternative<held>(s.at)) {
    say_no(errc::wrong_phase, "the session is on hold; resume it first");
    return;
  }
  const auto line = append_line(entry_kind::agent, e.agent.text, e.body, e.id);
  s.answered = true;
  auto* at = std::get_if<active>(&s.at);
  if (at && !std::exchange(at->replied, true))
    todo.emplace_back(save{});
  todo.emplace_back(send_out{line});
  say_yes(line.seq);
  if (at)
    wake_up(*at);
  todo.emplace_back(show{e.agent, line});
}

void step::operator()(const agent_noted& e) {
  const auto* wrapping = std::get_if<wrap_up>(&s.at);
  if (owner(s) != e.agent && !(wrapping && wrapping->agent == e.agent)) {
    say_no(errc::stale_owner, "the session is not yours (any more)");
    return;
  }
  if (!is_text(e.body))
    return;
  const auto line = append_line(entry_kind::note, e.agent.text, e.body, e.id);
  say_yes(line.seq);
  todo.emplace_back(show{e.agent, line});
}

void step::operator()(const hold_asked& e) {
  if (!may_act(e.agent, e.ownership))
    return;
  auto* at = std::get_if<active>(&s.at);
  if (!at) {
    say_no(errc::wrong_phase, "only an active session can be held");
    return;
  }
  const auto was_quiet = at->quiet;
  s.at = held{e.agent};
  ++s.rounds;
  note_event("held", e.agent);
  say_yes(s.last_seq);
  if (was_quiet)
    todo.emplace_back(assign{e.agent}); // It takes its full room again.
}

void step::operator()(const resume_asked& e) {
  if (!may_act(e.agent, e.ownership))
    return;
  if (!std::holds_alternative<held>(s.at)) {
    say_no(errc::wrong_phase, "the session is not on hold");
    return;
  }
  s.at = active{.agent = e.agent, .replied = s.answered};
  note_event("resumed", e.agent);
  say_yes(s.last_seq);
  watch();
}

void step::operator()(const transfer_asked& e) {
  if (!may_act(e.agent, e.ownership))
    return;
  const auto* at = std::get_if<active>(&s.at);
  if (!at) {
    say_no(errc::wrong_phase, "only an active session can be transferred");
    return;
  }
  if (e.target.agent.has_value() == e.target.queue.has_value()
      || e.target.agent == e.agent) {
    say_no(errc::malformed, "name one target: another agent, or a queue");
    return;
  }
  if (!e.against.empty()) {
    say_no(errc::wrong_phase, e.against);
    return;
  }
  if (!e.note.empty()) {
    if (!is_text(e.note))
      return;
    append_line(entry_kind::note, e.agent.text, e.note);
  }
  const auto was_quiet = at->quiet;
  start_waiting();
  s.at = transferring{e.agent, e.target, now + r.transfer_time, {}};
  note_event("transfer_asked", e.agent,
             e.target.agent ? "agent " + e.target.agent->text
                            : "queue " + e.target.queue->text);
  say_yes(s.last_seq);
  if (was_quiet)
    todo.emplace_back(assign{e.agent});
  todo.emplace_back(find_agent{});
  start_offer_timer();
}

void step::operator()(const close_asked& e) {
  if (!may_act(e.agent, e.ownership))
    return;
  const auto at_once = r.wrap_up_time == duration{0};
  // While there is a wrap-up the disposition may still be chosen in it.
  if ((at_once || !e.disposition.empty()) && !is_disposition(e.disposition))
    return;
  if (at_once) {
    close("closed", e.agent, e.disposition);
    say_yes(s.last_seq);
    return;
  }
  end_offers("closed");
  if (waits(s))
    todo.emplace_back(leave_queue{});
  ++s.ownership;
  s.at = wrap_up{e.agent, now + r.wrap_up_time, e.disposition};
  note_event("wrapping_up", e.agent, e.disposition);
  say_yes(s.last_seq);
  start_timer(now + r.wrap_up_time);
  todo.emplace_back(assign{e.agent}); // It takes less room now.
}

void step::operator()(const wrapped_up& e) {
  const auto* at = std::get_if<wrap_up>(&s.at);
  if (!at || at->agent != e.agent) {
    say_no(errc::wrong_phase, "there is nothing of yours to wrap up");
    return;
  }
  const auto chosen = e.disposition.empty() ? at->disposition : e.disposition;
  if (!is_disposition(chosen))
    return;
  close("closed", e.agent, chosen);
  say_yes(s.last_seq);
}

void step::operator()(const agent_lost& e) {
  if (const auto* at = std::get_if<wrap_up>(&s.at);
      at && at->agent == e.agent) {
    close("closed", e.agent,
          at->disposition.empty() ? e.reason : at->disposition);
    return;
  }
  if (owner(s) != e.agent) {
    ignored(e.name);
    return;
  }
  end_offers("agent_lost");
  start_waiting();
  s.previous = e.agent;
  ++s.ownership;
  note_event("agent_lost", e.agent, e.reason);
  todo.emplace_back(unassign{e.agent, e.reason});
  search_again();
}

} // namespace switchboard::session
