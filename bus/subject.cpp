#include "bus/subject.hpp"

#include "bus/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace switchboard::subject {

namespace {

constexpr std::string_view root = "sb.v1.";
constexpr std::string_view encoded_mark = "b_";
constexpr std::size_t plain_bytes_max = 64;
constexpr std::size_t user_bytes_max = 256;

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::string_view user_rule =
  "a user must be [A-Za-z0-9_-]{1,64}, or 'b_' followed by the unpadded "
  "base64url of its 1 to 256 bytes of UTF-8";

bool is_plain(std::string_view text) noexcept {
  return !text.empty() && text.size() <= plain_bytes_max
         && text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::string to_base64url(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const auto c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6)
      text += alphabet[(bits >> (held - 6)) & 63];
  }
  if (held > 0)
    text += alphabet[(bits << (6 - held)) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const auto c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos)
      return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>((bits >> held) & 255);
    }
  }
  return bytes;
}

/// Takes what stands before the next dot off the front of `rest`.
std::string_view next_token(std::string_view& rest) noexcept {
  const auto dot = rest.find('.');
  const auto token = rest.substr(0, dot);
  rest =
    dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  return token;
}

std::string join(std::string_view first, const contact& to) {
  std::string text{root};
  text += first;
  text += '.';
  text += to.channel;
  text += '.';
  text += user_token(to.user);
  return text;
}

std::string slot_pattern(slot_number slot, std::string_view last) {
  return std::string{root} + "slot." + std::to_string(slot) + "."
         + std::string{last} + ".>";
}

error malformed(std::string_view subject, std::string_view why) {
  constexpr std::size_t shown_max = 200;
  return fail(errc::malformed, "the subject '"
                                 + as_text(subject.substr(0, shown_max))
                                 + "' cannot be read: " + std::string(why));
}

} // namespace

bool is_channel(std::string_view text) noexcept {
  constexpr std::size_t channel_bytes_max = 32;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= channel_bytes_max
         && is_letter(text.front())
         && std::all_of(text.begin(), text.end(), [&](char c) {
              return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
            });
}

std::string user_token(std::string_view user) {
  if (is_plain(user) && !user.starts_with(encoded_mark))
    return std::string{user};
  return std::string{encoded_mark} + to_base64url(user);
}

result<std::string> parse_user_token(std::string_view token) {
  if (!token.starts_with(encoded_mark)) {
    if (is_plain(token))
      return std::string{token};
    return fail(errc::malformed, std::string{user_rule});
  }
  const auto user = from_base64url(token.substr(encoded_mark.size()));
  if (!user || user->empty() || user->size() > user_bytes_max
      || !is_text(*user))
    return fail(errc::malformed, std::string{user_rule});
  // One user, one token: two spellings would be two slots and two sessions.
  if (user_token(*user) != token)
    return fail(errc::malformed,
                "this user must be written '" + user_token(*user) + "'");
  return *user;
}

namespace {

/// `rest` is what stands after the verb: `<channel>.<user>`.
result<contact> parse_contact(std::string_view subject, std::string_view rest) {
  const auto channel = next_token(rest);
  if (!is_channel(channel))
    return malformed(subject, "a channel must be [a-z][a-z0-9-]{0,31}");
  auto user = parse_user_token(rest);
  if (!user)
    return malformed(subject, user.error().detail);
  return contact{std::string{channel}, std::move(*user)};
}

} // namespace

result<ingress> parse_ingress(std::string_view subject) {
  auto rest = subject;
  if (!rest.starts_with(root))
    return malformed(subject, "it must start with 'sb.v1.'");
  rest.remove_prefix(root.size());
  if (next_token(rest) != "slot")
    return malformed(subject, "it must look like "
                              "sb.v1.slot.<k>.{post|in}.<channel>.<user>");
  const auto number = next_token(rest);
  unsigned slot = slots;
  const auto* end = number.data() + number.size();
  const auto [stop, ec] = std::from_chars(number.data(), end, slot);
  if (ec != std::errc{} || stop != end || slot >= slots)
    return malformed(subject, "the slot must be a number from 0 to 63");
  const auto by = next_token(rest);
  if (by != "post" && by != "in")
    return malformed(subject, "the lane must be 'post' or 'in'");
  auto from = parse_contact(subject, rest);
  if (!from)
    return from.error();
  return ingress{by == "post" ? lane::post : lane::in,
                 static_cast<slot_number>(slot), std::move(*from)};
}

result<contact> parse_sign(std::string_view subject) {
  auto rest = subject;
  if (!rest.starts_with(root))
    return malformed(subject, "it must start with 'sb.v1.'");
  rest.remove_prefix(root.size());
  next_token(rest);
  return parse_contact(subject, rest);
}

std::string post(const contact& to) {
  return join("post", to);
}

std::string sign(std::string_view what, const contact& of) {
  return join(what, of);
}

std::string in(const contact& to) {
  return join("in", to);
}

std::string out(const contact& to) {
  return join("out", to);
}

std::string slot_post_pattern(slot_number slot) {
  return slot_pattern(slot, "post");
}

std::string slot_in_pattern(slot_number slot) {
  return slot_pattern(slot, "in");
}

std::string event(std::string_view entity, std::string_view what,
                  std::string_view id) {
  return std::string{root} + "evt." + std::string{entity} + "."
         + std::string{what} + "." + std::string{id};
}

std::string dead_letter(std::string_view stream, std::string_view reason) {
  return std::string{root} + "dlq." + std::string{stream} + "."
         + std::string{reason};
}

std::string service(std::string_view name, std::string_view endpoint) {
  return std::string{root} + "svc." + std::string{name} + "."
         + std::string{endpoint};
}

std::string node(const node_id& to, std::string_view verb) {
  auto name = to.text;
  for (auto& c : name)
    if (alphabet.find(c) == alphabet.npos)
      c = '_';
  return std::string{root} + "node." + name + '.' + std::string{verb};
}

slot_number slot_of(const contact& who) {
  return switchboard::slot_of(who.channel, user_token(who.user));
}

} // namespace switchboard::subject
