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
  capacity_.push_back(0);
  for (auto& x : load_factor_)
    x.push_back(0);
  write_profile(i, profiles_[i], true);
  return i;
}

void agent_index::remove(place i) {
  write_profile(i, profiles_[i], false);
  profiles_[i] = {};
  routable_.set(i, false);
  aside_.set(i, false);
  for (auto& [load, who] : roomy_)
    who.set(i, false);
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
  for (auto& [load, who] : roomy_)
    who.set(i, room_[i] >= load);
  capacity_[i] = a.who.capacity;
  for (std::size_t arm = 0; arm < p_.size(); ++arm)
    load_factor_[arm][i] = scoring::load_factor(p_[arm], a.load);
}

void agent_index::watch_load(std::int32_t load) {
  if (roomy_.size() >= loads_max || roomy_.contains(load))
    return;
  auto& who = roomy_[load];
  for (place i = 0; i < room_.size(); ++i)
    who.set(i, room_[i] >= load);
  for (const auto i : vacant_)
    who.set(i, false);
}

void agent_index::write_profile(place i, const agent::profile& who, bool on) {
  std::vector<std::string> queues;
  for (const auto& q : who.queues)
    queues.push_back(q.text);
  write_names(channels_, any_channel_, i, who.channels, on);
  write_names(queues_, any_queue_, i, queues, on);
  write_abilities(languages_, i, who.languages, on);
  write_abilities(skills_, i, who.skills, on);
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
                                  bool on) {
  for (const auto& x : has) {
    const auto [found, fresh] = all.try_emplace(x.name);
    auto& c = found->second;
    generation_ += fresh ? 1 : 0;
    if (i >= c.level.size())
      c.level.resize(i + 1);
    const auto level = on ? scoring::level_of(has, x.name) : 0;
    c.level[i] = static_cast<std::uint8_t>(level);
    for (std::int32_t at = 1; at <= scoring::level_max; ++at)
      c.at_least[static_cast<std::size_t>(at)].set(i, level >= at);
  }
}

// -- questions ----------------------------------------------------------------

agent_index::requirement agent_index::look_up(const session_waiting& s) const {
  requirement r;
  const auto& p = p_[s.arm];
  r.generation = generation_;
  r.arm = s.arm;
  r.abilities_count = !s.only;
  r.channel = find(channels_, s.channel);
  r.queue = find(queues_, s.want.queue.text);
  r.speaks = !s.want.language.empty();
  if (r.speaks)
    r.language = {find(languages_, s.want.language),
                  scoring::language_min(p, s)};
  for (const auto& skill : s.want.skills)
    r.skills.push_back({find(skills_, skill), scoring::skill_min(p, s)});
  return r;
}

const bitset* agent_index::look_up_channel(const std::string& name) const {
  return find(channels_, name);
}

bool agent_index::serves(const bitset* channel, place i) const {
  return has(channel, any_channel_, i);
}

bool agent_index::able(const requirement& r, place i) const {
  if (!r.abilities_count)
    return true;
  return has(r.queue, any_queue_, i) && (!r.speaks || r.language.met_by(i))
         && std::all_of(r.skills.begin(), r.skills.end(),
                        [i](const auto& x) { return x.met_by(i); });
}

selection agent_index::suited(const requirement& r) const {
  selection out;
  out.reserve(routable_.words());
  const auto word_of = [](const bitset* x, std::size_t i) {
    return x ? x->word(i) : 0;
  };
  for (std::size_t i = 0; i < routable_.words(); ++i) {
    auto w = routable_.word(i) & (any_channel_.word(i) | word_of(r.channel, i));
    if (r.abilities_count) {
      w &= any_queue_.word(i) | word_of(r.queue, i);
      if (r.speaks)
        w &= r.language.word(i);
      for (const auto& skill : r.skills)
        w &= skill.word(i);
    }
    out.append(w);
  }
  return out;
}

void agent_index::keep_free(selection& who, std::int32_t load) const {
  who.drop(aside_);
  if (const auto found = roomy_.find(load); found != roomy_.end()) {
    who.keep(found->second);
    return;
  }
  const auto all = who;
  all.each([&](place i) {
    if (room_[i] < load)
      who.drop(i);
  });
}

scoring::score agent_index::match(const requirement& r, bool known, place i,
                                  scoring::score affinity) const {
  scoring::terms t;
  if (r.speaks && r.language.levels)
    t.language = r.language.levels->level_of(i) * level_step;
  for (const auto& skill : r.skills)
    if (skill.levels)
      t.skill += skill.levels->level_of(i) * level_step;
  if (!r.skills.empty())
    t.skill /= static_cast<scoring::score>(r.skills.size());
  t.affinity = affinity;
  const auto q =
    scoring::quality(p_[r.arm], {r.speaks, !r.skills.empty(), known}, t);
  return q * load_factor_[r.arm][i] / scoring::one;
}

scoring::score agent_index::occupancy(const queue_id& of) const {
  const auto* own = find(queues_, of.text);
  std::int64_t room = 0;
  std::int64_t capacity = 0;
  for (std::size_t w = 0; w < routable_.words(); ++w) {
    auto bits =
      routable_.word(w) & (any_queue_.word(w) | (own ? own->word(w) : 0));
    for (; bits != 0; bits &= bits - 1) {
      const auto i = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      room += std::max(room_[i], 0);
      capacity += capacity_[i];
    }
  }
  return capacity == 0 ? 0 : (capacity - room) * scoring::one / capacity;
}

std::vector<decision::obstacle>
agent_index::obstacles(const requirement& r, const session_waiting& s) const {
  const auto all = std::ssize(profiles_) - std::ssize(vacant_);
  std::vector<decision::obstacle> out;
  const auto lacking = [&](std::string what, std::ptrdiff_t with) {
    if (with < all)
      out.push_back({std::move(what), static_cast<std::int32_t>(all - with)});
  };
  const auto count = [](const bitset* x) { return x ? x->count() : 0; };
  const auto count_able = [&](const ability_need& x) {
    if (x.level_min <= 0)
      return all;
    return x.levels
             ? x.levels->at_least[static_cast<std::size_t>(x.level_min)].count()
             : 0;
  };
  lacking("presence", routable_.count());
  lacking("channel", any_channel_.count() + count(r.channel));
  if (r.abilities_count) {
    lacking("queue", any_queue_.count() + count(r.queue));
    if (r.speaks)
      lacking("language", count_able(r.language));
    for (std::size_t i = 0; i < r.skills.size(); ++i)
      lacking("skill " + s.want.skills[i], count_able(r.skills[i]));
  }
  if (const auto found = roomy_.find(s.load); found != roomy_.end())
    lacking("capacity", found->second.count());
  return out;
}

} // namespace switchboard::router
