#include "actors/domain/deliberation.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace switchboard::router {

namespace {

/// FNV-1a over everything that the choice depended on and the record shows.
class hasher {
public:
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    for (const auto c : text)
      mix(static_cast<unsigned char>(c));
  }

  void add(std::int64_t x) {
    auto bits = static_cast<std::uint64_t>(x);
    for (int i = 0; i < 8; ++i, bits >>= 8)
      mix(bits & 0xff);
  }

  void add(time_point x) { add(std::int64_t{x.time_since_epoch().count()}); }

  std::uint64_t value() const { return value_; }

private:
  void mix(std::uint64_t byte) {
    value_ ^= byte;
    value_ *= 1099511628211u;
  }

  std::uint64_t value_ = 14695981039346656037u;
};

void add(hasher& h, const needs& want) {
  h.add(want.queue.text);
  h.add(want.language);
  h.add(static_cast<std::int64_t>(want.skills.size()));
  for (const auto& skill : want.skills)
    h.add(skill);
  h.add(static_cast<std::int64_t>(want.urgency));
}

void add(hasher& h, const session_waiting& s) {
  h.add(s.session.value);
  h.add(s.channel);
  add(h, s.want);
  h.add(std::int64_t{s.load});
  h.add(s.since);
  h.add(s.only ? s.only->text : "");
  h.add(s.not_from ? s.not_from->text : "");
  h.add(s.previous ? s.previous->text : "");
  h.add(s.previous_at);
  for (const auto& a : s.asked)
    h.add(a.text);
  for (const auto& a : s.excluded)
    h.add(a.text);
  // Only where they are set, so that older records keep their hashes.
  if (s.besides)
    h.add(s.besides->text);
  if (s.target > duration{0})
    h.add(std::int64_t{s.target.count()});
}

void add(hasher& h, const decision::candidate& c) {
  h.add(c.agent.text);
  h.add(static_cast<std::int64_t>(c.verdicts.size()));
  for (const auto& v : c.verdicts)
    h.add(v);
  h.add(c.language);
  h.add(c.skill);
  h.add(c.affinity);
  h.add(std::int64_t{c.load});
  h.add(std::int64_t{c.capacity});
}

} // namespace

deliberation::deliberation(const policy& p, const session_waiting& s,
                           time_point now)
  : p_(p), s_(s), now_(now) {}

void deliberation::add(const agent::availability& a,
                       const scoring::obstacles& o) {
  const auto fits = scoring::eligible(p_, s_, a, o);
  if (!fits && others_.size() >= decision::others_max) {
    ++left_out_;
    return;
  }
  const auto t = scoring::rate(p_, s_, a, now_);
  (fits ? eligible_ : others_).push_back({{&a, t.match}, t, o});
}

decision deliberation::conclude(const circumstances& c) && {
  std::sort(
    eligible_.begin(), eligible_.end(), [this](const look& x, const look& y) {
      return scoring::compare(x.x, y.x, s_.session, p_.version).first_is_better;
    });
  decision d;
  d.session = s_.session;
  d.trigger = c.trigger;
  d.policy = p_.version;
  d.at = now_;
  d.want = s_.want;
  d.load = s_.load;
  d.wait_ms = std::max<std::int64_t>(0, (now_ - s_.since).count());
  d.urgency = scoring::urgency(p_, s_, now_);
  d.relaxed = s_.relaxed;
  d.waiting = static_cast<std::int32_t>(c.waiting);
  for (const auto* part : {&eligible_, &others_})
    for (const auto& l : *part) {
      if (d.candidates.size() < decision::candidates_max)
        d.candidates.push_back(record_of(l, d.urgency));
      else
        ++left_out_;
    }
  for (std::size_t i = 0; i < std::min(eligible_.size(), d.candidates.size());
       ++i)
    d.candidates[i].rank = static_cast<std::int32_t>(i + 1);
  d.candidates_left_out = static_cast<std::int32_t>(left_out_);
  explain_choice(d, c);
  hasher h;
  h.add(std::int64_t{p_.version});
  h.add(now_);
  switchboard::router::add(h, s_);
  for (const auto& x : d.candidates)
    switchboard::router::add(h, x);
  d.inputs_hash = h.value();
  return d;
}

decision::candidate deliberation::record_of(const look& l,
                                            scoring::score urgency) const {
  const auto& a = *l.x.who;
  decision::candidate c;
  c.agent = a.id;
  c.verdicts = scoring::verdicts(p_, s_, a, l.obstacles);
  c.language = l.terms.language;
  c.skill = l.terms.skill;
  c.affinity = l.terms.affinity;
  c.load_factor = l.terms.load_factor;
  c.quality = l.terms.quality;
  c.match = l.terms.match;
  c.priority = scoring::priority(urgency, l.terms.match);
  c.load = a.load;
  c.capacity = a.who.capacity;
  return c;
}

void deliberation::explain_choice(decision& d, const circumstances& c) const {
  if (c.chosen == nullptr)
    return;
  d.chosen = c.chosen->id;
  const look* mine = nullptr;
  const look* runner_up = nullptr;
  for (const auto& l : eligible_) {
    if (l.x.who->id == d.chosen)
      mine = &l;
    else if (runner_up == nullptr)
      runner_up = &l;
  }
  if (mine == nullptr)
    return;
  d.margin = mine->x.match - (runner_up ? runner_up->x.match : 0);
  if (c.exclusions_lapsed)
    d.tie_rule = "oldest exclusion lapses";
  else if (runner_up != nullptr)
    d.tie_rule = to_string(
      scoring::compare(mine->x, runner_up->x, s_.session, p_.version).by);
}

} // namespace switchboard::router
