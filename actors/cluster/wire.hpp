#pragma once

#include "actors/protocol.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// What nodes tell each other, as bytes (see archive.hpp for the format).
namespace switchboard::wire {

/// A letter on its way to the owner of a slot.
struct parcel {
  slot_number slot = 0;
  node_id from{};
  std::uint64_t number = 0; ///< Of the request; 0: nobody waits for an answer.
  letter what{};
};

/// What came of a request.
struct answer {
  std::uint64_t number = 0;
  result<receipt> what = receipt{};
};

/// Something to show on a screen whose socket is elsewhere.
struct shown {
  std::int64_t key = 0;
  std::int64_t binding = 0;
  std::optional<agent_push> what{}; ///< None: the screen ends.
  std::string reason{};             ///< Why it ends.
};

/// Something to show to a contact whose sockets are elsewhere.
struct visited {
  contact who{};
  visit_push what{};
};

/// Replies inside the letter (functions) are not written; see `reply_of`.
std::string encode(const parcel& x);
std::string encode(const answer& x);
std::string encode(const shown& x);
std::string encode(const visited& x);

/// @returns malformed
result<parcel> decode_parcel(std::string_view bytes);
result<answer> decode_answer(std::string_view bytes);
result<shown> decode_shown(std::string_view bytes);
result<visited> decode_visited(std::string_view bytes);

/// Who waits for an answer to this letter; empty: nobody.
reply_to reply_of(const letter& x);

/// Puts `to` in the place where `reply_of` looks.
void set_reply(letter& x, reply_to to);

/// How often the letter was passed on.
int& hops_of(letter& x);

} // namespace switchboard::wire
