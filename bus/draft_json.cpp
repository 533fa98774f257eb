#include "bus/draft.hpp"

#include <boost/json.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>

namespace switchboard::codec {

namespace {

namespace json = boost::json;

using verdict = std::optional<error>;

error wrong(std::string_view field, std::string_view must) {
  return fail(errc::malformed,
              std::string(field) + " must be " + std::string(must));
}

verdict read(const json::value& x, std::string_view field, std::string& to) {
  if (!x.is_string())
    return wrong(field, "a string");
  to = x.get_string();
  return std::nullopt;
}

/// 64 bits do not fit a JavaScript number, so Protobuf writes them as strings;
/// both are read.
verdict read(const json::value& x, std::string_view field, std::int64_t& to) {
  constexpr auto must = "a whole number of 64 bits, or the same as a string";
  if (x.is_int64()) {
    to = x.get_int64();
    return std::nullopt;
  }
  if (x.is_double()) {
    constexpr double limit = 9.0e18;
    const auto number = x.get_double();
    if (std::trunc(number) != number || std::abs(number) > limit)
      return wrong(field, must);
    to = static_cast<std::int64_t>(number);
    return std::nullopt;
  }
  if (!x.is_string())
    return wrong(field, must);
  const auto& text = x.get_string();
  const auto* end = text.data() + text.size();
  const auto [stop, ec] = std::from_chars(text.data(), end, to);
  if (ec != std::errc{} || stop != end)
    return wrong(field, must);
  return std::nullopt;
}

verdict read_urgency(const json::value& x, std::int64_t& to) {
  constexpr std::array<std::array<std::string_view, 2>, 4> names{{
    {"URGENCY_NORMAL", "normal"},
    {"URGENCY_VIP", "vip"},
    {"URGENCY_URGENT", "urgent"},
    {"URGENCY_RELAXED", "relaxed"},
  }};
  if (x.is_string()) {
    const std::string_view text = x.get_string();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (text == names[i][0] || text == names[i][1]) {
        to = static_cast<std::int64_t>(i);
        return std::nullopt;
      }
  } else if (x.is_int64()) {
    to = x.get_int64();
    return std::nullopt;
  }
  return wrong("urgency", "one of URGENCY_NORMAL, URGENCY_VIP, "
                          "URGENCY_URGENT, URGENCY_RELAXED");
}

verdict read_metadata(const json::value& x, draft& to) {
  if (!x.is_object())
    return wrong("metadata", "an object of strings");
  for (const auto& [key, value] : x.get_object()) {
    std::string text;
    if (auto bad = read(value, "metadata." + std::string(key), text))
      return bad;
    to.metadata.emplace_back(key, std::move(text));
  }
  return std::nullopt;
}

verdict read_skills(const json::value& x, draft& to) {
  if (!x.is_array())
    return wrong("skills", "an array of strings");
  for (const auto& value : x.get_array())
    if (auto bad =
          read(value, "an element of skills", to.skills.emplace_back()))
      return bad;
  return std::nullopt;
}

verdict read_field(std::string_view name, const json::value& x, draft& to) {
  if (x.is_null())
    return std::nullopt; // Protobuf's JSON: null means the default.
  if (name == "content" || name == "text")
    return read(x, name, to.content);
  if (name == "msgId" || name == "msg_id")
    return read(x, "msg_id", to.msg_id);
  if (name == "channel")
    return read(x, name, to.channel);
  if (name == "userId" || name == "user_id")
    return read(x, "user_id", to.user_id);
  if (name == "timestamp")
    return read(x, name, to.timestamp);
  if (name == "metadata")
    return read_metadata(x, to);
  if (name == "queue")
    return read(x, name, to.queue);
  if (name == "language")
    return read(x, name, to.language);
  if (name == "skills")
    return read_skills(x, to);
  if (name == "urgency")
    return read_urgency(x, to.urgency);
  if (name == "verifiedPhone" || name == "verified_phone")
    return read(x, "verified_phone", to.verified_phone);
  if (name == "verifiedEmail" || name == "verified_email")
    return read(x, "verified_email", to.verified_email);
  return std::nullopt; // A field of a later version.
}

} // namespace

result<draft> read_json(std::string_view bytes) {
  std::array<unsigned char, 4096> buffer;
  json::monotonic_resource memory{buffer.data(), buffer.size()};
  boost::system::error_code ec;
  const auto parsed = json::parse(bytes, ec, &memory);
  if (ec)
    return fail(errc::malformed, "the payload starts with '{' but is not "
                                 "JSON in UTF-8: "
                                   + ec.message());
  draft to;
  for (const auto& [name, value] : parsed.as_object())
    if (auto bad = read_field(name, value, to))
      return std::move(*bad);
  return to;
}

} // namespace switchboard::codec
