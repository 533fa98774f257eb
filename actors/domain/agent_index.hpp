#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/decision.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace switchboard::router {

/// One bit for each agent, by their place in the index.
class bitset {
public:
  void set(std::size_t i, bool on) {
    if (i / 64 >= words_.size()) {
      if (!on)
        return;
      words_.resize(i / 64 + 1);
    }
    const auto bit = std::uint64_t{1} << (i % 64);
    auto& word = words_[i / 64];
    if (((word & bit) != 0) == on)
      return;
    word ^= bit;
    count_ += on ? 1 : -1;
  }

  bool test(std::size_t i) const {
    return i / 64 < words_.size() && (words_[i / 64] >> (i % 64) & 1);
  }

  std::uint64_t word(std::size_t i) const {
    return i < words_.size() ? words_[i] : 0;
  }

  /// How many are set.
  std::ptrdiff_t count() const { return count_; }

  std::size_t words() const { return words_.size(); }

private:
  std::vector<std::uint64_t> words_;
  std::ptrdiff_t count_ = 0;
};

/// The answer to one question: bits without a count.
class selection {
public:
  void append(std::uint64_t w) { words_.push_back(w); }
  void reserve(std::size_t n) { words_.reserve(n); }

  void add(std::size_t i) {
    if (i / 64 >= words_.size())
      words_.resize(i / 64 + 1);
    words_[i / 64] |= std::uint64_t{1} << (i % 64);
  }

  void drop(std::size_t i) {
    if (i / 64 < words_.size())
      words_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }

  bool none() const {
    return std::all_of(words_.begin(), words_.end(),
                       [](auto w) { return w == 0; });
  }

  /// Takes out whatever is set in `other`.
  void drop(const bitset& other) {
    for (std::size_t i = 0; i < words_.size(); ++i)
      words_[i] &= ~other.word(i);
  }

  /// Leaves what is set in `other`, too.
  void keep(const bitset& other) {
    for (std::size_t i = 0; i < words_.size(); ++i)
      words_[i] &= other.word(i);
  }

  template <class Visitor>
  void each(Visitor visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (auto w = words_[i]; w != 0; w &= w - 1)
        visit(i * 64 + static_cast<std::size_t>(std::countr_zero(w)));
  }

private:
  std::vector<std::uint64_t> words_;
};

/// The agents turned round: for each channel, queue and ability who has it, so
/// that "who suits this session" is a conjunction of bits. Says exactly what
/// `scoring::suited`, `eligible` and `rate` say, only sooner.
class agent_index {
public:
  using place = std::size_t;

  explicit agent_index(const policies& p) : p_(p) {}

  /// Who has an ability, and how well.
  struct column {
    std::array<bitset, 6> at_least; ///< By level; the first is not used.
    std::vector<std::uint8_t> level;

    std::int32_t level_of(place i) const {
      return i < level.size() ? level[i] : 0;
    }
  };

  /// An ability that is asked for. A null column: nobody has it.
  struct ability_need {
    const column* levels = nullptr;
    std::int32_t level_min = 0; ///< Not above 0: counts, but is not demanded.

    bool met_by(place i) const {
      return level_min <= 0
             || (levels
                 && levels->at_least[static_cast<std::size_t>(level_min)].test(
                   i));
    }

    std::uint64_t word(std::size_t i) const {
      if (level_min <= 0)
        return ~std::uint64_t{0};
      return levels
               ? levels->at_least[static_cast<std::size_t>(level_min)].word(i)
               : 0;
    }
  };

  /// What a session asks for, looked up once. A null column: nobody has it.
  struct requirement {
    std::int64_t generation = 0;
    std::uint8_t arm = 0;
    bool abilities_count = true; ///< false for a transfer to one agent.
    const bitset* channel = nullptr;
    const bitset* queue = nullptr;
    bool speaks = false; ///< A language is asked for.
    ability_need language{};
    std::vector<ability_need> skills{};
  };

  // -- agents -----------------------------------------------------------------

  [[nodiscard]] place add();
  void remove(place i);
  void set_profile(place i, const agent::profile& who);
  void set_state(place i, const agent::availability& a, bool aside);

  /// Keeps at hand from now on who has room for sessions of this load.
  void watch_load(std::int32_t load);

  /// The policies have changed: whatever depends on them is made anew with the
  /// next `set_state` and `look_up`.
  void forget_policies() { ++generation_; }

  /// Grows when a requirement has to be looked up again.
  std::int64_t generation() const { return generation_; }

  // -- questions --------------------------------------------------------------

  [[nodiscard]] requirement look_up(const session_waiting& s) const;

  /// @returns who serves the channel by name; null: nobody
  [[nodiscard]] const bitset* look_up_channel(const std::string& name) const;

  /// Does the agent serve what `look_up_channel` said?
  [[nodiscard]] bool serves(const bitset* channel, place i) const;

  /// Could the agent serve it, whatever their channels, load and presence are?
  [[nodiscard]] bool able(const requirement& r, place i) const;

  /// ... and do they serve its channel?
  [[nodiscard]] bool suits(const requirement& r, place i) const {
    return serves(r.channel, i) && able(r, i);
  }

  /// Everybody who could serve it and is there, whatever their load is. The
  /// limits `only` and `not_from` are left to the caller.
  [[nodiscard]] selection suited(const requirement& r) const;

  /// Takes those out of `who` who have no room for this load, or are set aside.
  void keep_free(selection& who, std::int32_t load) const;

  bool routable(place i) const { return routable_.test(i); }
  bool aside(place i) const { return aside_.test(i); }
  std::int32_t room(place i) const { return room_[i]; }

  /// M, given the term that only the two of them know.
  /// @param known whether the session knows anybody, so that affinity counts
  [[nodiscard]] scoring::score match(const requirement& r, bool known, place i,
                                     scoring::score affinity = 0) const;

  /// The part of the room of a queue's agents that is taken, in millionths; 0
  /// when nobody is there.
  [[nodiscard]] scoring::score occupancy(const queue_id& of) const;

  /// How many agents lack what this session asks for, by reason.
  [[nodiscard]] std::vector<decision::obstacle>
  obstacles(const requirement& r, const session_waiting& s) const;

private:
  using bits_by_name = std::map<std::string, bitset, std::less<>>;
  using columns_by_name = std::map<std::string, column, std::less<>>;

  /// So many different loads are watched, at most.
  static constexpr std::size_t loads_max = 16;

  void write_profile(place i, const agent::profile& who, bool on);
  void write_names(bits_by_name& all, bitset& any, place i,
                   const std::vector<std::string>& names, bool on);
  void write_abilities(columns_by_name& all, place i,
                       const std::vector<agent::ability>& has, bool on);

  const policies& p_;
  std::int64_t generation_ = 1;
  bits_by_name channels_{};
  bits_by_name queues_{};
  bitset any_channel_{};
  bitset any_queue_{};
  columns_by_name languages_{};
  columns_by_name skills_{};
  bitset routable_{};
  bitset aside_{};
  std::map<std::int32_t, bitset> roomy_{}; ///< By the load there is room for.
  std::vector<std::int32_t> room_{};
  std::vector<std::int32_t> capacity_{};
  std::array<std::vector<scoring::score>, 2> load_factor_{}; ///< By arm.
  std::vector<agent::profile> profiles_{};
  std::vector<place> vacant_{};
};

} // namespace switchboard::router
