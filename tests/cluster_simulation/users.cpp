// Customers of both lanes, the router and the agents, who know what the
// database shows them and reach the nodes over the bus.
#include "tests/cluster_simulation/cluster.hpp"

namespace switchboard::cluster_simulation {

namespace {

inbound text_of(const std::string& user, const std::string& sender,
                std::int64_t number) {
  return {.id = {sender + '-' + std::to_string(number)},
          .from = {"web", user},
          .content = user + ' ' + std::to_string(number)};
}

} // namespace

// -- the direct lane: the same id until there is a receipt --------------------

void cluster::say(customer& who) {
  if (closing_)
    return;
  ++who.number;
  who.attempts = 0;
  who.waits = true;
  try_again(who);
}

void cluster::try_again(customer& who) {
  const auto number = who.number;
  sum_.repeated += who.attempts > 0 ? 1 : 0;
  ++who.attempts;
  post({slot_of("web", who.user),
        {},
        session::customer_said{text_of(who.user, "say", number)},
        [this, &who, number](node& by, const result<receipt>& x) {
          if (by.reachable() && !world_.chance(world_.faults.loss))
            world_.after(world_.delay(),
                         [this, &who, number, x] { answered(who, number, x); });
        }});
  const auto patience = world_.faults.calm ? 1500 : 250 + world_.below(250);
  world_.after(
    instant{patience}, [this, &who, number, attempts = who.attempts] {
      if (!who.waits || who.number != number || who.attempts != attempts)
        return;
      if (world_.faults.calm)
        throw violation("a planned move lost a request of " + who.user);
      try_again(who);
    });
}

void cluster::answered(customer& who, std::int64_t number,
                       const result<receipt>& x) {
  const auto id = "say-" + std::to_string(number);
  if (x) {
    store_.must_have(who.user, id, *x);
    ++sum_.receipts;
  }
  world_.note(x ? "receipt" : "refused", who.user, number,
              x ? x->seq : static_cast<int>(x.error().code));
  if (!who.waits || who.number != number)
    return;
  if (!x) {
    world_.after(50ms, [this, &who, number, attempts = who.attempts] {
      if (who.waits && who.number == number && who.attempts == attempts)
        try_again(who);
    });
    return;
  }
  who.waits = false;
  world_.after(instant{50 + world_.below(250)}, [this, &who] { say(who); });
}

// -- the buffered lane: the broker has it -------------------------------------

void cluster::put(int who, int number) {
  const auto user = "b" + std::to_string(who);
  stream_.push_back({slot_of("web", user), text_of(user, "put", number)});
}

// -- the router and the agents ------------------------------------------------

void cluster::sweep() {
  if (closing_)
    return;
  if (!store_.away)
    for (const auto& [id, x] : store_.sessions)
      look_after(x);
  world_.after(150ms, [this] { sweep(); });
}

void cluster::look_after(const database::row& x) {
  const auto slot = slot_of(x.s.id);
  const agent_id anybody{"a" + std::to_string(world_.below(3))};
  if (session::waits(x.s) && world_.below(2) == 0)
    command({slot, x.s.id, session::granted{.agent = anybody}});
  for (const auto& o : session::asked(x.s)) {
    if (world_.below(5) == 0)
      command({slot, x.s.id, session::declined{o.agent, o.offer, "busy"}});
    else
      command({slot, x.s.id, session::accepted{o.agent, o.offer}});
  }
  if (const auto who = session::owner(x.s))
    speak(x, *who);
}

/// Says three things, each until there is a receipt, and closes.
void cluster::speak(const database::row& x, const agent_id& who) {
  const auto id = x.s.id;
  const auto said = spoken_[id];
  if (said >= 3) {
    command(
      {slot_of(id), id, session::close_asked{who, x.s.ownership, "solved"}});
    return;
  }
  const auto user = x.s.who.user;
  // An agent's own numbers: a colleague's may still be on their way.
  const auto name =
    who.text + '.' + to_string(id) + '-' + std::to_string(said + 1);
  command({slot_of(id), id,
           session::agent_said{who, x.s.ownership, {name}, name},
           [this, id, user, name, said](node&, const result<receipt>& got) {
             if (!got)
               return;
             store_.must_have(user, name, *got);
             ++sum_.receipts;
             auto& count = spoken_[id];
             count = std::max(count, said + 1);
           }});
}

} // namespace switchboard::cluster_simulation
