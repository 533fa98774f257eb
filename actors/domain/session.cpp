#include "actors/domain/session.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

namespace {

/// One step of the machine: the state to change, and what is to be done.
struct step {
  state& s;
  const rules& r;
  time_point now;
  effects todo{};

  // -- building blocks --------------------------------------------------------

  entry& append_line(entry_kind kind, std::string author, std::string body,
                     message_id id = {}) {
    todo.emplace_back(append{entry{.seq = ++s.last_seq,
                                   .kind = kind,
                                   .event = {},
                                   .author = std::move(author),
                                   .body = std::move(body),
                                   .id = std::move(id),
                                   .at = now}});
    return std::get<append>(todo.back()).line;
  }

  /// A line of the log for every change of state; the state is saved with it.
  void note_event(std::string_view what, const agent_id& who = {},
                  std::string detail = {}) {
    append_line(entry_kind::event, who.text, std::move(detail)).event = what;
    todo.emplace_back(save{});
  }

  void say_yes(std::int32_t seq) {
    todo.emplace_back(answer{receipt{s.id, seq, false}});
  }

  void say_no(errc code, std::string why) {
    todo.emplace_back(answer{fail(code, std::move(why))});
  }

  void start_timer(time_point at) { todo.emplace_back(wake{at, ++s.rounds}); }

  void ignored(std::string_view event) {
    todo.emplace_back(ignore{name_of(s.at), event});
  }

  bool is_excluded(const agent_id& who) const {
    return std::any_of(
      s.excluded.begin(), s.excluded.end(),
      [&](const exclusion& x) { return x.agent == who && x.until > now; });
  }

  void exclude(const agent_id& who) {
    std::erase_if(s.excluded, [&](const exclusion& x) {
      return x.agent == who || x.until <= now;
    });
    if (s.excluded.size() == exclusions_max)
      s.excluded.erase(s.excluded.begin());
    s.excluded.push_back({who, now + r.exclusion_time});
  }

  // -- what changes hands -----------------------------------------------------

  void give_to(const agent_id& who) {
    s.at = active{who};
    s.previous = who;
    ++s.ownership;
    ++s.rounds; // No timer of an offer matters any more.
    todo.emplace_back(assign{who});
  }

  /// From here on the customer waits, unless they did already.
  void start_waiting() {
    if (std::exchange(s.answered, false))
      s.waiting_since = now;
  }

  void search_again() {
    s.at = queued{};
    ++s.rounds;
    todo.emplace_back(find_agent{});
  }

  /// The open question to an agent, in whatever phase there is one.
  const reservation* asked() const {
    if (const auto* at = std::get_if<offered>(&s.at))
      return &at->to;
    if (const auto* at = std::get_if<transferring>(&s.at); at && at->asked)
      return &*at->asked;
    return nullptr;
  }

  bool is_asked(const agent_id& who, std::int64_t number) const {
    const auto* to = asked();
    return to && to->agent == who && to->offer == number;
  }

  /// Nobody took the transfer: its sender has the session, as before.
  void return_to_sender(agent_id sender) {
    s.at = active{sender};
    ++s.rounds;
    note_event("transfer_returned", sender);
    todo.emplace_back(leave_queue{});
  }

  /// The question to an agent came to nothing.
  void end_question(std::string_view reason, bool excluding,
                    std::string detail = {}) {
    const auto was = *asked();
    note_event(reason, was.agent, std::move(detail));
    if (excluding)
      exclude(was.agent);
    todo.emplace_back(end_offer{was.agent, was.offer, std::string(reason)});
    auto* moving = std::get_if<transferring>(&s.at);
    if (!moving) {
      search_again();
      return;
    }
    moving->asked.reset();
    if (moving->target.agent || now >= moving->until) {
      return_to_sender(moving->from);
      return;
    }
    start_timer(moving->until);
    todo.emplace_back(find_agent{});
  }

