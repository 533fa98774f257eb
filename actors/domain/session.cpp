#include "actors/domain/session_step.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

// -- customers ----------------------------------------------------------------

void step::operator()(const customer_said& e) {
  if (std::holds_alternative<closed>(s.at)) {
    say_no(errc::wrong_phase, "the session is closed");
    return;
  }
  if (!is_text(e.what.content))
    return;
  if (s.last_seq == 0)
    s.waiting_since = now;
  // Who waits, and since when, is read from the lines: nothing else is kept.
  start_waiting();
  const auto line =
    append_line(entry_kind::customer, "", e.what.content, e.what.id);
  say_yes(line.seq);
  s.heard_at = now;
  if (std::holds_alternative<fresh>(s.at)) {
    s.at = queued{};
    note_event("queued", {}, s.want.queue.text);
    line_up(standing::outside);
    return;
  }
  if (auto* waiting = std::get_if<queued>(&s.at);
      waiting && waiting->probed_until != time_point{}) {
    waiting->probed_until = {};
    note_event("still_there");
    line_up(standing::outside);
    return;
  }
  if (const auto* at = std::get_if<wrap_up>(&s.at)) {
    const auto who = at->agent;
    note_event("reopened", who);
    give_to(who);
  } else if (auto* busy = std::get_if<active>(&s.at)) {
    wake_up(*busy);
  }
  if (const auto who = owner(s))
    todo.emplace_back(show{*who, line});
}

void step::operator()(const customer_left&) {
  if (std::holds_alternative<fresh>(s.at)
      || std::holds_alternative<closed>(s.at)) {
    say_no(errc::wrong_phase, "there is no open session");
    return;
  }
  close("closed", {}, "customer_left");
  say_yes(s.last_seq);
}

// -- building blocks ----------------------------------------------------------

entry& step::append_line(entry_kind kind, std::string author, std::string body,
                         message_id id) {
  todo.emplace_back(append{entry{.seq = ++s.last_seq,
                                 .kind = kind,
                                 .event = {},
                                 .author = std::move(author),
                                 .body = std::move(body),
                                 .id = std::move(id),
                                 .at = now}});
  return std::get<append>(todo.back()).line;
}

void step::note_event(std::string_view what, const agent_id& who,
                      std::string detail) {
  append_line(entry_kind::event, who.text, std::move(detail)).event = what;
  todo.emplace_back(save{});
}

void step::say_yes(std::int32_t seq) {
  todo.emplace_back(answer{receipt{s.id, seq, false}});
}

void step::say_no(errc code, std::string why) {
  todo.emplace_back(answer{fail(code, std::move(why))});
}

void step::start_timer(time_point at) {
  todo.emplace_back(wake{at, ++s.rounds});
}

void step::ignored(std::string_view what) {
  todo.emplace_back(ignore{name_of(s.at), what});
}

bool step::is_text(std::string_view body) {
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

void step::start_waiting() {
  if (std::exchange(s.answered, false))
    s.waiting_since = now;
}

void step::search_again() {
  const auto was = waits(s) ? standing::in_line : standing::outside;
  s.at = queued{};
  ++s.rounds;
  line_up_anew(was);
}

void step::give_to(const agent_id& who) {
  s.at = active{who};
  s.previous = who;
  s.receiver_too = false;
  s.overflowed.clear();
  s.place_told = 0;
  ++s.ownership;
  ++s.rounds; // No timer of an offer matters any more.
  todo.emplace_back(assign{who});
  watch();
}

void step::end_offers(std::string_view reason) {
  for (const auto& x : asked(s))
    todo.emplace_back(end_offer{x.agent, x.offer, std::string(reason)});
}

void step::close(std::string_view reason, const agent_id& by,
                 std::string detail) {
  end_offers("closed");
  const auto held_by = owner(s);
  const auto waited = waits(s);
  const auto* wrapping = std::get_if<wrap_up>(&s.at);
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

// -- the machine --------------------------------------------------------------

effects apply(state& s, const event& what, const rules& r, time_point now) {
  step one{s, r, now};
  std::visit(one, what);
  return std::move(one.todo);
}

std::vector<hold> holds(const state& s) {
  std::vector<hold> all;
  if (const auto who = owner(s)) {
    const auto* at = std::get_if<active>(&s.at);
    all.push_back({*who, at && at->quiet ? s.load / 4 : s.load, false, 0});
  }
  if (const auto* at = std::get_if<wrap_up>(&s.at))
    all.push_back({at->agent, s.load / 2, false, 0});
  for (const auto& x : asked(s))
    all.push_back({x.agent, s.load, true, x.offer});
  return all;
}

std::vector<reservation> asked(const state& s) {
  std::vector<reservation> all;
  if (const auto* at = std::get_if<offered>(&s.at)) {
    all.push_back(at->to);
    all.insert(all.end(), at->also.begin(), at->also.end());
  }
  if (const auto* at = std::get_if<transferring>(&s.at); at && at->asked)
    all.push_back(*at->asked);
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
  if (const auto* at = std::get_if<offered>(&s.at))
    return at->more > 0;
  const auto* at = std::get_if<queued>(&s.at);
  return at && at->probed_until == time_point{}
         && (at->closed_until == time_point{} || s.receiver_too);
}

std::int32_t load_of(std::string_view channel) noexcept {
  if (channel == "email")
    return 250;
  for (const auto x : {"sms", "whatsapp", "wechat", "line", "telegram",
                       "messenger", "facebook", "instagram"})
    if (channel == x)
      return 500;
  return load_of_live_chat;
}

std::string_view name_of(const phase& p) noexcept {
  return std::visit([](const auto& x) { return x.name; }, p);
}

} // namespace switchboard::session
