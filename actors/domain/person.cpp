#include "actors/domain/person.hpp"

#include <algorithm>

namespace switchboard::person {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view x) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!x.empty() && blank(x.front()))
    x.remove_prefix(1);
  while (!x.empty() && blank(x.back()))
    x.remove_suffix(1);
  return x;
}

/// Takes a URI scheme off, whatever its case.
std::string_view without_scheme(std::string_view x, std::string_view scheme) {
  if (x.size() >= scheme.size()
      && std::equal(scheme.begin(), scheme.end(), x.begin(),
                    [](char a, char b) { return a == lower(b); }))
    x.remove_prefix(scheme.size());
  return x;
}

/// What may stand between the digits of a number.
bool is_separator(char c) {
  constexpr std::string_view all = " \t-./()";
  return all.find(c) != std::string_view::npos;
}

/// Digits of a number without its '+'. @returns nothing if there is anything
/// else in it than digits and separators
std::optional<std::string> digits_of(std::string_view x) {
  std::string to;
  for (const auto c : x) {
    if (is_digit(c))
      to.push_back(c);
    else if (!is_separator(c))
      return std::nullopt;
  }
  return to;
}

std::optional<std::string> complete(const std::string& digits) {
  if (digits.size() < phone_digits_min || digits.size() > phone_digits_max
      || digits.front() == '0')
    return std::nullopt;
  return '+' + digits;
}

/// "+44 (0)20 …": the zero is dialled inside the country only.
std::string without_trunk_zero(std::string_view x) {
  std::string to{x};
  if (const auto at = to.find("(0)"); at != std::string::npos)
    to.erase(at, 3);
  return to;
}

bool is_email_byte(unsigned char c) {
  constexpr std::string_view never = "<>()[],;:\\\"@";
  return c > ' ' && c != 127
         && never.find(static_cast<char>(c)) == std::string_view::npos;
}

bool is_dotted(std::string_view x) {
  return !x.empty() && x.front() != '.' && x.back() != '.'
         && x.find("..") == std::string_view::npos
         && std::all_of(x.begin(), x.end(), [](char c) {
              return is_email_byte(static_cast<unsigned char>(c));
            });
}

std::string_view field(const inbound& said, std::string_view name) {
  for (const auto& [key, value] : said.metadata)
    if (key == name)
      return value;
  return {};
}

bool contains(const std::vector<std::string>& all, const std::string& x) {
  return std::find(all.begin(), all.end(), x) != all.end();
}

} // namespace

std::optional<std::string> normal_phone(std::string_view written,
                                        std::string_view country) {
  auto x = without_scheme(trimmed(written), "tel:");
  x = trimmed(x.substr(0, x.find(';'))); // Parameters of RFC 3966.
  const auto plus = x.starts_with('+');
  if (plus || x.starts_with("00")) {
    const auto digits = digits_of(without_trunk_zero(x.substr(plus ? 1 : 2)));
    return digits ? complete(*digits) : std::nullopt;
  }
  auto digits = digits_of(x);
  if (!digits || digits->empty() || country.empty())
    return std::nullopt;
  if (digits->front() == '0')
    digits->erase(0, 1);
  return complete(std::string(country) + *digits);
}

std::optional<std::string> normal_email(std::string_view written) {
  const auto x = trimmed(without_scheme(trimmed(written), "mailto:"));
  const auto at = x.find('@');
  if (at == std::string_view::npos || x.size() > email_bytes_max)
    return std::nullopt;
  const auto local = x.substr(0, at);
  auto domain = x.substr(at + 1);
  if (domain.ends_with('.'))
    domain.remove_suffix(1);
  if (local.size() > email_local_bytes_max || !is_dotted(local)
      || !is_dotted(domain))
    return std::nullopt;
  auto to = std::string(local) + '@';
  for (const auto c : domain)
    to.push_back(lower(c));
  return to;
}

addresses verified_in(const inbound& said, const rules& r) {
  const auto& [channel, user] = said.from;
  const auto user_of = [&](const std::vector<std::string>& channels) {
    return contains(channels, channel) ? std::string_view{user}
                                       : std::string_view{};
  };
  addresses found;
  for (const std::string_view x :
       {std::string_view{said.phone}, field(said, "verified_phone"),
        user_of(r.phone_channels)})
    if (auto phone = normal_phone(x, r.country); phone && found.phone.empty())
      found.phone = std::move(*phone);
  for (const std::string_view x :
       {std::string_view{said.email}, field(said, "verified_email"),
        user_of(r.email_channels)})
    if (auto email = normal_email(x); email && found.email.empty())
      found.email = std::move(*email);
  return found;
}

} // namespace switchboard::person
