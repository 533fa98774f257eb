#include "tests/cluster_simulation/ask.hpp"

#include <algorithm>

namespace switchboard::cluster_simulation {

namespace {

constexpr int hops_max = 3;

error moved() {
  return fail(errc::moved, "another node owns this slot now; try again");
}

} // namespace

// -- a slot comes and goes ----------------------------------------------------

void node::perform(const membership::serve& e) {
  auto& x = slots_[e.slot];
  if (e.epoch <= x.epoch)
    return;
  leave(e.slot);
  x.epoch = e.epoch;
  x.at = mode::loading;
  x.settle_asked = false;
  load(e.slot);
}

void node::hear_served(slot_number slot) {
  if (reachable())
    happen(membership::served{slot});
}

void node::load(slot_number slot) {
  ask([slot](database& from) { return from.read_slot(slot); },
      [this, slot, epoch = slots_[slot].epoch](
        const std::optional<database::contents>& got) {
        auto& x = slots_[slot];
        if (x.at != mode::loading || x.epoch != epoch)
          return;
        if (got)
          loaded(slot, *got);
        else
          later(100ms, [this, slot, epoch] {
            if (slots_[slot].epoch == epoch && slots_[slot].at == mode::loading)
              load(slot);
          });
      });
}

void node::loaded(slot_number slot, const database::contents& what) {
  auto& x = slots_[slot];
  x.at = mode::serving;
  if (reachable())
    cluster_.tell_served(name_, slot);
  x.reads = lane{what.offset, what.offset, {}};
  for (const auto& s : what.open) {
    x.by_user[s.who.user] = s.id;
    x.all[s.id] = {s, {letter{slot, s.id, session::revived{}}}};
  }
  flush_held(slot);
  for (const auto& s : what.open)
    take_up(slot, s.id);
  if (std::exchange(slots_[slot].settle_asked, false))
    perform(membership::settle{slot, slots_[slot].epoch, {}});
}

void node::perform(const membership::stop& e) {
  auto& x = slots_[e.slot];
  if (x.at == mode::away || x.epoch != e.epoch)
    return;
  leave(e.slot);
  x.at = mode::away;
  x.listens_until = cluster_.around().now()
                    + (cluster_.around().has(bug::early_silence) ? 0ms : 500ms);
  flush_held(e.slot);
}

void node::perform(const membership::go_on&) {
  suspended_ = false;
  for (auto& [slot, x] : slots_)
    if (x.at == mode::serving)
      flush_held(slot);
}

/// Whatever is under way decides by itself; whoever waits asks again.
void node::leave(slot_number slot) {
  auto& x = slots_[slot];
  const auto gone = std::exchange(x.all, {});
  x.by_user.clear();
  for (const auto& [id, c] : gone) {
    if (c.under_way)
      for (const auto& p : c.under_way->jobs)
        answer(p.what, moved());
    for (const auto& l : c.inbox)
      answer(l, moved());
  }
}

/// Quiet: no write under way, and nothing that would begin one.
void node::look_quiet(slot_number slot) {
  const auto& x = slots_[slot];
  if (x.at != mode::leaving
      || std::any_of(x.all.begin(), x.all.end(), [](const auto& c) {
           return c.second.under_way || !c.second.inbox.empty();
         }))
    return;
  happen(membership::quiet{slot, x.epoch});
}

void node::flush_held(slot_number slot) {
  for (auto& x : std::exchange(slots_[slot].held, {}))
    take(std::move(x));
}

// -- letters ------------------------------------------------------------------

void node::take(letter what) {
  if (state_.me.empty())
    return;
  auto& x = slots_[what.slot];
  if (suspended_ && x.at == mode::serving) {
    x.held.push_back(std::move(what)); // Until we know whose slot it is.
    return;
  }
  switch (x.at) {
    case mode::away: send_on(std::move(what)); break;
    case mode::serving: open(std::move(what)); break;
    case mode::loading:
    case mode::leaving: x.held.push_back(std::move(what)); break;
  }
}

void node::send_on(letter what) {
  if (what.buffered && !cluster_.around().has(bug::passed_on_lane))
    return; // Its owner reads it from the stream.
  const auto& place = state_.places.at(what.slot);
  if (place.owner.empty() || place.owner == name_) {
    slots_[what.slot].held.push_back(std::move(what)); // Until we know more.
    return;
  }
  if (what.hops == 0) {
    pass_on(std::move(what));
    return;
  }
  // Whoever sent it here may have given us the slot: look, and do not send it
  // back at once.
  slots_[what.slot].held.push_back(std::move(what));
  look_now();
  later(50ms, [this, slot = what.slot] {
    if (slots_[slot].at == mode::away)
      for (auto& x : std::exchange(slots_[slot].held, {}))
        pass_on(std::move(x));
  });
}

void node::pass_on(letter what) {
  const auto& place = state_.places.at(what.slot);
  if (place.owner.empty() || place.owner == name_)
    slots_[what.slot].held.push_back(std::move(what)); // Until we know more.
  else if (++what.hops > hops_max)
    answer(what, moved());
  else if (!bus_cut_)
    cluster_.send(place.owner, std::move(what));
}

void node::open(letter what) {
  if (!what.session) {
    customer_says(std::move(what));
    return;
  }
  const auto slot = what.slot;
  const auto id = *what.session;
  if (auto* c = find(slot, id)) {
    c->inbox.push_back(std::move(what));
    take_up(slot, id);
    return;
  }
  answer(what, fail(errc::stale_owner, "the session is closed"));
}

void node::customer_says(letter what) {
  auto& x = slots_[what.slot];
  const auto& said = std::get<session::customer_said>(what.what).what;
  const auto slot = what.slot;
  const auto known = x.by_user.find(said.from.user);
  auto id = known == x.by_user.end() ? session_id{} : known->second;
  if (known == x.by_user.end()) {
    session::state s;
    s.id = id = make_session_id(wall(), slot, ++started_);
    s.who = said.from;
    s.opened_at = s.waiting_since = wall();
    x.by_user[said.from.user] = id;
    x.all[id] = {s, {}};
  }
  x.all[id].inbox.push_back(std::move(what));
  take_up(slot, id);
}

void node::answer(const letter& to, const result<receipt>& what) {
  if (to.reply)
    to.reply(*this, what);
}

// -- the buffered lane --------------------------------------------------------

void node::read_lane() {
  if (bus_cut_ || suspended_)
    return;
  std::vector<slot_number> mine;
  for (const auto& [slot, x] : slots_)
    if (x.at == mode::serving)
      mine.push_back(slot);
  for (const auto slot : mine)
    read_lane(slot);
}

void node::read_lane(slot_number slot) {
  const auto& stream = cluster_.stream();
  const auto epoch = slots_[slot].epoch;
  // `slots_[slot]` anew each time: what is read may cost us the slot.
  while (slots_[slot].at == mode::serving && slots_[slot].epoch == epoch
         && slots_[slot].reads.seen < stream.size()) {
    auto& at = slots_[slot].reads;
    const auto offset = ++at.seen;
    const auto& what = stream[offset - 1];
    if (what.slot != slot)
      continue;
    at.under_way.insert(offset);
    customer_says({slot,
                   {},
                   session::customer_said{what.what},
                   [slot, epoch, offset](node& by, const result<receipt>& got) {
                     auto& x = by.slots_[slot];
                     if (x.epoch != epoch
                         || x.reads.under_way.erase(offset) == 0 || got)
                       return;
                     x.reads.seen = std::min(x.reads.seen, offset - 1);
                   },
                   0,
                   true});
  }
}

void node::write_watermarks() {
  for (auto& [slot, x] : slots_) {
    if (x.at != mode::serving)
      continue;
    auto& at = x.reads;
    const auto low =
      at.under_way.empty() || cluster_.around().has(bug::early_offset)
        ? at.seen
        : std::min(at.seen, *at.under_way.begin() - 1);
    if (low <= at.written)
      continue;
    at.written = low;
    ask(
      [this, slot = slot, epoch = x.epoch, low](database& to) {
        to.watermark(name_, slot, epoch, low);
        return true;
      },
      [](std::optional<bool>) {});
  }
}

// -- the outbox ---------------------------------------------------------------

/// What a former owner has left, or we could not send.
void node::sweep_outbox() {
  std::set<slot_number> mine;
  for (const auto& [slot, x] : slots_)
    if (x.at == mode::serving)
      mine.insert(slot);
  ask(
    [mine](database& from) {
      std::vector<std::string> all;
      for (const auto& [id, x] : from.outbox)
        if (!x.done && mine.contains(x.slot))
          all.push_back(id);
      return all;
    },
    [this](const std::optional<std::vector<std::string>>& got) {
      if (got)
        for (const auto& id : *got)
          send_out(id);
    });
}

void node::send_out(const std::string& id) {
  if (bus_cut_)
    return;
  const auto early = cluster_.around().has(bug::early_outbox_done);
  if (!early)
    ++cluster_.store().outbox.at(id).sent; // The broker has it.
  ask(
    [id](database& to) {
      to.outbox.at(id).done = true;
      return true;
    },
    [this, id, early](std::optional<bool> done) {
      if (early && done.value_or(false))
        ++cluster_.store().outbox.at(id).sent;
    });
}

} // namespace switchboard::cluster_simulation
