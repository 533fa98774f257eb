#include "gateways/auth/token.hpp"

#include <boost/json.hpp>
#include <jwt.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace switchboard {

namespace {

using std::chrono::seconds;

struct jwt_deleter {
  void operator()(jwt_t* x) const noexcept { jwt_free(x); }
};
using jwt_ptr = std::unique_ptr<jwt_t, jwt_deleter>;

struct c_deleter {
  void operator()(char* x) const noexcept { std::free(x); }
};
using c_text = std::unique_ptr<char, c_deleter>;

const unsigned char* bytes_of(const std::string& key) {
  return reinterpret_cast<const unsigned char*>(key.data());
}

jwt_ptr decode(const std::string& token, const std::string& key) {
  jwt_t* raw = nullptr;
  if (jwt_decode(&raw, token.c_str(), bytes_of(key),
                 static_cast<int>(key.size()))
      != 0)
    return nullptr;
  return jwt_ptr{raw};
}

/// "5 minutes"; one unit is enough for a person.
std::string spell(seconds x) {
  const auto number = [](std::int64_t n, const char* unit) {
    return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
  };
  const auto n = x.count();
  if (n < 120)
    return number(n, "second");
  if (n < 2 * 3600)
    return number(n / 60, "minute");
  if (n < 2 * 86400)
    return number(n / 3600, "hour");
  return number(n / 86400, "day");
}

struct times {
  seconds expires{};
  seconds starts{};
};

/// A number that is there must be one; libjwt answers 0 for both.
result<seconds> time_claim(jwt_t* jwt, const char* name, bool needed) {
  errno = 0;
  const auto value = jwt_get_grant_int(jwt, name);
  if (errno == ENOENT) {
    if (needed)
      return fail(errc::unauthorized, std::string("token has no ") + name
                                        + ": create one that expires");
    return seconds{0};
  }
  // A bound far from overflow: the year 9999.
  if (errno != 0 || value < 0 || value > 253'402'300'799)
    return fail(errc::unauthorized,
                std::string("token's ") + name + " is not a time in seconds");
  return seconds{value};
}

result<time_point> check_times(jwt_t* jwt, time_point now) {
  const auto expires = time_claim(jwt, "exp", true);
  if (!expires)
    return expires.error();
  const auto starts = time_claim(jwt, "nbf", false);
  if (!starts)
    return starts.error();
  const time_point until{*expires};
  if (now >= until + token_leeway)
    return fail(errc::unauthorized,
                "token expired "
                  + spell(std::chrono::duration_cast<seconds>(now - until))
                  + " ago");
  const time_point from{*starts};
  if (now + token_leeway < from)
    return fail(errc::unauthorized,
                "token is not valid for another "
                  + spell(std::chrono::duration_cast<seconds>(from - now))
                  + ": compare the clocks");
  return until;
}

/// `aud` may be one name or a list of names.
bool names_audience(jwt_t* jwt, const std::string& wanted) {
  if (const auto* one = jwt_get_grant(jwt, "aud"))
    return wanted == one;
  const c_text list{jwt_get_grants_json(jwt, "aud")};
  if (!list)
    return false;
  boost::system::error_code ec;
  const auto parsed = boost::json::parse(list.get(), ec);
  if (ec || !parsed.is_array())
    return false;
  const auto& names = parsed.get_array();
  return std::any_of(names.begin(), names.end(), [&](const auto& x) {
    return x.is_string() && std::string_view(x.get_string()) == wanted;
  });
}

class jwt_verifier final : public token_verifier {
public:
  explicit jwt_verifier(token_options how) : how_(std::move(how)) {}

  result<identity> verify(std::string_view token,
                          time_point now) const override {
    if (token.empty())
      return fail(errc::unauthorized, "no token was given");
    if (token.size() > token_bytes_max)
      return fail(errc::unauthorized, "token is longer than 4096 bytes");
    if (token.find('\0') != std::string_view::npos)
      return fail(errc::unauthorized, "token contains a zero byte");
    const auto jwt = signed_by_us(std::string(token));
    if (!jwt)
      return fail(errc::unauthorized,
                  "token is malformed, or not signed with our key and an "
                  "algorithm that we allow");
    return check(jwt.get(), now);
  }

private:
  /// Each key goes with its own algorithms: a public key must never serve as
  /// the secret of an HMAC, and "none" is no signature.
  jwt_ptr signed_by_us(const std::string& token) const {
    if (!how_.secret.empty()) {
      auto jwt = decode(token, how_.secret);
      if (jwt && jwt_get_alg(jwt.get()) == JWT_ALG_HS256)
        return jwt;
    }
    if (!how_.public_key.empty()) {
      auto jwt = decode(token, how_.public_key);
      if (jwt
          && (jwt_get_alg(jwt.get()) == JWT_ALG_RS256
              || jwt_get_alg(jwt.get()) == JWT_ALG_ES256))
        return jwt;
    }
    return nullptr;
  }

  result<identity> check(jwt_t* jwt, time_point now) const {
    const auto until = check_times(jwt, now);
    if (!until)
      return until.error();
    const auto* issuer = jwt_get_grant(jwt, "iss");
    if (issuer == nullptr || how_.issuer != issuer)
      return fail(errc::unauthorized,
                  "token was not issued by '" + how_.issuer + "'");
    if (!names_audience(jwt, how_.audience))
      return fail(errc::unauthorized,
                  "token is not meant for '" + how_.audience + "'");
    const auto* subject = jwt_get_grant(jwt, "sub");
    if (subject == nullptr || *subject == '\0')
      return fail(errc::unauthorized, "token does not say whose it is (sub)");
    const auto* name = jwt_get_grant(jwt, "role");
    const auto as = parse_role(name == nullptr ? "" : name);
    if (!as)
      return fail(errc::unauthorized, "token's " + as.error().detail);
    return identity{subject, *as, *until};
  }

  token_options how_;
};

result<void> check_secret(const std::string& secret) {
  if (secret.size() < token_secret_bytes_min)
    return fail(errc::malformed, "auth.secret has "
                                   + std::to_string(secret.size())
                                   + " bytes, but HS256 needs at least 32");
  return {};
}

} // namespace

std::string_view to_string(role x) noexcept {
  switch (x) {
    case role::agent: return "agent";
    case role::supervisor: return "supervisor";
    case role::operator_: return "operator";
    case role::visitor: return "visitor";
  }
  return "unknown";
}

result<role> parse_role(std::string_view text) {
  for (const auto x :
       {role::agent, role::supervisor, role::operator_, role::visitor})
    if (text == to_string(x))
      return x;
  return fail(errc::malformed,
              "role is not agent, supervisor, operator or visitor");
}

result<std::unique_ptr<token_verifier>> make_token_verifier(token_options how) {
  if (how.secret.empty() && how.public_key.empty())
    return fail(errc::malformed,
                "no key to check tokens with: set auth.secret");
  if (!how.secret.empty())
    if (auto ok = check_secret(how.secret); !ok)
      return ok.error();
  return std::unique_ptr<token_verifier>(
    std::make_unique<jwt_verifier>(std::move(how)));
}

result<std::string> create_token(const token_options& how,
                                 const token_claims& what, time_point now) {
  if (auto ok = check_secret(how.secret); !ok)
    return ok.error();
  if (what.subject.empty())
    return fail(errc::malformed, "a token needs a subject: the agent's id");
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0)
    return fail(errc::unavailable, "out of memory");
  const jwt_ptr jwt{raw};
  const auto issued = std::chrono::floor<seconds>(now).time_since_epoch();
  const auto expires = issued + std::chrono::floor<seconds>(what.lifetime);
  const auto role_name = std::string(to_string(what.as));
  const auto bad = jwt_add_grant(raw, "iss", how.issuer.c_str()) != 0
                   || jwt_add_grant(raw, "aud", how.audience.c_str()) != 0
                   || jwt_add_grant(raw, "sub", what.subject.c_str()) != 0
                   || jwt_add_grant(raw, "role", role_name.c_str()) != 0
                   || jwt_add_grant_int(raw, "iat", issued.count()) != 0
                   || jwt_add_grant_int(raw, "exp", expires.count()) != 0
                   || jwt_set_alg(raw, JWT_ALG_HS256, bytes_of(how.secret),
                                  static_cast<int>(how.secret.size()))
                        != 0;
  if (bad)
    return fail(errc::malformed, "the subject cannot be written in a token");
  const c_text text{jwt_encode_str(raw)};
  if (!text)
    return fail(errc::unavailable, "the token could not be signed");
  return std::string(text.get());
}

} // namespace switchboard
