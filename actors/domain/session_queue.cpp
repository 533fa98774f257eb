// The wait in queues: hours, overflow, "still there?", and the place in line.
#include "actors/domain/session_step.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

std::string_view to_string(closed_hours x) noexcept {
  switch (x) {
    case closed_hours::wait: return "wait";
    case closed_hours::overflow: return "overflow";
    case closed_hours::receiver: return "receiver";
  }
  return "unknown";
}

time_point waits_since(const state& s) {
  return std::max(s.waiting_since, s.counts_from);
}

needs wanted(const needs& own, const rules& r) {
  auto all = own;
  if (all.language.empty())
    all.language = r.waiting.language;
  for (const auto& x : r.waiting.skills)
    if (std::find(all.skills.begin(), all.skills.end(), x) == all.skills.end())
      all.skills.push_back(x);
  if (all.urgency == urgency_class::normal)
    all.urgency = r.waiting.urgency;
  return all;
}

// -- when what is due ---------------------------------------------------------

time_point step::silent_since() const {
  return std::max(s.heard_at, s.waiting_since);
}

time_point step::overflows_at() const {
  const auto& w = r.waiting;
  const auto may =
    !s.receiver_too
    && (w.receiver
        || (w.overflow && *w.overflow != s.want.queue
            && std::find(s.overflowed.begin(), s.overflowed.end(), *w.overflow)
                 == s.overflowed.end()));
  if (w.overflow_time == duration{0} || !may)
    return time_point::max();
  return std::max(waits_since(s), s.queue_since) + w.overflow_time;
}

time_point step::probes_at() const {
  if (r.waiting.probe_time == duration{0} || s.load < load_of_live_chat)
    return time_point::max();
  return silent_since() + r.waiting.probe_time;
}

// -- where it stands ----------------------------------------------------------

// Called whenever something may have changed: when the session comes (back) to
// the line, when a time has come, and when the queue was edited.
void step::line_up(standing was) {
  auto& at = std::get<queued>(s.at);
  if (at.probed_until != time_point{}) {
    if (now < at.probed_until)
      start_timer(at.probed_until);
    else
      close("closed", {}, "customer_silent");
    return;
  }
  if (s.receiver_too && !r.waiting.receiver) {
    s.receiver_too = false;
    note_event("receiver_gone");
  }
  if (!r.waiting.hours.is_open(now)) {
    stay_outside(at, was);
    return;
  }
  auto tell = was == standing::outside;
  if (std::exchange(at.closed_until, {}) != time_point{}) {
    s.counts_from = now;
    s.queue_since = now;
    s.receiver_too = false;
    note_event("queue_opened", {}, s.want.queue.text);
    tell = true; // What the router was told holds no more.
  }
  if (now >= probes_at()) {
    ask_still_there(at, was);
    return;
  }
  if (now >= overflows_at()) {
    if (overflow()) {
      todo.emplace_back(find_agent{});
      return;
    }
    tell = call_receiver() || tell;
  }
  if (tell)
    todo.emplace_back(find_agent{});
  const auto closes = r.waiting.hours.next_change(now);
  const auto due = std::min(
    {overflows_at(), probes_at(), closes ? *closes : time_point::max()});
  if (due != time_point::max())
    start_timer(due);
}

void step::line_up_anew(standing was) {
  line_up(was);
  if (was == standing::in_line && waits(s))
    todo.emplace_back(find_agent{});
}

void step::stay_outside(queued& at, standing was) {
  if (r.waiting.when_closed == closed_hours::overflow && overflow()) {
    at.closed_until = {};
    todo.emplace_back(find_agent{});
    return;
  }
  const auto opens =
    r.waiting.hours.next_change(now).value_or(time_point::max());
  if (s.told_closed != opens) {
    s.told_closed = opens;
    say_to_customer(r.waiting.closed_text);
    note_event("queue_closed", {},
               opens == time_point::max() ? "" : "until " + rfc3339(opens));
  }
  const auto changed = std::exchange(at.closed_until, opens) != opens;
  const auto called =
    r.waiting.when_closed == closed_hours::receiver && call_receiver();
  if (!s.receiver_too && was == standing::in_line)
    todo.emplace_back(leave_queue{});
  else if (s.receiver_too && (called || changed || was == standing::outside))
    todo.emplace_back(find_agent{});
  if (opens != time_point::max())
    start_timer(opens);
}

bool step::overflow() {
  const auto& to = r.waiting.overflow;
  if (!to || *to == s.want.queue
      || std::find(s.overflowed.begin(), s.overflowed.end(), *to)
           != s.overflowed.end())
    return false;
  s.overflowed.push_back(s.want.queue);
  s.want.queue = *to;
  s.queue_since = now;
  note_event("overflowed", {}, "queue " + to->text);
  start_timer(now); // To be looked at by the rules of that queue.
  return true;
}

bool step::call_receiver() {
  if (!r.waiting.receiver || std::exchange(s.receiver_too, true))
    return false;
  note_event("receiver_called", {}, r.waiting.receiver->text);
  return true;
}

void step::ask_still_there(queued& at, standing was) {
  at.probed_until = now + r.waiting.probe_answer_time;
  say_to_customer(r.waiting.probe_text);
  note_event("probed");
  if (was == standing::in_line)
    todo.emplace_back(leave_queue{});
  start_timer(at.probed_until);
}

void step::say_to_customer(const std::string& text) {
  if (text.empty())
    return;
  const auto line = append_line(entry_kind::bot, "", text);
  todo.emplace_back(send_out{line});
}

// -- what the customer is told ------------------------------------------------

// Others may come before somebody who waits, as they are more urgent; what was
// promised once is not taken back.
void step::operator()(const placed& e) {
  if (!waits(s) || owner(s)) {
    ignored(e.name);
    return;
  }
  auto where = e;
  if (s.place_told > 0)
    where.position = std::min(where.position, s.place_told);
  s.place_told = where.position;
  todo.emplace_back(tell_place{where});
}

} // namespace switchboard::session
