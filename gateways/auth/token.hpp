#pragma once

#include "actors/domain/result.hpp"
#include "actors/domain/time.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace switchboard {

/// What a token lets its bearer be. Agents and supervisors sit at a desk;
/// operators (and their programs) use the REST interface; visitors are
/// customers on the web channel.
enum class role : std::uint8_t { agent, supervisor, operator_, visitor };

[[nodiscard]] std::string_view to_string(role x) noexcept;

/// Who is asking, as a verified token says.
struct identity {
  std::string subject; ///< The agent's id, the operator's name, the user.
  role as = role::agent;
  time_point until{}; ///< When the token expires.

  friend bool operator==(const identity&, const identity&) = default;
};

/// Checks JSON Web Tokens. Thread safety: full.
class token_verifier {
public:
  virtual ~token_verifier() = default;

  /// @returns unauthorized, with a reason fit for the bearer's eyes. The reason
  ///          never repeats anything of the token but its times and names.
  [[nodiscard]] virtual result<identity> verify(std::string_view token,
                                                time_point now) const = 0;
};

inline constexpr std::size_t token_bytes_max = 4096;
inline constexpr std::size_t token_secret_bytes_min = 32;
inline constexpr duration token_leeway{std::chrono::seconds{30}};

struct token_options {
  std::string secret;       ///< HS256; empty: such tokens are refused.
  std::string public_key{}; ///< PEM, RS256 or ES256; empty: refused.
  std::string issuer = "switchboard";
  std::string audience = "switchboard";
};

/// @returns malformed if there is no key, or a secret that is too short
[[nodiscard]] result<std::unique_ptr<token_verifier>>
make_token_verifier(token_options how);

struct token_claims {
  std::string subject;
  role as = role::agent;
  duration lifetime{std::chrono::hours{12}};
};

/// Signs a token with the secret (HS256).
/// @returns malformed for a missing subject or a secret that is too short
[[nodiscard]] result<std::string> create_token(const token_options& how,
                                               const token_claims& what,
                                               time_point now);

/// @returns malformed for a name that is not a role ("agent", "supervisor",
///          "operator", "visitor")
[[nodiscard]] result<role> parse_role(std::string_view text);

} // namespace switchboard