  /// Ends whatever is open, with everybody who has a part in it.
  void close(std::string_view reason, const agent_id& by, std::string detail) {
    if (const auto* to = asked())
      todo.emplace_back(end_offer{to->agent, to->offer, "closed"});
    const auto held_by = owner(s);
    const auto waited = waits(s);
    const auto wrapping = std::get_if<wrap_up>(&s.at);
    const auto loser = held_by    ? held_by
                       : wrapping ? std::optional{wrapping->agent}
                                  : std::nullopt;
    if (held_by)
      ++s.ownership;
    s.at = closed{};
    ++s.rounds;
    note_event(reason, by, std::move(detail));
    if (waited)
      todo.emplace_back(leave_queue{});
    if (loser)
      todo.emplace_back(unassign{*loser, std::string(reason)});
  }

  /// @returns true if `who` may act, else says why not
  bool may_act(const agent_id& who, std::int64_t ownership) {
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

  bool is_text(std::string_view body) {
    if (body.empty()) {
      say_no(errc::malformed, "the body is empty");
      return false;
    }
    if (body.size() > content_bytes_max) {
      say_no(errc::too_large,
             "the body has " + std::to_string(body.size()) + " bytes, at most "
               + std::to_string(content_bytes_max) + " are taken");
      return false;
    }
    return true;
  }

  // -- customers --------------------------------------------------------------

  void operator()(const customer_said& e) {
    if (std::holds_alternative<closed>(s.at)) {
      say_no(errc::wrong_phase, "the session is closed");
      return;
    }
    if (!is_text(e.what.content))
      return;
    if (s.last_seq == 0)
      s.waiting_since = now;
    const auto waits_anew = s.answered;
    start_waiting();
    const auto line =
      append_line(entry_kind::customer, "", e.what.content, e.what.id);
    if (waits_anew)
      todo.emplace_back(save{});
    say_yes(line.seq);
    if (std::holds_alternative<fresh>(s.at)) {
      s.at = queued{};
      note_event("queued", {}, s.want.queue.text);
      todo.emplace_back(find_agent{});
      return;
    }
    if (const auto* at = std::get_if<wrap_up>(&s.at)) {
      const auto who = at->agent;
      note_event("reopened", who);
      give_to(who);
    }
    if (const auto who = owner(s))
      todo.emplace_back(show{*who, line});
  }

  void operator()(const customer_left&) {
    if (std::holds_alternative<fresh>(s.at)
        || std::holds_alternative<closed>(s.at)) {
      say_no(errc::wrong_phase, "there is no open session");
      return;
    }
    close("closed", {}, "customer_left");
    say_yes(s.last_seq);
  }

  // -- agents who have the session --------------------------------------------

  void operator()(const agent_said& e) {
    if (!may_act(e.agent, e.ownership) || !is_text(e.body))
      return;
    if (std::holds_alternative<held>(s.at)) {
      say_no(errc::wrong_phase, "the session is on hold; resume it first");
      return;
    }
    const auto line =
      append_line(entry_kind::agent, e.agent.text, e.body, e.id);
    if (!std::exchange(s.answered, true))
      todo.emplace_back(save{});
    todo.emplace_back(send_out{line});
    say_yes(line.seq);
    todo.emplace_back(show{e.agent, line});
  }

  void operator()(const agent_noted& e) {
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

  void operator()(const hold_asked& e) {
    if (!may_act(e.agent, e.ownership))
      return;
    if (!std::holds_alternative<active>(s.at)) {
      say_no(errc::wrong_phase, "only an active session can be held");
      return;
    }
    s.at = held{e.agent};
    note_event("held", e.agent);
    say_yes(s.last_seq);
  }

  void operator()(const resume_asked& e) {
    if (!may_act(e.agent, e.ownership))
      return;
    if (!std::holds_alternative<held>(s.at)) {
      say_no(errc::wrong_phase, "the session is not on hold");
      return;
    }
    s.at = active{e.agent};
    note_event("resumed", e.agent);
    say_yes(s.last_seq);
  }

  void operator()(const transfer_asked& e) {
    if (!may_act(e.agent, e.ownership))
      return;
    if (!std::holds_alternative<active>(s.at)) {
      say_no(errc::wrong_phase, "only an active session can be transferred");
      return;
    }
    if (e.target.agent.has_value() == e.target.queue.has_value()
        || e.target.agent == e.agent) {
      say_no(errc::malformed, "name one target: another agent, or a queue");
      return;
    }
    if (!e.note.empty()) {
      if (!is_text(e.note))
        return;
      append_line(entry_kind::note, e.agent.text, e.note);
    }
    start_waiting();
    s.at = transferring{e.agent, e.target, now + r.transfer_time, {}};
    note_event("transfer_asked", e.agent,
               e.target.agent ? "agent " + e.target.agent->text
                              : "queue " + e.target.queue->text);
    say_yes(s.last_seq);
    todo.emplace_back(find_agent{});
    start_timer(now + r.transfer_time);
  }

  void operator()(const close_asked& e) {
    if (!may_act(e.agent, e.ownership))
      return;
    if (r.wrap_up_time == duration{0}) {
      close("closed", e.agent, e.disposition);
      say_yes(s.last_seq);
      return;
    }
    if (const auto* to = asked())
      todo.emplace_back(end_offer{to->agent, to->offer, "closed"});
    if (waits(s))
      todo.emplace_back(leave_queue{});
    ++s.ownership;
    s.at = wrap_up{e.agent, now + r.wrap_up_time};
    note_event("wrapping_up", e.agent, e.disposition);
    say_yes(s.last_seq);
    start_timer(now + r.wrap_up_time);
    todo.emplace_back(assign{e.agent}); // It takes less room now.
  }

  void operator()(const wrapped_up& e) {
    const auto* at = std::get_if<wrap_up>(&s.at);
    if (!at || at->agent != e.agent) {
      say_no(errc::wrong_phase, "there is nothing of yours to wrap up");
      return;
    }
    close("closed", e.agent, e.disposition);
    say_yes(s.last_seq);
  }

  void operator()(const agent_lost& e) {
    if (const auto* at = std::get_if<wrap_up>(&s.at);
        at && at->agent == e.agent) {
      close("closed", e.agent, e.reason);
      return;
    }
    if (owner(s) != e.agent) {
      ignored(e.name);
      return;
    }
    if (const auto* to = asked())
      todo.emplace_back(end_offer{to->agent, to->offer, "agent_lost"});
    start_waiting();
    s.previous = e.agent;
    ++s.ownership;
    note_event("agent_lost", e.agent, e.reason);
    todo.emplace_back(unassign{e.agent, e.reason});
    search_again();
  }

  // -- agents who are asked ---------------------------------------------------

  void operator()(const granted& e) {
    auto* moving = std::get_if<transferring>(&s.at);
    const auto wanted = waits(s) && (!moving || may_receive(*moving, e.agent))
                        && (e.pick || !is_excluded(e.agent));
    if (!wanted) {
      todo.emplace_back(end_offer{e.agent, 0, "not_needed"});
      // The router has taken it out of the line; it still waits.
      if (waits(s))
        todo.emplace_back(find_agent{});
      return;
    }
    const reservation to{e.agent, ++s.offers, now + r.offer_time};
    if (e.why)
      todo.emplace_back(record{e.why});
    if (e.pick || r.accept_automatically) {
      take_over(to);
      return;
    }
    if (moving)
      moving->asked = to;
    else
      s.at = offered{to};
    note_event("offered", e.agent);
    todo.emplace_back(offer{to});
    start_timer(moving ? std::min(to.until, moving->until) : to.until);
  }

  /// Never back to the sender; a transfer to an agent is for nobody else, not
  /// even if they pick it.
  static bool may_receive(const transferring& moving, const agent_id& who) {
    return moving.from != who
           && (!moving.target.agent || *moving.target.agent == who);
  }

  /// The session goes to the agent of the reservation, from the line or from
  /// another agent.
  void take_over(const reservation& to) {
    const auto* moving = std::get_if<transferring>(&s.at);
    const auto from = moving ? std::optional{moving->from} : std::nullopt;
    note_event(from ? "transferred" : "assigned", to.agent,
               from ? "from " + from->text : "");
    if (from)
      todo.emplace_back(unassign{*from, "transferred"});
    give_to(to.agent);
  }

  void operator()(const accepted& e) {
    if (!is_asked(e.agent, e.offer)) {
      say_no(errc::stale_owner,
             "the offer is over: it timed out, was withdrawn "
             "or went to somebody else");
      return;
    }
    const auto to = *asked();
    take_over(to);
    say_yes(s.last_seq);
  }

  void operator()(const declined& e) {
    if (!is_asked(e.agent, e.offer)) {
      say_no(errc::stale_owner, "the offer is over already");
      return;
    }
    end_question("declined", true, e.reason);
    say_yes(s.last_seq);
  }

  void operator()(const withdrawn& e) {
    if (is_asked(e.agent, e.offer))
      end_question("withdrawn", false, e.reason);
    else
      ignored(e.name);
  }

  // -- time and life ----------------------------------------------------------

  void operator()(const timer& e) {
    if (e.round != s.rounds) {
      ignored(e.name);
      return;
    }
    if (asked())
      end_question("timed_out", true);
    else if (const auto* moving = std::get_if<transferring>(&s.at))
      return_to_sender(moving->from);
    else if (const auto* at = std::get_if<wrap_up>(&s.at))
      close("closed", agent_id{at->agent}, "wrap_up_time");
    else
      ignored(e.name);
  }

  void operator()(const revived&) {
    if (waits(s))
      todo.emplace_back(find_agent{});
    if (const auto who = owner(s))
      todo.emplace_back(assign{*who});
    if (const auto* at = std::get_if<wrap_up>(&s.at)) {
      todo.emplace_back(assign{at->agent});
      start_timer(at->until);
    }
    const auto* moving = std::get_if<transferring>(&s.at);
    if (const auto* to = asked()) {
      todo.emplace_back(offer{*to});
      start_timer(moving ? std::min(to->until, moving->until) : to->until);
    } else if (moving) {
      start_timer(moving->until);
    }
  }
};

} // namespace

effects apply(state& s, const event& what, const rules& r, time_point now) {
  step one{s, r, now};
  std::visit(one, what);
  return std::move(one.todo);
}

std::vector<hold> holds(const state& s) {
  std::vector<hold> all;
  if (const auto who = owner(s))
    all.push_back({*who, s.load, false, 0});
  if (const auto* at = std::get_if<wrap_up>(&s.at))
    all.push_back({at->agent, s.load / 2, false, 0});
  if (const auto* at = std::get_if<offered>(&s.at))
    all.push_back({at->to.agent, s.load, true, at->to.offer});
  if (const auto* at = std::get_if<transferring>(&s.at); at && at->asked)
    all.push_back({at->asked->agent, s.load, true, at->asked->offer});
  return all;
}

std::optional<agent_id> owner(const state& s) {
  if (const auto* at = std::get_if<active>(&s.at))
    return at->agent;
  if (const auto* at = std::get_if<held>(&s.at))
    return at->agent;
  if (const auto* at = std::get_if<transferring>(&s.at))
    return at->from;
  return std::nullopt;
}

bool waits(const state& s) {
  if (const auto* at = std::get_if<transferring>(&s.at))
    return !at->asked;
  return std::holds_alternative<queued>(s.at);
}

std::string_view name_of(const phase& p) noexcept {
  return std::visit([](const auto& x) { return x.name; }, p);
}

} // namespace switchboard::session
