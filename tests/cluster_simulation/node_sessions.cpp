#include "tests/cluster_simulation/ask.hpp"

#include <algorithm>

namespace switchboard::cluster_simulation {

namespace {

const session::rules rules{};

message_id id_of(const letter& x) {
  if (const auto* said = std::get_if<session::customer_said>(&x.what))
    return said->what.id;
  if (const auto* said = std::get_if<session::agent_said>(&x.what))
    return said->id;
  return {};
}

bool is_durable(const session::effect& e) {
  return std::holds_alternative<session::append>(e)
         || std::holds_alternative<session::save>(e);
}

} // namespace

node::conversation* node::find(slot_number slot, session_id id) {
  auto& all = slots_[slot].all;
  const auto at = all.find(id);
  return at == all.end() ? nullptr : &at->second;
}

// -- one write after the other ------------------------------------------------

void node::take_up(slot_number slot, session_id id) {
  for (auto* c = find(slot, id); c && !c->under_way && !c->inbox.empty();
       c = find(slot, id)) {
    c->under_way = plan(slot, *c);
    const auto durable = std::any_of(
      c->under_way->jobs.begin(), c->under_way->jobs.end(),
      [](const planned& p) {
        return std::any_of(p.todo.begin(), p.todo.end(), is_durable);
      });
    if (durable) {
      submit(slot, id);
      return;
    }
    finish(slot, id);
  }
  look_quiet(slot);
}

node::flight node::plan(slot_number slot, conversation& c) {
  flight f{++flights_, c.s, {}, {}};
  f.what.by = name_;
  f.what.life = life_;
  f.what.slot = slot;
  f.what.epoch = slots_[slot].epoch;
  f.what.base = c.s.last_seq;
  for (auto& x : std::exchange(c.inbox, {})) {
    // What comes after the end belongs to the customer's next session.
    if (std::holds_alternative<session::closed>(f.next.at) && !x.session) {
      c.inbox.push_back(std::move(x));
      continue;
    }
    const auto id = id_of(x);
    const auto earlier =
      std::find_if(f.jobs.begin(), f.jobs.end(), [&](const planned& p) {
        return !id.empty() && id_of(p.what) == id;
      });
    if (earlier != f.jobs.end()) {
      const auto index = static_cast<std::size_t>(earlier - f.jobs.begin());
      f.jobs.push_back({std::move(x), {}, index});
      continue;
    }
    auto todo = session::apply(f.next, x.what, rules, wall());
    for (const auto& e : todo)
      if (const auto* line = std::get_if<session::append>(&e))
        f.what.lines.push_back(line->line);
      else if (const auto* out = std::get_if<session::send_out>(&e))
        f.what.out.push_back(to_string(c.s.id) + '-'
                             + std::to_string(out->line.seq));
    f.jobs.push_back({std::move(x), std::move(todo), {}});
  }
  f.what.after = f.next;
  return f;
}

void node::submit(slot_number slot, session_id id) {
  if (cluster_.around().has(bug::early_receipt))
    for (const auto& p : find(slot, id)->under_way->jobs)
      for (const auto& e : p.todo)
        if (const auto* told = std::get_if<session::answer>(&e))
          answer(p.what, told->what);
  attempt(slot, id);
}

/// The same statement until its outcome is known.
void node::attempt(slot_number slot, session_id id) {
  auto& f = *find(slot, id)->under_way;
  if (cluster_.around().has(bug::early_fence)
      || cluster_.around().has(bug::early_capacity))
    cluster_.store().look_before(f.what);
  ask([what = f.what](database& to) { return to.append(what); },
      [this, slot, id, number = f.number](const std::optional<outcome>& got) {
        const auto* c = find(slot, id);
        if (!c || !c->under_way || c->under_way->number != number)
          return;
        if (got)
          heard(slot, id, *got);
        else if (cluster_.around().has(bug::unknown_is_committed))
          heard(slot, id, {});
        else
          attempt(slot, id);
      });
}

void node::heard(slot_number slot, session_id id, const outcome& x) {
  if (x.what == verdict::stale)
    cluster_.around().note("stale", life_, id.value,
                           find(slot, id)->s.last_seq);
  switch (x.what) {
    case verdict::committed: finish(slot, id); break;
    case verdict::duplicate:
    case verdict::full: without(slot, id, x); break;
    case verdict::fenced:
      if (cluster_.around().has(bug::fenced_is_committed)) {
        finish(slot, id);
        break;
      }
      happen(membership::fenced{slot, slots_[slot].epoch});
      leave(slot);
      break;
    case verdict::stale: {
      // Somebody knows more than we do: read it all again.
      leave(slot);
      if (slots_[slot].at == mode::serving) {
        slots_[slot].at = mode::loading;
        load(slot);
      }
      break;
    }
  }
  take_up(slot, id);
}

void node::finish(slot_number slot, session_id id) {
  auto& c = *find(slot, id);
  auto done = std::move(*c.under_way);
  c.under_way.reset();
  c.s = done.next;
  const auto out = done.what.out;
  const auto over =
    std::holds_alternative<session::closed>(c.s.at) || c.s.last_seq == 0;
  for (const auto& p : done.jobs) {
    perform(slot, p);
    if (!p.repeats)
      continue;
    for (const auto& e : done.jobs[*p.repeats].todo)
      if (const auto* told = std::get_if<session::answer>(&e))
        answer(p.what, told->what);
  }
  for (const auto& x : out)
    send_out(x);
  if (over && find(slot, id))
    end(slot, id);
}

void node::perform(slot_number slot, const planned& p) {
  for (const auto& e : p.todo) {
    if (const auto* told = std::get_if<session::answer>(&e))
      answer(p.what, told->what);
    const auto* wake = std::get_if<session::wake>(&e);
    if (!wake || !p.what.session)
      continue;
    const auto wait = std::max(wake->at - wall(), duration{1});
    later(wait, [this, slot, id = *p.what.session, round = wake->round,
                 epoch = slots_[slot].epoch] {
      if (slots_[slot].epoch == epoch && slots_[slot].at == mode::serving
          && find(slot, id))
        open({slot, id, session::timer{round}});
    });
  }
}

/// Nothing of the write happened: it is done again without what was refused.
void node::without(slot_number slot, session_id id, const outcome& x) {
  auto& c = *find(slot, id);
  auto undone = std::move(*c.under_way);
  c.under_way.reset();
  std::deque<letter> again;
  bool taken_out = false;
  for (auto& p : undone.jobs) {
    const auto hit = x.known.find(id_of(p.what).text);
    const auto grant = std::holds_alternative<session::granted>(p.what.what);
    if (hit != x.known.end())
      answer(p.what, hit->second);
    else if (!(x.what == verdict::full && grant))
      again.push_back(std::move(p.what));
    taken_out |= grant;
  }
  if (x.what == verdict::full && !taken_out) {
    for (const auto& l : again)
      answer(l, fail(errc::full, "the agent has no room left"));
    again.clear();
  }
  for (auto& l : c.inbox)
    again.push_back(std::move(l));
  c.inbox = std::move(again);
  if (c.inbox.empty() && c.s.last_seq == 0)
    end(slot, id);
}

/// What came too late is the beginning of the customer's next session.
void node::end(slot_number slot, session_id id) {
  auto& x = slots_[slot];
  const auto gone = std::move(x.all.at(id));
  x.all.erase(id);
  x.by_user.erase(gone.s.who.user);
  for (const auto& l : gone.inbox)
    if (l.session)
      answer(l, fail(errc::stale_owner, "the session is closed"));
    else
      take(l);
}

} // namespace switchboard::cluster_simulation
