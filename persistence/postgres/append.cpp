#include "persistence/postgres/append.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

namespace switchboard::postgres {

namespace {

using texts = std::vector<std::string_view>;
using longs = std::vector<std::int64_t>;
using ints = std::vector<std::int32_t>;
using shorts = std::vector<std::int16_t>;
using flags = std::vector<bool>;

std::string headers_json(const headers& with) {
  boost::json::object to;
  for (const auto& [name, value] : with)
    to[name] = value;
  return boost::json::serialize(to);
}

/// The batch as one array a column. Texts that had to be made live in `made`.
struct columns {
  std::deque<std::string> made;
  std::map<std::int16_t, std::int64_t> claims;

  struct {
    longs id, epoch, ownership, opened;
    shorts slot;
    ints base;
    texts channel, user, phase, queue, agent, state;
    flags changed, holds;
  } s;
  struct {
    longs session, at, digest, epoch;
    ints seq;
    shorts kind;
    texts event, author, body, source, contact, key;
  } e;
  struct {
    longs session, offer;
    texts agent;
    ints load;
    flags open;
  } h;
  struct {
    texts id, subject, headers, payload, done, dead;
    shorts slot;
    longs session;
    ints seq;
  } o;
  struct {
    longs session;
    ints seq;
    texts body;
  } d;
  struct {
    shorts slot;
    longs offset;
    texts stream;
  } w;
  struct {
    shorts slot;
    longs offset;
    texts subject, reason, headers, payload;
  } x;
  struct {
    shorts slot;
    texts agent, now, reason;
  } p;

  std::string_view keep(std::string text) {
    made.push_back(std::move(text));
    return made.back();
  }

  /// Of two epochs of a slot the former one is over, whoever owns the slot:
  /// what was written under it is fenced and not even sent.
  void claim(slot_number slot, std::int64_t epoch) {
    auto& known = claims.try_emplace(slot, epoch).first->second;
    known = std::max(known, epoch);
  }

  [[nodiscard]] bool claimed(slot_number slot, std::int64_t epoch) const {
    return claims.at(slot) == epoch;
  }

  void add(const session_write& from) {
    const auto& state = from.state;
    s.id.push_back(state.id.value);
    s.slot.push_back(from.slot);
    s.base.push_back(from.base_seq);
    s.epoch.push_back(from.epoch);
    s.channel.push_back(state.who.channel);
    s.user.push_back(state.who.user);
    const auto changed = from.state_changed || from.base_seq == 0;
    s.changed.push_back(changed);
    s.holds.push_back(from.holds_changed);
    s.phase.push_back(session::name_of(state.at));
    s.queue.push_back(state.want.queue.text);
    const auto owner = session::owner(state);
    s.agent.push_back(owner ? keep(owner->text) : std::string_view{});
    s.ownership.push_back(state.ownership);
    s.opened.push_back(state.opened_at.time_since_epoch().count());
    s.state.push_back(changed ? keep(to_json(state)) : std::string_view{"{}"});
    const auto contact = keep(state.who.channel + ':' + state.who.user);
    for (const auto& line : from.entries)
      add(from, line, contact);
    if (from.holds_changed)
      for (const auto& hold : session::holds(state)) {
        h.session.push_back(state.id.value);
        h.agent.push_back(keep(hold.agent.text));
        h.load.push_back(hold.load);
        h.open.push_back(hold.open_offer);
        h.offer.push_back(hold.offer);
      }
    for (const auto& row : from.out)
      add(row);
    for (const auto& why : from.decisions) {
      d.session.push_back(state.id.value);
      d.seq.push_back(state.last_seq);
      d.body.push_back(keep(to_json(*why)));
    }
  }

  void add(const session_write& from, const entry& line,
           std::string_view contact) {
    e.session.push_back(from.state.id.value);
    e.seq.push_back(line.seq);
    e.kind.push_back(static_cast<std::int16_t>(line.kind));
    e.event.push_back(line.event);
    e.author.push_back(line.author);
    e.body.push_back(line.body);
    e.source.push_back(line.id.text);
    e.at.push_back(line.at.time_since_epoch().count());
    e.contact.push_back(contact);
    const auto mine = line.kind == entry_kind::customer ? "c:" : "a:";
    e.key.push_back(line.id.empty() ? std::string_view{}
                                    : keep(mine + line.id.text));
    e.digest.push_back(digest(line.body));
    e.epoch.push_back(from.epoch);
  }

  void add(const outbox_row& row) {
    o.id.push_back(row.dedupe_id);
    o.slot.push_back(row.slot);
    o.session.push_back(row.session.value);
    o.seq.push_back(row.seq);
    o.subject.push_back(row.subject);
    o.headers.push_back(keep(headers_json(row.with)));
    o.payload.push_back(row.payload);
  }

