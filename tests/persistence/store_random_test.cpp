// The twin in memory and PostgreSQL are told the same random things, right and
// wrong ones, and must answer the same every time.
#include "tests/persistence/stores.hpp"

#include <algorithm>
#include <map>
#include <random>

using namespace switchboard;
using namespace switchboard::test;

namespace {

constexpr int contacts = 6;
constexpr int steps = 250;

/// Says what a well-meaning but forgetful node would write.
class careless_node {
public:
  explicit careless_node(unsigned seed) : dice_(seed) {
    for (int i = 0; i < contacts; ++i)
      talks_.push_back(next_talk(i));
  }

  batch next() {
    batch b;
    pending_.clear();
    for (std::size_t i = 0; i < talks_.size(); ++i)
      if (chance(40)) {
        auto talk = talks_[i];
        if (chance(5))
          talk.epoch = 0; // Of a former life; nobody believes in a future one.
        if (chance(5))
          talk.last_seq += chance(50) ? 1 : -std::min(talk.last_seq, 2);
        auto w = step(talk);
        if (!talk.last_seq)
          continue;
        if (chance(20))
          w.out = {{.slot = talk.slot,
                    .dedupe_id =
                      to_string(talk.id) + '-' + std::to_string(talk.last_seq),
                    .session = talk.id,
                    .seq = talk.last_seq,
                    .subject = "out",
                    .payload = "{}"}};
        pending_.emplace_back(i, talk);
        b.sessions.push_back(std::move(w));
      }
    if (chance(30))
      b.watermarks = {{3, chance(80) ? 1 : 0, any(100), "s" + digit(2)}};
    if (chance(20))
      b.dead = {{.slot = 3,
                 .epoch = 1,
                 .subject = "dead",
                 .reason = "why",
                 .payload = "x",
                 .offset = any(5)}};
    return b;
  }

  /// Believes only what it is told.
  void told(const std::vector<outcome>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& [which, talk] = pending_.at(i);
      if (all[i].what != verdict::committed)
        continue;
      const auto over = std::holds_alternative<session::closed>(talk.at);
      talk.epoch = 1;
      talks_[which] = over ? next_talk(static_cast<int>(which)) : talk;
    }
  }

private:
  session_write step(conversation& talk) {
    if (talk.last_seq == 0 || chance(50)) {
      std::vector<std::pair<std::string, std::string>> said;
      for (auto n = 1 + any(2); n > 0; --n) {
        // Few ids: many are there already, some with another body.
        const auto id = "m-" + std::to_string(any(60));
        if (std::none_of(said.begin(), said.end(),
                         [&](const auto& x) { return x.first == id; }))
          said.emplace_back(id, chance(90) ? id : "other");
      }
      return talk.says(said);
    }
    const agent_id who{chance(95) ? "agent-" + digit(3) : "nobody"};
    switch (any(6)) {
      case 0: return talk.becomes(session::queued{});
      case 1: return talk.becomes(session::offered{{who, 1, at_ms(1)}});
      case 2: return talk.becomes(session::wrap_up{who, at_ms(1)});
      case 3: return talk.becomes(session::closed{});
      default: return talk.becomes(session::active{who});
    }
  }

  conversation next_talk(int contact) {
    return {.id = {++made_ * 10 + contact},
            .who = {"web", "u" + std::to_string(contact)}};
  }

  bool chance(int percent) {
    return std::uniform_int_distribution{1, 100}(dice_) <= percent;
  }
  std::uint64_t any(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>{0, below - 1}(dice_);
  }
  std::string digit(std::uint64_t below) { return std::to_string(any(below)); }

  std::mt19937 dice_;
  std::int64_t made_ = 100;
  std::vector<conversation> talks_;
  std::vector<std::pair<std::size_t, conversation>> pending_;
};

std::string print(const std::vector<outcome>& all) {
  std::string to;
  for (const auto& x : all) {
    to += std::string(to_string(x.what)) + ' ';
    auto known = x.known;
    std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) {
      return a.id.text < b.id.text;
    });
    for (const auto& k : known)
      to += '(' + k.id.text + ' ' + to_string(k.where.session) + '-'
            + std::to_string(k.where.seq) + (k.same_body ? "" : " other")
            + ") ";
  }
  return to;
}

/// All that can be read, as text.
std::string print(store& from) {
  std::string to;
  for (const auto& x : must(from.agents()))
    to += x.id.text + ' ' + std::to_string(x.active) + '\n';
  for (const auto& x : must(from.sessions(10'000, false))) {
    to += to_string(x.id) + ' ' + x.who.user + ' ' + x.phase + ' '
          + x.agent.text + ' ' + std::to_string(x.last_seq) + '\n';
    for (const auto& e : must(from.entries(x.id, 0, 1000)))
      to += "  " + std::to_string(e.seq) + ' ' + e.event + e.id.text + ' '
            + e.body + '\n';
  }
  const std::vector<slot_number> slot{3};
  for (const auto& x : must(from.open_sessions(slot)))
    to += to_json(x) + '\n';
  for (const auto& x : must(from.pending_outbox(slot, 10'000)))
    to += x.dedupe_id + '\n';
  for (const auto& x : must(from.dead_letters(1000)))
    to += std::to_string(x.offset) + '\n';
  for (int i = 0; i < contacts; ++i)
    to += must(from.last_agent({"web", "u" + std::to_string(i)}))
            .value_or(store::last_served{})
            .agent.text
          + '\n';
  return to;
}

} // namespace

TEST_CASE("the twin in memory answers as PostgreSQL does, whatever it is told",
          "[store][random]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u);
  INFO("seed " << seed);
  store_contract<in_memory> twin;
  store_contract<in_postgres> real;
  for (auto* to : {twin.to.get(), real.to.get()})
    for (const auto* id : {"agent-0", "agent-1", "agent-2"})
      must(to->put_agent({id}, {.display_name = id, .capacity = 2000}));
  careless_node node{seed};
  std::map<verdict, int> seen;
  for (int i = 0; i < steps; ++i) {
    const auto what = node.next();
    const auto expected = must(real.to->append({"n1"}, what));
    const auto got = must(twin.to->append({"n1"}, what));
    INFO("step " << i);
    REQUIRE(print(got) == print(expected));
    for (const auto& x : got)
      ++seen[x.what];
    node.told(got);
  }
  CHECK(print(*twin.to) == print(*real.to));
  CHECK(twin.violations() == 0);
  // INV-3 is about senders that number; this one draws its ids.
  for (const auto& x : must(real.to->verify()))
    if (x.invariant != "INV-3") {
      INFO(x.invariant << ' ' << (x.examples.empty() ? "" : x.examples[0]));
      CHECK(x.violations == 0);
    }
  CHECK(must(twin.to->claim({"n1"}, "first life")).at(3).offset
        == must(real.to->claim({"n1"}, "first life")).at(3).offset);
  for (const auto v : {verdict::committed, verdict::duplicate, verdict::fenced,
                       verdict::agent_full, verdict::stale}) {
    INFO(to_string(v));
    CHECK(seen[v] > 10);
  }
}
