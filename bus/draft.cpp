#include "bus/draft.hpp"

#include "bus/utf8.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>

namespace switchboard::codec {

namespace {

constexpr std::size_t metadata_key_bytes_max = 128;
constexpr std::size_t metadata_value_bytes_max = 8 * 1024;
constexpr std::size_t skills_max = 16;
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t language_bytes_max = 35;
constexpr std::size_t email_bytes_max = 254;

/// 9999-12-31T23:59:59.999Z: later than any honest clock, and PostgreSQL
/// keeps it.
constexpr std::int64_t timestamp_max = 253'402'300'799'999;

using verdict = std::optional<error>;

verdict text(std::string_view field, std::string_view value,
             std::size_t bytes_max) {
  if (value.size() > bytes_max)
    return fail(errc::too_large,
                std::string(field) + " has " + std::to_string(value.size())
                  + " bytes; at most " + std::to_string(bytes_max)
                  + " are taken, send less");
  if (!is_text(value))
    return fail(errc::malformed, std::string(field)
                                   + " is not UTF-8 without NUL characters; "
                                     "send it in UTF-8");
  return std::nullopt;
}

verdict count(std::string_view field, std::size_t size, std::size_t max) {
  if (size <= max)
    return std::nullopt;
  return fail(errc::too_large, std::string(field) + " has "
                                 + std::to_string(size) + " elements; at most "
                                 + std::to_string(max)
                                 + " are taken, send fewer");
}

verdict agree(std::string_view field, std::string_view payload,
              std::string_view subject) {
  if (payload.empty() || payload == subject)
    return std::nullopt;
  return fail(errc::malformed,
              std::string(field) + " is not what the subject says ('"
                + std::string(subject) + "'); leave it out or make it agree");
}

verdict metadata(const draft& x) {
  if (auto bad = count("metadata", x.metadata.size(), metadata_fields_max))
    return bad;
  for (const auto& [key, value] : x.metadata) {
    if (key.empty())
      return fail(errc::malformed,
                  "metadata has an empty key; name every field of it");
    if (auto bad = text("a key of metadata", key, metadata_key_bytes_max))
      return bad;
    if (auto bad = text("metadata." + key, value, metadata_value_bytes_max))
      return bad;
  }
  return std::nullopt;
}

verdict skills(const draft& x) {
  if (auto bad = count("skills", x.skills.size(), skills_max))
    return bad;
  for (const auto& skill : x.skills) {
    if (skill.empty())
      return fail(errc::malformed, "skills has an empty name; leave it out");
    if (auto bad = text("an element of skills", skill, name_bytes_max))
      return bad;
  }
  return std::nullopt;
}

bool is_tag(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-';
  });
}

bool is_phone(std::string_view x) {
  return x.size() >= 3 && x.size() <= 16 && x[0] == '+' && x[1] != '0'
         && std::all_of(x.begin() + 1, x.end(),
                        [](char c) { return c >= '0' && c <= '9'; });
}

bool is_email(std::string_view x) {
  const auto at = x.find('@');
  return at != 0 && at < x.size() - 1 && x.find('@', at + 1) == x.npos
         && std::none_of(x.begin(), x.end(),
                         [](unsigned char c) { return c <= ' ' || c == 127; });
}

verdict wishes(const draft& x) {
  if (auto bad = text("queue", x.queue, name_bytes_max))
    return bad;
  if (auto bad = text("language", x.language, language_bytes_max))
    return bad;
  if (!is_tag(x.language))
    return fail(errc::malformed,
                "language must be a BCP 47 tag such as 'zh' or 'en-GB'");
  if (x.urgency < 0 || x.urgency > 3)
    return fail(errc::malformed,
                "urgency must be 0 (normal), 1 (vip), 2 (urgent) or 3 "
                "(relaxed), or their names in JSON");
  return skills(x);
}

verdict addresses(const draft& x) {
  if (!x.verified_phone.empty() && !is_phone(x.verified_phone))
    return fail(errc::malformed, "verified_phone must be E.164: '+', the "
                                 "country code and the number, digits only");
  if (auto bad = text("verified_email", x.verified_email, email_bytes_max))
    return bad;
  if (!x.verified_email.empty() && !is_email(x.verified_email))
    return fail(errc::malformed,
                "verified_email must be one address of the form name@host");
  return std::nullopt;
}

verdict body(const draft& x) {
  if (auto bad = text("msg_id", x.msg_id, message_id_bytes_max))
    return bad;
  if (auto bad = text("content", x.content, content_bytes_max))
    return bad;
  if (x.content.empty() && x.metadata.empty())
    return fail(errc::malformed, "content is empty; put the customer's text "
                                 "there, in JSON also as 'text'");
  if (x.timestamp < 0 || x.timestamp > timestamp_max)
    return fail(errc::malformed, "timestamp must be milliseconds since 1970 "
                                 "UTC and no later than the year 9999, or 0 "
                                 "for now");
  return metadata(x);
}

/// "web:42" and "42" are the same id on channel web.
std::string_view without_channel(std::string_view id,
                                 const std::string& channel) {
  if (id.starts_with(channel) && id.substr(channel.size()).starts_with(':'))
    id.remove_prefix(channel.size() + 1);
  return id;
}

/// The primary subtag in lower case: "zh" of "zh-Hant-TW".
std::string primary(std::string_view tag) {
  std::string x{tag.substr(0, tag.find('-'))};
  for (auto& c : x)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return x;
}

} // namespace

result<inbound> check(draft x, const contact& from, std::string_view id) {
  for (const auto& bad : {text("the header Nats-Msg-Id", id,
                               message_id_bytes_max + from.channel.size() + 1),
                          agree("channel", x.channel, from.channel),
                          agree("user_id", x.user_id, from.user)})
    if (bad)
      return *bad;
  if (!id.empty())
    x.msg_id = without_channel(id, from.channel);
  for (const auto& examine : {body, wishes, addresses})
    if (auto bad = examine(x))
      return std::move(*bad);
  // The order of a map means nothing: make it the same on every node.
  std::sort(x.metadata.begin(), x.metadata.end());
  inbound y;
  y.id.text = std::move(x.msg_id);
  y.from = from;
  y.content = std::move(x.content);
  y.sent_at = time_point{duration{x.timestamp}};
  y.metadata = std::move(x.metadata);
  if (!x.queue.empty())
    y.want.queue.text = std::move(x.queue);
  y.want.language = primary(x.language);
  y.want.skills = std::move(x.skills);
  y.want.urgency = static_cast<urgency_class>(x.urgency);
  y.phone = std::move(x.verified_phone);
  y.email = std::move(x.verified_email);
  return y;
}

} // namespace switchboard::codec
