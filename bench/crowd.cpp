#include "bench/crowd.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace switchboard::bench {

namespace {

constexpr std::array languages{"zh", "en", "es", "fr", "de", "ja"};
constexpr std::array channels{"web", "app", "wechat", "whatsapp"};

std::string queue_name(std::int64_t i) {
  return "queue-" + std::to_string(i);
}

std::string skill_name(std::int64_t queue, std::int64_t i) {
  return "skill-" + std::to_string(queue) + '-' + std::to_string(i);
}

} // namespace

agent_id crowd::name_of(std::int64_t number) {
  return {"agent-" + std::to_string(number)};
}

agent::availability crowd::agent(std::int64_t number, std::int32_t load) {
  agent::availability a;
  a.id = name_of(number);
  a.routable = true;
  a.now = agent::presence::online;
  a.who.capacity = static_cast<std::int32_t>(3000 + below(3) * 1000);
  a.load = std::min(load, a.who.capacity);
  a.last_accepted_at = time_point{duration{below(1'000'000)}};
  const auto level = [this] { return static_cast<std::int32_t>(2 + below(4)); };
  for (auto n = 2 + below(2), at = below(queues); n > 0; --n, at += 5) {
    const auto queue = at % queues;
    a.who.queues.push_back({queue_name(queue)});
    for (int i = 0; i < skills_of_queue; ++i)
      if (below(3) != 0)
        a.who.skills.push_back({skill_name(queue, i), level()});
  }
  for (auto n = 2 + below(2), at = below(6); n > 0; --n, at += 1)
    a.who.languages.push_back(
      {languages[static_cast<std::size_t>(at % 6)], level()});
  return a;
}

router::session_waiting crowd::session(std::int64_t number, time_point now,
                                       std::int64_t agents) {
  router::session_waiting s;
  s.session = {number};
  s.channel = channels[static_cast<std::size_t>(below(4))];
  const auto queue = below(queues);
  s.want.queue = {queue_name(queue)};
  if (below(5) != 0)
    s.want.language = languages[static_cast<std::size_t>(below(6))];
  for (int i = 0; i < skills_of_queue; ++i)
    if (s.want.skills.size() < 2 && below(4) == 0)
      s.want.skills.push_back(skill_name(queue, i));
  const auto dice = below(20);
  s.want.urgency = dice == 0  ? urgency_class::urgent
                   : dice < 3 ? urgency_class::vip
                   : dice < 6 ? urgency_class::relaxed
                              : urgency_class::normal;
  s.since = now - duration{below(600'000)};
  if (below(10) < 3) {
    s.previous = name_of(below(agents));
    s.previous_at = now - duration{below(3'000'000'000)};
  }
  return s;
}

} // namespace switchboard::bench
