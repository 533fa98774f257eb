#include "actors/session_rows.hpp"

#include "bus/codec.hpp"
#include "bus/subject.hpp"

#include <boost/json.hpp>

namespace switchboard {

headers cloud_event(std::string_view type, const std::string& id,
                    const std::string& subject, time_point at) {
  return {{"ce-specversion", "1.0"},
          {"ce-type", "switchboard." + std::string(type)},
          {"ce-source", "/switchboard"},
          {"ce-id", id},
          {"ce-subject", subject},
          {"ce-time", rfc3339(at)},
          {"content-type", "application/json"}};
}

std::string place_body(const session::state& s, const session::placed& where) {
  boost::json::object to{{"session", to_string(s.id)},
                         {"channel", s.who.channel},
                         {"user", s.who.user},
                         {"queue", s.want.queue.text},
                         {"position", where.position}};
  // Without it nobody can tell yet.
  if (where.wait_max > duration{0}) {
    to["wait_min_s"] = where.wait_min.count() / 1000;
    to["wait_max_s"] = where.wait_max.count() / 1000;
  }
  return boost::json::serialize(to);
}

namespace {

std::string event_body(const session::state& s, const entry& line) {
  return boost::json::serialize(boost::json::object{
    {"session", to_string(s.id)},
    {"seq", line.seq},
    {"event", line.event},
    {"agent", line.author},
    {"detail", line.body},
    {"channel", s.who.channel},
    {"user", s.who.user},
    {"queue", s.want.queue.text},
    {"phase", session::name_of(s.at)},
    {"ownership", std::to_string(s.ownership)},
    {"at", rfc3339(line.at)},
  });
}

struct collect {
  session_write& to;
  const session::state& after;

  outbox_row row(std::int32_t seq, std::string_view kind) const {
    const auto id = to_string(after.id) + '-' + std::to_string(seq);
    return {.slot = slot_of(after.id),
            .dedupe_id = kind.empty() ? id : id + '-' + std::string(kind),
            .session = after.id,
            .seq = seq,
            .subject = {},
            .payload = {}};
  }

  void operator()(const session::append& e) const {
    to.entries.push_back(e.line);
    if (e.line.kind != entry_kind::event)
      return;
    auto x = row(e.line.seq, "event");
    const auto session = to_string(after.id);
    x.subject = subject::event("session", e.line.event, session);
    x.with =
      cloud_event("session." + e.line.event, x.dedupe_id, session, e.line.at);
    x.payload = event_body(after, e.line);
    to.out.push_back(std::move(x));
  }

  void operator()(const session::save&) const { to.state_changed = true; }

  void operator()(const session::send_out& e) const {
    auto x = row(e.line.seq, "");
    x.subject = subject::out(after.who);
    x.with = {{"content-type", "application/json"}};
    x.payload = codec::encode_out(after.id, after.who, e.line);
    to.out.push_back(std::move(x));
  }

  void operator()(const session::record& e) const {
    to.decisions.push_back(e.why);
    auto x = row(to.entries.empty() ? after.last_seq : to.entries.back().seq,
                 "decision");
    const auto session = to_string(after.id);
    x.subject = subject::event("decision", "made", session);
    x.with = cloud_event("decision.made", x.dedupe_id, session, e.why->at);
    x.payload = to_json(*e.why);
    to.out.push_back(std::move(x));
  }

  template <class Effect>
  void operator()(const Effect&) const {
    // Not durable: carried out after the commit.
  }
};

} // namespace

session_write rows_of(const session::state& before, const session::state& after,
                      std::span<const session::effects> todo) {
  session_write w;
  w.state = after;
  w.base_seq = before.last_seq;
  w.holds_changed = session::holds(before) != session::holds(after);
  for (const auto& effects : todo)
    for (const auto& e : effects)
      std::visit(collect{w, after}, e);
  return w;
}

} // namespace switchboard