  template <class Do>
  static void for_each_claim(const batch& in, Do what) {
    std::for_each(in.sessions.begin(), in.sessions.end(), what);
    std::for_each(in.watermarks.begin(), in.watermarks.end(), what);
    std::for_each(in.dead.begin(), in.dead.end(), what);
    std::for_each(in.presences.begin(), in.presences.end(), what);
  }

  void add(const batch& from) {
    for_each_claim(from,
                   [this](const auto& each) { claim(each.slot, each.epoch); });
    for (const auto& each : from.sessions)
      if (claimed(each.slot, each.epoch))
        add(each);
    for (const auto& each : from.watermarks) {
      if (!claimed(each.slot, each.epoch))
        continue;
      w.slot.push_back(each.slot);
      w.offset.push_back(static_cast<std::int64_t>(each.offset));
      w.stream.push_back(each.stream);
    }
    for (const auto& each : from.dead) {
      if (!claimed(each.slot, each.epoch))
        continue;
      x.slot.push_back(each.slot);
      x.offset.push_back(static_cast<std::int64_t>(each.offset));
      x.subject.push_back(each.subject);
      x.reason.push_back(each.reason);
      x.headers.push_back(keep(headers_json(each.with)));
      x.payload.push_back(each.payload);
    }
    for (const auto& each : from.presences) {
      if (!claimed(each.slot, each.epoch))
        continue;
      p.slot.push_back(each.slot);
      p.agent.push_back(each.agent.text);
      p.now.push_back(agent::to_string(each.now));
      p.reason.push_back(each.reason);
    }
    for (const auto& each : from.outbox_done)
      o.done.push_back(each);
    for (const auto& each : from.outbox_dead)
      o.dead.push_back(each);
  }

  [[nodiscard]] parameters as_parameters(const node_id& node) const {
    shorts slots_claimed;
    longs epochs;
    for (const auto& [slot, epoch] : claims) {
      slots_claimed.push_back(slot);
      epochs.push_back(epoch);
    }
    parameters to;
    to.add(node.text).add(slots_claimed).add(epochs);
    to.add(s.id).add(s.slot).add(s.base).add(s.epoch).add(s.channel);
    to.add(s.user).add(s.changed).add(s.holds).add(s.phase).add(s.queue);
    to.add(s.agent).add(s.ownership).add(s.opened).add(s.state);
    to.add(e.session).add(e.seq).add(e.kind).add(e.event).add(e.author);
    to.add(e.body).add(e.source).add(e.at).add(e.contact).add(e.key);
    to.add(e.digest).add(e.epoch);
    to.add(h.session).add(h.agent).add(h.load).add(h.open).add(h.offer);
    to.add(o.id).add(o.slot).add(o.session).add(o.seq).add(o.subject);
    to.add(o.headers).add(o.payload);
    to.add(d.session).add(d.seq).add(d.body);
    to.add(w.slot).add(w.offset).add(w.stream);
    to.add(x.slot).add(x.offset).add(x.subject).add(x.reason).add(x.headers);
    to.add_bytes(x.payload);
    to.add(p.slot).add(p.agent).add(p.now).add(p.reason);
    to.add(o.done).add(o.dead);
    return to;
  }
};

constexpr int parameters_of_append_v1 = 59;

const std::string& statement() {
  static const std::string sql = [] {
    std::string to = "SELECT * FROM append_v1(";
    for (int i = 1; i <= parameters_of_append_v1; ++i)
      to += (i > 1 ? ",$" : "$") + std::to_string(i);
    return to + ')';
  }();
  return sql;
}

} // namespace

result<std::vector<outcome>> append(connection& to, const node_id& node,
                                    const batch& what) {
  columns c;
  c.add(what);
  const auto got = to.run(statement(), c.as_parameters(node));
  if (!got)
    return got.error();
  std::vector<outcome> all(what.sessions.size());
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < what.sessions.size(); ++i)
    if (const auto& w = what.sessions[i]; c.claimed(w.slot, w.epoch))
      places.emplace(w.state.id.value, i);
    else
      all[i].what = verdict::fenced;
  for (int row = 0; row < got->count(); ++row) {
    auto& each = all.at(places.at(got->number(row, 0)));
    each.what = static_cast<verdict>(got->number(row, 1));
    if (each.what == verdict::duplicate)
      each.known.push_back(
        {.id = {std::string(got->text(row, 2))},
         .where = {{got->number(row, 3)},
                   static_cast<std::int32_t>(got->number(row, 4)),
                   true},
         .same_body = got->flag(row, 5)});
  }
  return all;
}

} // namespace switchboard::postgres
