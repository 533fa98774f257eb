#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace switchboard::scoring {

namespace {

constexpr score level_step = one / 5;

// -- verdicts -----------------------------------------------------------------

bool contains(const std::vector<std::string>& all, const std::string& x) {
  return std::find(all.begin(), all.end(), x) != all.end();
}

bool serves(const std::vector<queue_id>& all, const queue_id& x) {
  return all.empty() || std::find(all.begin(), all.end(), x) != all.end();
}

std::string_view words_for(agent::presence x) {
  switch (x) {
    case agent::presence::offline: return "offline";
    case agent::presence::online: return "online";
    case agent::presence::busy: return "busy";
    case agent::presence::on_break: return "on a break";
    case agent::presence::finishing: return "finishing, takes nothing new";
    case agent::presence::not_responding: return "not responding";
  }
  return "unknown";
}

template <class Range, class ToText>
std::string listed(const Range& all, ToText to_text) {
  std::string out;
  for (const auto& x : all) {
    if (!out.empty())
      out += ", ";
    out += to_text(x);
  }
  return out.empty() ? "none" : out;
}

std::string abilities(const std::vector<agent::ability>& all) {
  return listed(all, [](const agent::ability& x) {
    return x.name + " " + std::to_string(x.level);
  });
}

/// Names a missing ability: "language: needs zh, has en 4".
std::string lacking(std::string_view kind, const std::string& name,
                    std::int32_t level_min,
                    const std::vector<agent::ability>& all) {
  std::string out(kind);
  out += ": needs " + name;
  if (const auto level = level_of(all, name); level > 0)
    return out + " " + std::to_string(level_min) + ", has "
           + std::to_string(level);
  return out + ", has " + abilities(all);
}

/// What an agent has to be able to do. A transfer to one agent is a person's
/// choice, who knows better than lists of skills do; and so is the choice of a
/// receiver for those whom nobody else serves in time.
template <class Against>
void judge_abilities(const policy& p, const router::session_waiting& s,
                     const agent::availability& a, Against against) {
  if (s.only || s.besides == a.id)
    return;
  const auto& want = s.want;
  if (!serves(a.who.queues, want.queue))
    against([&] {
      return "queue: serves "
             + listed(a.who.queues, [](const auto& x) { return x.text; })
             + ", not " + want.queue.text;
    });
  if (!want.language.empty()
      && level_of(a.who.languages, want.language) < language_min(p, s))
    against([&] {
      return lacking("language", want.language, language_min(p, s),
                     a.who.languages);
    });
  for (const auto& skill : want.skills)
    if (level_of(a.who.skills, skill) < skill_min(p, s))
      against(
        [&] { return lacking("skill", skill, skill_min(p, s), a.who.skills); });
}

/// All that does not depend on load and history. Calls `against` with a maker
/// of the sentence, so that who only counts makes none.
template <class Against>
void judge_suitability(const policy& p, const router::session_waiting& s,
                       const agent::availability& a, Against against) {
  judge_abilities(p, s, a, against);
  if (!a.who.channels.empty() && !contains(a.who.channels, s.channel))
    against([&] {
      return "channel: serves "
             + listed(a.who.channels, [](const auto& x) { return x; })
             + ", not " + s.channel;
    });
  if (!a.routable)
    against([&] {
      if (a.now == agent::presence::online)
        return std::string("presence: online, but not connected");
      return "presence: " + std::string(words_for(a.now));
    });
  if (s.only && *s.only != a.id)
    against([&] { return "transfer: only to " + s.only->text; });
  if (std::find(s.asked.begin(), s.asked.end(), a.id) != s.asked.end())
    against([] { return std::string("offer: is being asked already"); });
  if (s.not_from && *s.not_from == a.id)
    against([] { return std::string("transfer: came from this agent"); });
}

template <class Against>
void judge(const policy& p, const router::session_waiting& s,
           const agent::availability& a, const obstacles& o, Against against) {
  judge_suitability(p, s, a, against);
  if (a.load + s.load > a.who.capacity)
    against([&] {
      return "capacity: load " + std::to_string(a.load) + " + "
             + std::to_string(s.load) + " > " + std::to_string(a.who.capacity);
    });
  if (o.excluded)
    against([] {
      return std::string("excluded: declined or did not answer lately");
    });
  if (o.set_aside)
    against(
      [] { return std::string("set aside: refused a proposal a moment ago"); });
}

// -- terms --------------------------------------------------------------------

/// 2^(-1/2), 2^(-1/4), ... 2^(-1/65536) in units of 2^-30. Any fraction of 16
/// bits is a sum of these exponents, its power the product.
constexpr std::array<std::uint64_t, 16> roots{
  759250125,  902905651,  984625594,  1028218693, 1050733751, 1062175491,
  1067942999, 1070838486, 1072289173, 1073015252, 1073378477, 1073560135,
  1073650976, 1073696399, 1073719111, 1073730468,
};

score language_of(const router::session_waiting& s,
                  const agent::availability& a) {
  if (s.want.language.empty())
    return 0;
  return level_of(a.who.languages, s.want.language) * level_step;
}

score skill_of(const router::session_waiting& s, const agent::availability& a) {
  if (s.want.skills.empty())
    return 0;
  score sum = 0;
  for (const auto& skill : s.want.skills)
    sum += level_of(a.who.skills, skill) * level_step;
  return sum / static_cast<score>(s.want.skills.size());
}

/// R at a load between the points of the curve; flat behind its end.
score throughput(const policy& p, std::int64_t load) {
  const auto i = static_cast<std::size_t>(load / 1000);
  if (i + 1 >= p.throughput.size())
    return p.throughput.back();
  const auto below = p.throughput[i];
  return below + (p.throughput[i + 1] - below) * (load % 1000) / 1000;
}

void mix(std::uint64_t& hash, std::uint64_t x) {
  for (int i = 0; i < 8; ++i, x >>= 8) {
    hash ^= x & 0xff;
    hash *= 1099511628211u;
  }
}

} // namespace

