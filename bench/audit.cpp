#include "bench/audit.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

namespace switchboard::bench {

namespace {

constexpr std::size_t examples_max = 5;

std::string text_of(const place& x) {
  return std::to_string(x.session) + ' ' + std::to_string(x.seq);
}

void example(tally& to, const std::string& what, const std::string& id,
             const std::string& detail) {
  if (to.examples.size() < examples_max)
    to.examples.emplace_back(what + ": " + id, detail);
}

} // namespace

tally audit(std::vector<sent_message> sent,
            const std::vector<stored_line>& stored) {
  tally t;
  std::unordered_map<std::string, place> by_id;
  for (const auto& x : stored)
    if (const auto [at, fresh] = by_id.emplace(x.id, x.at); !fresh) {
      ++t.duplicated;
      example(t, "doubled", x.id, text_of(at->second) + ", " + text_of(x.at));
    }
  std::sort(sent.begin(), sent.end(), [](const auto& a, const auto& b) {
    return std::tie(a.user, a.number) < std::tie(b.user, b.number);
  });
  std::set<place> given;
  const sent_message* last = nullptr;
  place last_at;
  for (const auto& x : sent) {
    const auto found = by_id.find(x.id);
    if (found == by_id.end() || (x.told && found->second != *x.told)) {
      ++t.lost;
      example(
        t, "lost", x.id,
        (x.told ? "told " + text_of(*x.told) : std::string{"acknowledged"})
          + ", stored "
          + (found == by_id.end() ? "nowhere" : text_of(found->second)));
    }
    if (found == by_id.end() && !x.told)
      continue;
    const auto at = x.told ? *x.told : found->second;
    if (!given.insert(at).second) {
      ++t.duplicated;
      example(t, "two in one place", x.id, text_of(at));
    }
    if (last && last->user == x.user && at < last_at) {
      ++t.reordered;
      example(t, "reordered", x.id, text_of(at) + " after " + text_of(last_at));
    }
    last = &x;
    last_at = at;
  }
  return t;
}

void add(report& to, const tally& found) {
  to.lost += found.lost;
  to.duplicated += found.duplicated;
  to.reordered += found.reordered;
  for (const auto& x : found.examples)
    to.more.push_back(x);
}

} // namespace switchboard::bench
