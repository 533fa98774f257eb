// What time does to a session.
#include "actors/domain/session_step.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

namespace {

/// After so many unheard reminders another agent is looked for.
constexpr std::int32_t reminders_max = 2;

} // namespace

// A timer may ring early, because what it waits for was put off since, or
// because the wall clock was set back: then it is set anew.
void step::operator()(const timer& e) {
  if (e.round != s.rounds) {
    ignored(e.name);
    return;
  }
  if (std::holds_alternative<offered>(s.at)) {
    end_unheard_offers();
  } else if (const auto* moving = std::get_if<transferring>(&s.at)) {
    pass(*moving);
  } else if (const auto* wrapping = std::get_if<wrap_up>(&s.at)) {
    if (now < wrapping->until)
      start_timer(wrapping->until);
    else
      close("closed", agent_id{wrapping->agent},
            wrapping->disposition.empty() ? "wrap_up_time"
                                          : std::string(wrapping->disposition));
  } else if (auto* busy = std::get_if<active>(&s.at)) {
    look_after(*busy);
  } else if (std::holds_alternative<queued>(s.at)) {
    line_up(waits(s) ? standing::in_line : standing::outside);
  } else {
    ignored(e.name);
  }
}

void step::end_unheard_offers() {
  const auto all = asked(s);
  const auto unheard = [&](const reservation& x) { return x.until <= now; };
  if (std::none_of(all.begin(), all.end(), unheard)) {
    start_offer_timer();
    return;
  }
  for (const auto& x : all)
    if (unheard(x)) {
      exclude(x.agent);
      end_question(x, "timed_out");
    }
}

void step::pass(const transferring& at) {
  if (at.asked && at.asked->until <= now) {
    exclude(at.asked->agent);
    end_question(reservation{*at.asked}, "timed_out");
  } else if (now < at.until) {
    start_offer_timer();
  } else if (at.asked) {
    // Not their fault: it rang for less than an offer's time.
    end_question(reservation{*at.asked}, "withdrawn", "transfer_time");
  } else {
    return_to_sender(agent_id{at.from});
  }
}

// -- an active session --------------------------------------------------------

bool step::owes_first_reply(const active& at) const {
  return !at.replied && !s.answered && r.first_reply_time > duration{0}
         && s.load >= load_of_live_chat;
}

void step::watch() {
  const auto wait = owes_first_reply(std::get<active>(s.at))
                      ? r.first_reply_time
                      : r.quiet_time;
  if (wait == duration{0})
    return;
  s.look_at = now + wait;
  start_timer(s.look_at);
}

/// Puts off what the timer waits for. It rings early then and is set anew,
/// which is cheaper than a timer for every line.
void step::wake_up(active& at) {
  if (at.replied && r.quiet_time > duration{0}) {
    // The timer may have waited for a first reply, and much longer.
    const auto sooner = now + r.quiet_time < s.look_at;
    s.look_at = now + r.quiet_time;
    if (sooner && !at.quiet)
      start_timer(s.look_at);
  }
  if (!std::exchange(at.quiet, false))
    return;
  todo.emplace_back(save{});
  todo.emplace_back(assign{at.agent}); // It takes its full room again.
  watch();
}

void step::look_after(active& at) {
  if (now < s.look_at) {
    start_timer(s.look_at);
    return;
  }
  if (!owes_first_reply(at)) {
    // Quiet is who has an answer and says nothing to it.
    if (s.answered && !at.quiet && r.quiet_time > duration{0}) {
      at.quiet = true;
      note_event("quiet", at.agent);
      todo.emplace_back(assign{at.agent});
    } else if (!at.quiet) {
      watch();
    }
    return;
  }
  const auto who = at.agent;
  if (at.reminders < reminders_max) {
    ++at.reminders;
    note_event(at.reminders == 1 ? "reply_due" : "reply_overdue", who);
    todo.emplace_back(remind{who});
    watch();
    return;
  }
  exclude(who);
  ++s.ownership;
  note_event("reply_missed", who);
  todo.emplace_back(unassign{who, "reply_missed"});
  search_again();
}

// -- life ---------------------------------------------------------------------

void step::operator()(const revived&) {
  if (std::holds_alternative<queued>(s.at))
    line_up_anew(waits(s) ? standing::in_line : standing::outside);
  else if (waits(s))
    todo.emplace_back(find_agent{});
  if (const auto who = owner(s))
    todo.emplace_back(assign{*who});
  if (const auto* at = std::get_if<wrap_up>(&s.at)) {
    todo.emplace_back(assign{at->agent});
    start_timer(at->until);
  }
  for (const auto& x : asked(s))
    todo.emplace_back(offer{x});
  if (std::holds_alternative<offered>(s.at)
      || std::holds_alternative<transferring>(s.at))
    start_offer_timer();
  if (const auto* at = std::get_if<active>(&s.at); at && !at->quiet)
    watch();
}

} // namespace switchboard::session