std::vector<std::string> verdicts(const policy& p,
                                  const router::session_waiting& s,
                                  const agent::availability& a,
                                  const obstacles& o) {
  std::vector<std::string> out;
  judge(p, s, a, o, [&](auto sentence) { out.push_back(sentence()); });
  return out;
}

bool eligible(const policy& p, const router::session_waiting& s,
              const agent::availability& a, const obstacles& o) {
  auto yes = true;
  judge(p, s, a, o, [&](auto) { yes = false; });
  return yes;
}

bool suited(const policy& p, const router::session_waiting& s,
            const agent::availability& a) {
  auto yes = true;
  judge_suitability(p, s, a, [&](auto) { yes = false; });
  return yes;
}

std::int32_t language_min(const policy& p, const router::session_waiting& s) {
  return s.translated ? 0 : std::min(p.language_level_min, level_max);
}

std::int32_t skill_min(const policy& p, const router::session_waiting& s) {
  return std::min(p.skill_level_min, level_max) - s.lowered;
}

std::int32_t level_of(const std::vector<agent::ability>& all,
                      std::string_view name) {
  std::int32_t best = 0;
  for (const auto& x : all)
    if (x.name == name)
      best = std::max(best, std::clamp(x.level, 1, level_max));
  return best;
}

score fading(duration age, duration half_life) {
  if (age <= duration{0})
    return one;
  const auto halvings = age / half_life;
  if (halvings >= 30)
    return 0;
  const auto rest = (age % half_life).count();
  const auto fraction = rest * 65536 / half_life.count();
  std::uint64_t power = 1u << 30;
  for (std::size_t bit = 0; bit < roots.size(); ++bit)
    if ((fraction >> (15 - bit)) & 1)
      power = power * roots[bit] >> 30;
  return static_cast<score>((power >> halvings) * one >> 30);
}

score affinity(const policy& p, const router::session_waiting& s,
               const agent::availability& a, time_point now) {
  if (!s.previous || *s.previous != a.id)
    return 0;
  return p.last_agent_affinity
         * fading(now - s.previous_at, p.affinity_half_life) / one;
}

score load_factor(const policy& p, std::int32_t load) {
  const std::int64_t from = std::max(load, 0);
  const auto marginal = throughput(p, from + 1000) - throughput(p, from);
  return p.load_factor_floor + (one - p.load_factor_floor) * marginal / one;
}

