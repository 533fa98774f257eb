#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace switchboard {

/// A name that compares only with names of its own kind, so that an agent can
/// never be passed where a queue is meant.
template <class Kind>
struct id {
  std::string text;

  bool empty() const noexcept { return text.empty(); }

  friend auto operator<=>(const id&, const id&) = default;
  friend std::ostream& operator<<(std::ostream& out, const id& x) {
    return out << x.text;
  }
};

using agent_id = id<struct agent_kind>;
using customer_id = id<struct customer_kind>;
using message_id = id<struct message_kind>;
using node_id = id<struct node_kind>;
using queue_id = id<struct queue_kind>;

/// A session's number. It carries the slot that owns the session, so whoever
/// holds the number knows where to send (see placement.hpp). Written in decimal
/// wherever a person or a browser sees it.
struct session_id {
  std::int64_t value = 0;

  friend auto operator<=>(const session_id&, const session_id&) = default;
  friend std::ostream& operator<<(std::ostream& out, const session_id& x) {
    return out << x.value;
  }
};

std::string to_string(session_id x);

/// @returns nothing unless `text` is a positive decimal number of 63 bits.
std::optional<session_id> parse_session_id(std::string_view text);

/// One address of a customer: a user of a channel.
struct contact {
  std::string channel; ///< "web", "wechat", ... ([a-z][a-z0-9-]{0,31})
  std::string user;    ///< As the channel names its user.

  friend auto operator<=>(const contact&, const contact&) = default;
};

} // namespace switchboard

template <class Kind>
struct std::hash<switchboard::id<Kind>> {
  std::size_t operator()(const switchboard::id<Kind>& x) const noexcept {
    return std::hash<std::string>{}(x.text);
  }
};

template <>
struct std::hash<switchboard::session_id> {
  std::size_t operator()(const switchboard::session_id& x) const noexcept {
    return std::hash<std::int64_t>{}(x.value);
  }
};

template <>
struct std::hash<switchboard::contact> {
  std::size_t operator()(const switchboard::contact& x) const noexcept {
    return std::hash<std::string>{}(x.channel) * 31
           + std::hash<std::string>{}(x.user);
  }
};
