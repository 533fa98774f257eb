// The agents who are asked to take a session, one after the other or together.
#include "actors/domain/session_step.hpp"

#include <algorithm>
#include <utility>

namespace switchboard::session {

void step::exclude(const agent_id& who) {
  std::erase_if(s.excluded, [&](const exclusion& x) {
    return x.agent == who || x.until <= now;
  });
  if (s.excluded.size() == exclusions_max)
    s.excluded.erase(s.excluded.begin());
  s.excluded.push_back({who, now + r.exclusion_time});
}

const reservation* step::asked_as(const agent_id& who,
                                  std::int64_t number) const {
  const auto is = [&](const reservation& x) {
    return x.agent == who && x.offer == number;
  };
  if (const auto* at = std::get_if<offered>(&s.at)) {
    if (is(at->to))
      return &at->to;
    const auto found = std::find_if(at->also.begin(), at->also.end(), is);
    return found == at->also.end() ? nullptr : &*found;
  }
  if (const auto* at = std::get_if<transferring>(&s.at);
      at && at->asked && is(*at->asked))
    return &*at->asked;
  return nullptr;
}

// Exclusions are the router's to heed, which has been told of them: an agent
// who comes in spite of one does so because nobody else would.
bool step::has_place_for(const granted& e) const {
  if (const auto* moving = std::get_if<transferring>(&s.at))
    // Never back to the sender; a transfer to an agent is for nobody else, not
    // even if they pick it.
    return !moving->asked && moving->from != e.agent
           && (!moving->target.agent || *moving->target.agent == e.agent);
  const auto all = asked(s);
  return waits(s)
         && std::none_of(all.begin(), all.end(), [&](const reservation& x) {
              return x.agent == e.agent;
            });
}

void step::operator()(const granted& e) {
  if (!has_place_for(e))
    todo.emplace_back(end_offer{e.agent, 0, "not_needed"});
  else
    take_up(e);
  // The router took it out of the line to propose it; but the session may have
  // asked again in that moment, and would stand there for ever. So it says
  // after each grant whether it waits.
  if (waits(s))
    todo.emplace_back(find_agent{});
  else
    todo.emplace_back(leave_queue{});
}

void step::take_up(const granted& e) {
  if (e.why)
    todo.emplace_back(record{e.why});
  if (e.pick || r.accept_automatically) {
    ++s.offers;
    take_over(e.agent);
    return;
  }
  const reservation to{e.agent, ++s.offers, now + r.offer_time};
  if (auto* moving = std::get_if<transferring>(&s.at)) {
    moving->asked = to;
  } else if (auto* at = std::get_if<offered>(&s.at)) {
    at->also.push_back(to);
    --at->more;
  } else {
    const auto together = std::clamp(r.offers_at_once, 1, offers_at_once_max);
    s.at = offered{.to = to, .also = {}, .more = together - 1};
  }
  note_event("offered", e.agent);
  todo.emplace_back(offer{to});
  start_offer_timer();
}

void step::take_over(const agent_id& who) {
  for (const auto& x : asked(s))
    if (x.agent != who)
      todo.emplace_back(end_offer{x.agent, x.offer, "taken"});
  auto* moving = std::get_if<transferring>(&s.at);
  const auto from = moving ? std::optional{moving->from} : std::nullopt;
  if (moving && moving->target.queue)
    s.want.queue = *moving->target.queue; // It is that queue's from now on.
  note_event(from ? "transferred" : "assigned", who,
             from ? "from " + from->text : "");
  if (from)
    todo.emplace_back(unassign{*from, "transferred"});
  give_to(who);
}

void step::operator()(const accepted& e) {
  if (!asked_as(e.agent, e.offer)) {
    say_no(errc::stale_owner, "the offer is over: it timed out, was withdrawn "
                              "or went to somebody else");
    return;
  }
  if (waits(s))
    todo.emplace_back(leave_queue{});
  take_over(e.agent);
  say_yes(s.last_seq);
}

void step::operator()(const declined& e) {
  const auto* to = asked_as(e.agent, e.offer);
  if (!to) {
    say_no(errc::stale_owner, "the offer is over already");
    return;
  }
  exclude(e.agent);
  end_question(reservation{*to}, "declined", e.reason);
  say_yes(s.last_seq);
}

void step::operator()(const withdrawn& e) {
  if (const auto* to = asked_as(e.agent, e.offer))
    end_question(reservation{*to}, "withdrawn", e.reason);
  else
    ignored(e.name);
}

void step::return_to_sender(const agent_id& sender) {
  s.at = active{.agent = sender, .replied = true};
  ++s.rounds;
  note_event("transfer_returned", sender);
  todo.emplace_back(leave_queue{});
  watch();
}

void step::end_question(const reservation& was, std::string_view reason,
                        std::string detail) {
  note_event(reason, was.agent, std::move(detail));
  todo.emplace_back(end_offer{was.agent, was.offer, std::string(reason)});
  if (auto* at = std::get_if<offered>(&s.at)) {
    if (at->also.empty()) {
      search_again();
      return;
    }
    if (at->to == was) {
      at->to = at->also.front();
      at->also.erase(at->also.begin());
    } else {
      std::erase(at->also, was);
    }
    ++at->more;
    start_offer_timer();
    todo.emplace_back(find_agent{});
    return;
  }
  auto& moving = std::get<transferring>(s.at);
  moving.asked.reset();
  if (moving.target.agent || now >= moving.until) {
    return_to_sender(agent_id{moving.from});
    return;
  }
  start_offer_timer();
  todo.emplace_back(find_agent{});
}

void step::start_offer_timer() {
  auto due = time_point::max();
  for (const auto& x : asked(s))
    due = std::min(due, x.until);
  if (const auto* moving = std::get_if<transferring>(&s.at))
    due = std::min(due, moving->until);
  start_timer(due);
}

} // namespace switchboard::session
