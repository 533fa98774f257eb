#include "actors/domain/agent_index.hpp"

#include <algorithm>

namespace switchboard::router {

namespace {

constexpr scoring::score level_step = scoring::one / 5;

template <class Map>
const typename Map::mapped_type* find(const Map& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

bool has(const bitset* some, const bitset& any, std::size_t i) {
  return any.test(i) || (some != nullptr && some->test(i));
}

} // namespace

// -- agents -------------------------------------------------------------------

agent_index::place agent_index::add() {
  if (!vacant_.empty()) {
    const auto i = vacant_.back();
    vacant_.pop_back();
    write_profile(i, profiles_[i], true);
    return i;
  }
  const auto i = profiles_.size();
  profiles_.emplace_back();
  room_.push_back(0);
  load_factor_.push_back(0);
  write_profile(i, profiles_[i], true);
  return i;
}

void agent_index::remove(place i) {
  write_profile(i, profiles_[i], false);
  profiles_[i] = {};
  routable_.set(i, false);
  aside_.set(i, false);
  vacant_.push_back(i);
}

void agent_index::set_profile(place i, const agent::profile& who) {
  write_profile(i, profiles_[i], false);
  profiles_[i] = who;
  write_profile(i, who, true);
}

void agent_index::set_state(place i, const agent::availability& a, bool aside) {
  routable_.set(i, a.routable);
  aside_.set(i, aside);
  room_[i] = a.who.capacity - a.load;
  load_factor_[i] = scoring::load_factor(p_, a.load);
}

void agent_index::write_profile(place i, const agent::profile& who, bool on) {
  std::vector<std::string> queues;
  for (const auto& q : who.queues)
    queues.push_back(q.text);
  write_names(channels_, any_channel_, i, who.channels, on);
  write_names(queues_, any_queue_, i, queues, on);
  write_abilities(languages_, i, who.languages, p_.language_level_min, on);
  write_abilities(skills_, i, who.skills, p_.skill_level_min, on);
}

void agent_index::write_names(bits_by_name& all, bitset& any, place i,
                              const std::vector<std::string>& names, bool on) {
  any.set(i, on && names.empty());
  for (const auto& name : names) {
    const auto [found, fresh] = all.try_emplace(name);
    found->second.set(i, on);
    generation_ += fresh ? 1 : 0;
  }
}

void agent_index::write_abilities(columns_by_name& all, place i,
                                  const std::vector<agent::ability>& has,
                                  std::int32_t level_min, bool on) {
  for (const auto& x : has) {
    const auto [found, fresh] = all.try_emplace(x.name);
    auto& c = found->second;
    generation_ += fresh ? 1 : 0;
    if (i >= c.level.size())
      c.level.resize(i + 1);
    const auto level = on ? scoring::level_of(has, x.name) : 0;
    c.level[i] = static_cast<std::uint8_t>(level);
    c.enough.set(i, on && level >= level_min);
  }
}

// -- questions ----------------------------------------------------------------

agent_index::requirement agent_index::look_up(const session_waiting& s) const {
  requirement r;
  r.generation = generation_;
  r.abilities_count = !s.only;
  r.channel = find(channels_, s.channel);
  r.queue = find(queues_, s.want.queue.text);
  r.language = find(languages_, s.want.language);
  for (const auto& skill : s.want.skills)
    r.skills.push_back(find(skills_, skill));
  return r;
}

bool agent_index::suits(const requirement& r, const session_waiting& s,
                        place i) const {
  if (!has(r.channel, any_channel_, i))
    return false;
  if (!r.abilities_count)
    return true;
  if (!has(r.queue, any_queue_, i))
    return false;
  const auto able = [i](const column* c) { return c && c->enough.test(i); };
  if (!s.want.language.empty() && !able(r.language))
    return false;
  return std::all_of(r.skills.begin(), r.skills.end(), able);
}

bitset agent_index::suited(const requirement& r,
                           const session_waiting& s) const {
  bitset out;
  const auto word_of = [](const bitset* x, std::size_t i) {
    return x ? x->word(i) : 0;
  };
  const auto able = [](const column* c, std::size_t i) {
    return c ? c->enough.word(i) : 0;
  };
  for (std::size_t i = 0; i < routable_.words(); ++i) {
    auto w = routable_.word(i) & (any_channel_.word(i) | word_of(r.channel, i));
    if (r.abilities_count) {
      w &= any_queue_.word(i) | word_of(r.queue, i);
      if (!s.want.language.empty())
        w &= able(r.language, i);
      for (const auto* skill : r.skills)
        w &= able(skill, i);
    }
    out.append(w);
  }
  return out;
}

scoring::score agent_index::match(const requirement& r,
                                  const session_waiting& s, place i,
                                  scoring::score affinity) const {
  scoring::terms t;
  if (!s.want.language.empty() && r.language)
    t.language = r.language->level_of(i) * level_step;
  for (const auto* skill : r.skills)
    if (skill)
      t.skill += skill->level_of(i) * level_step;
  if (!r.skills.empty())
    t.skill /= static_cast<scoring::score>(r.skills.size());
  t.affinity = affinity;
  return scoring::quality(p_, s, t) * load_factor_[i] / scoring::one;
}

} // namespace switchboard::router