score quality(const policy& p, const asked& x, const terms& t) {
  score sum = 0;
  score weights = 0;
  const auto count = [&](score weight, score value) {
    sum += weight * value;
    weights += weight;
  };
  if (x.language)
    count(p.language_weight, t.language);
  if (x.skills)
    count(p.skill_weight, t.skill);
  if (x.affinity)
    count(p.affinity_weight, t.affinity);
  return weights == 0 ? one : sum / weights;
}

score quality(const policy& p, const router::session_waiting& s,
              const terms& t) {
  return quality(
    p,
    {!s.want.language.empty(), !s.want.skills.empty(), s.previous.has_value()},
    t);
}

terms rate(const policy& p, const router::session_waiting& s,
           const agent::availability& a, time_point now) {
  terms t;
  t.language = language_of(s, a);
  t.skill = skill_of(s, a);
  t.affinity = affinity(p, s, a, now);
  t.load_factor = load_factor(p, a.load);
  t.quality = quality(p, s, t);
  t.match = t.quality * t.load_factor / one;
  return t;
}

score urgency_at(const policy& p, urgency_class c, score relative_wait) {
  const auto relative =
    one + std::clamp(relative_wait, score{0}, relative_wait_max);
  return p.service_of(c).weight * (relative * relative / one) / one;
}

score urgency(const policy& p, urgency_class c, duration wait,
              duration own_target) {
  const auto target =
    (own_target > duration{0} ? own_target : p.service_of(c).target).count();
  const auto ms_max = relative_wait_max / one * target;
  const auto ms = std::clamp<std::int64_t>(wait.count(), 0, ms_max);
  return urgency_at(p, c, ms * one / target);
}

score window_pressure(const policy& p, std::string_view channel,
                      duration wait) {
  for (const auto& x : p.reply_windows)
    if (x.channel == channel) {
      const auto left = std::max(x.time - wait, duration{0});
      if (left >= p.window_lead)
        return 0;
      return p.window_pressure * (p.window_lead - left).count()
             / p.window_lead.count();
    }
  return 0;
}

score urgency(const policy& p, urgency_class c, std::string_view channel,
              duration wait) {
  const auto by_waiting = urgency(p, c, wait);
  if (p.reply_windows.empty())
    return by_waiting;
  return std::max(by_waiting,
                  urgency_at(p, c, window_pressure(p, channel, wait)));
}

score urgency(const policy& p, const router::session_waiting& s,
              time_point now) {
  const auto wait = now - s.since;
  if (s.target == duration{0})
    return urgency(p, s.want.urgency, s.channel, wait);
  return std::max(
    urgency(p, s.want.urgency, wait, s.target),
    urgency_at(p, s.want.urgency, window_pressure(p, s.channel, wait)));
}

score priority(score urgency, score match) {
  return urgency * match / one;
}

std::uint64_t tie_hash(session_id s, std::string_view agent,
                       std::int32_t policy_version) {
  std::uint64_t hash = 14695981039346656037u;
  mix(hash, static_cast<std::uint64_t>(s.value));
  mix(hash, static_cast<std::uint64_t>(digest(agent)));
  mix(hash, static_cast<std::uint64_t>(policy_version));
  return hash;
}

std::string_view to_string(rule x) noexcept {
  switch (x) {
    case rule::match: return "";
    case rule::load_ratio: return "lower load ratio";
    case rule::idle: return "longer since last accepted";
    case rule::hash: return "hash of session, agent and policy";
    case rule::name: return "name of the agent";
  }
  return "unknown";
}

comparison compare(const contender& x, const contender& y, session_id s,
                   std::int32_t policy_version) {
  if (x.match != y.match)
    return {x.match > y.match, rule::match};
  const auto ratio_x = std::int64_t{x.who->load} * y.who->who.capacity;
  const auto ratio_y = std::int64_t{y.who->load} * x.who->who.capacity;
  if (ratio_x != ratio_y)
    return {ratio_x < ratio_y, rule::load_ratio};
  if (x.who->last_accepted_at != y.who->last_accepted_at)
    return {x.who->last_accepted_at < y.who->last_accepted_at, rule::idle};
  const auto hash_x = tie_hash(s, x.who->id.text, policy_version);
  const auto hash_y = tie_hash(s, y.who->id.text, policy_version);
  if (hash_x != hash_y)
    return {hash_x < hash_y, rule::hash};
  return {x.who->id < y.who->id, rule::name};
}

} // namespace switchboard::scoring
