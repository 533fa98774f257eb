#pragma once

#include "actors/domain/agent.hpp"
#include "actors/domain/policy.hpp"
#include "actors/domain/router.hpp"
#include "actors/domain/scoring.hpp"

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
    words_[i / 64] = on ? words_[i / 64] | bit : words_[i / 64] & ~bit;
  }

  bool test(std::size_t i) const {
    return i / 64 < words_.size() && (words_[i / 64] >> (i % 64) & 1);
  }

  std::uint64_t word(std::size_t i) const {
    return i < words_.size() ? words_[i] : 0;
  }

  void append(std::uint64_t w) { words_.push_back(w); }

  std::size_t words() const { return words_.size(); }

  bool none() const {
    for (const auto w : words_)
      if (w != 0)
        return false;
    return true;
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

  explicit agent_index(const policy& p) : p_(p) {}

  /// Who has an ability, and how well.
  struct column {
    bitset enough; ///< At the level that the policy demands.
    std::vector<std::uint8_t> level;

    std::int32_t level_of(place i) const {
      return i < level.size() ? level[i] : 0;
    }
  };

  /// What a session asks for, looked up once. A null column: nobody has it.
  struct requirement {
    std::int64_t generation = 0;
    bool abilities_count = true; ///< false for a transfer to one agent.
    const bitset* channel = nullptr;
    const bitset* queue = nullptr;
    const column* language = nullptr;
    std::vector<const column*> skills{};
  };

  // -- agents -----------------------------------------------------------------

  [[nodiscard]] place add();
  void remove(place i);
  void set_profile(place i, const agent::profile& who);
  void set_state(place i, const agent::availability& a, bool aside);

  /// Grows when a requirement has to be looked up again.
  std::int64_t generation() const { return generation_; }

  // -- questions --------------------------------------------------------------

  [[nodiscard]] requirement look_up(const session_waiting& s) const;

  /// Could the agent serve it, whatever their load and presence are?
  [[nodiscard]] bool suits(const requirement& r, const session_waiting& s,
                           place i) const;

  /// Everybody who could serve it and is there, whatever their load is. The
  /// limits `only` and `not_from` are left to the caller.
  [[nodiscard]] bitset suited(const requirement& r,
                              const session_waiting& s) const;

  bool routable(place i) const { return routable_.test(i); }
  bool aside(place i) const { return aside_.test(i); }
  std::int32_t room(place i) const { return room_[i]; }

  /// M, given the term that only the two of them know.
  [[nodiscard]] scoring::score match(const requirement& r,
                                     const session_waiting& s, place i,
                                     scoring::score affinity = 0) const;

private:
  using bits_by_name = std::map<std::string, bitset, std::less<>>;
  using columns_by_name = std::map<std::string, column, std::less<>>;

  void write_profile(place i, const agent::profile& who, bool on);
  void write_names(bits_by_name& all, bitset& any, place i,
                   const std::vector<std::string>& names, bool on);
  void write_abilities(columns_by_name& all, place i,
                       const std::vector<agent::ability>& has,
                       std::int32_t level_min, bool on);

  const policy& p_;
  std::int64_t generation_ = 1;
  bits_by_name channels_{};
  bits_by_name queues_{};
  bitset any_channel_{};
  bitset any_queue_{};
  columns_by_name languages_{};
  columns_by_name skills_{};
  bitset routable_{};
  bitset aside_{};
  std::vector<std::int32_t> room_{};
  std::vector<scoring::score> load_factor_{};
  std::vector<agent::profile> profiles_{};
  std::vector<place> vacant_{};
};

} // namespace switchboard::router
