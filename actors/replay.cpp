#include "actors/replay.hpp"

#include "actors/domain/scoring.hpp"

#include <deque>
#include <fstream>

namespace switchboard {

namespace {

/// FNV-1a over the choices.
void mix(std::uint64_t& hash, const recorded_proposal& x) {
  const auto add = [&](std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8)
      hash = (hash ^ (value & 0xff)) * 1099511628211u;
  };
  add(static_cast<std::uint64_t>(x.session.value));
  add(static_cast<std::uint64_t>(digest(x.agent.text)));
  add(x.inputs_hash);
}

std::string sentence(const recorded_proposal& x) {
  return "session " + to_string(x.session) + " to " + x.agent.text + " ("
         + std::to_string(x.inputs_hash) + ')';
}

} // namespace

result<router_record> read_router_record(const std::string& file) {
  std::ifstream from{file};
  if (!from)
    return fail(errc::unavailable, "cannot read " + file);
  router_record all;
  std::string text;
  for (std::int64_t number = 1; std::getline(from, text); ++number) {
    auto line = router_line_from_json(text);
    // A node that was killed leaves half a line at the end.
    if (!line && from.peek() == std::ifstream::traits_type::eof())
      break;
    if (!line)
      return fail(line.error().code, file + ':' + std::to_string(number) + ": "
                                       + line.error().detail);
    all.lines_lost += line->gap ? 1 : 0;
    all.lines.push_back(std::move(*line));
  }
  return all;
}

replayed replay(const router_record& what, const std::optional<policy>& other) {
  constexpr std::uint64_t seed = 14695981039346656037u;
  replayed out{.hash = seed, .recorded_hash = seed};
  router::matcher m;
  const auto start = [&] {
    m = router::matcher{};
    if (other)
      m.set_shadow(*other);
  };
  start();
  std::deque<recorded_proposal> made;
  const auto differs = [&](std::string text) {
    if (out.first_difference.empty())
      out.first_difference = std::move(text);
  };
  for (const auto& line : what.lines) {
    if (line.proposal) {
      mix(out.recorded_hash, *line.proposal);
      if (made.empty())
        differs("the record has " + sentence(*line.proposal)
                + ", which was not chosen again");
      else if (made.front() != *line.proposal)
        differs("the record has " + sentence(*line.proposal)
                + ", chosen now: " + sentence(made.front()));
      if (!made.empty())
        made.pop_front();
    }
    if (line.start)
      start();
    if (!line.event)
      continue;
    ++out.events;
    for (const auto& x : m.apply(*line.event, line.at)) {
      if (const auto* p = std::get_if<router::propose>(&x)) {
        made.push_back({p->session, p->agent, p->why->inputs_hash});
        mix(out.hash, made.back());
        ++out.proposals;
      } else if (const auto* d = std::get_if<router::disagreement>(&x)) {
        out.disagreements.push_back(*d);
      }
    }
  }
  // A node that was killed may have chosen more than it wrote down.
  for (const auto& x : made)
    mix(out.recorded_hash, x);
  return out;
}

} // namespace switchboard
