#pragma once

#include "actors/node.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/gateway.hpp"
#include "gateways/http/ws_client.hpp"
#include "persistence/store.hpp"
#include "tests/support/servers.hpp"

#include <functional>
#include <memory>
#include <string>

namespace switchboard::test {

/// A node with its gateway on private servers, and a client of the bus: all
/// that `switchboard serve` makes, in this process. Agents li and ann are known
/// and serve a queue each, desk-li and desk-ann.
struct house {
  /// @param how changes the node's options, before it starts
  explicit house(const std::function<void(node::options&)>& how = {});

  [[nodiscard]] std::string token_of(const std::string& who,
                                     role as = role::agent) const;

  /// A connection that is not signed in yet.
  [[nodiscard]] ws_client dial() const;

  /// An agent who is signed in.
  [[nodiscard]] ws_client desk(const std::string& who) const;

  /// What the direct lane answers; the bus' own error when nobody does.
  std::string post(const std::string& subject, const std::string& bytes,
                   const bus::header_list& with = {}) const;

  /// No invariant of the product is violated.
  void check_invariants() const;

  private_servers servers;
  std::string secret;
  std::unique_ptr<store> look;
  std::unique_ptr<node> running;
  std::unique_ptr<token_verifier> verifier;
  std::unique_ptr<gateway> door;
  std::unique_ptr<bus> wire;
};

/// The next object that has this in it; those before are dropped.
/// @returns empty after 5 s, or when the connection is over
[[nodiscard]] std::string receive_with(ws_client& from, std::string_view what);

/// Reads until the server closes. @returns the close code; 0 after 5 s
[[nodiscard]] std::uint16_t closed_with(ws_client& from);

/// The bound, and what the address sanitizer keeps of freed memory.
[[nodiscard]] constexpr std::int64_t memory_bound(std::int64_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  return bytes + (256 << 20);
#else
  return bytes;
#endif
}

/// Waits for it to become true. @returns false after 10 s
[[nodiscard]] bool becomes(const std::function<bool()>& that);

} // namespace switchboard::test
