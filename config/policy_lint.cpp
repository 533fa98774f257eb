#include "config/policy_file.hpp"

#include <algorithm>
#include <set>

namespace switchboard {

namespace {

using step = policy::relaxation::step;

void lint_relaxations(const policy& p, duration offer_time,
                      std::vector<std::string>& to) {
  for (std::size_t i = 0; i < p.relaxations.size(); ++i) {
    const auto& x = p.relaxations[i];
    const auto name = "relax " + std::to_string(i + 1) + ": ";
    if (x.expires_after < offer_time)
      to.push_back(name + "expires after " + write_duration(x.expires_after)
                   + ", sooner than an offer (" + write_duration(offer_time)
                   + "): it comes due while the first agent still thinks");
    if (x.only && x.what == step::open_queue && x.queue == *x.only)
      to.push_back(name + "opens a queue to itself, a dead rule");
    for (std::size_t j = 0; j < i; ++j) {
      const auto& before = p.relaxations[j];
      if (before.only && before.only != x.only)
        continue;
      const auto skills =
        x.what == step::lower_skills || x.what == step::drop_skills;
      if ((skills && before.what == step::drop_skills)
          || (x.what == step::drop_language && before.what == x.what)
          || (x.what == step::open_queue && before.what == x.what
              && before.queue == x.queue))
        to.push_back(name + "changes nothing any more after relax "
                     + std::to_string(j + 1) + ", a dead rule");
    }
  }
  if (!p.relaxations.empty()
      && std::none_of(
        p.relaxations.begin(), p.relaxations.end(),
        [](const auto& x) { return x.what == step::open_queue && !x.only; }))
    to.push_back("no overflow for every queue: no relaxation opens one without "
                 "`only`, so a queue without agents waits for ever");
}

void lint_values(const policy& p, std::vector<std::string>& to) {
  if (p.language_weight + p.skill_weight + p.affinity_weight == 0)
    to.push_back("weights: all are 0, so every agent suits equally well");
  std::set<std::string> seen;
  for (const auto& x : p.reply_windows) {
    if (!seen.insert(x.channel).second)
      to.push_back("reply_window: channel " + x.channel
                   + " is there twice; the second is a dead rule");
    if (x.time <= p.window_lead)
      to.push_back("reply_window: " + x.channel
                   + " is shorter than window.lead, so it presses at once");
  }
  for (const auto* name : {"vip", "urgent"}) {
    const auto& x =
      p.service_of(std::string_view(name) == "vip" ? urgency_class::vip
                                                   : urgency_class::urgent);
    if (x.weight < p.service_of(urgency_class::normal).weight
        || x.target > p.service_of(urgency_class::normal).target)
      to.push_back(std::string("class.") + name
                   + " is less urgent than class.normal");
  }
  if (p.hold_time > duration{0} && p.hold_patience == 0)
    to.push_back("hold: patience is 0, so nobody is ever held; a dead rule");
}

} // namespace

std::vector<std::string> lint(const policy_file& what, duration offer_time) {
  std::vector<std::string> all;
  lint_values(what.acting, all);
  lint_relaxations(what.acting, offer_time, all);
  if (what.canary) {
    if (what.canary->version == what.acting.version)
      all.push_back("canary: has the version of the acting policy, so decision "
                    "records cannot tell them apart");
    if (what.canary_percent == 0)
      all.push_back("canary: 0 percent, nobody tries it");
    lint_values(*what.canary, all);
    lint_relaxations(*what.canary, offer_time, all);
  }
  return all;
}

} // namespace switchboard
