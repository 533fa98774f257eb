#include "bus/codec.hpp"

#include "bus/draft.hpp"
#include "bus/utf8.hpp"

#include "switchboard/v1/message.pb.h"

#include <boost/json.hpp>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wire_format_lite.h>

#include <array>
#include <limits>
#include <mutex>

namespace switchboard::codec {

namespace {

namespace json = boost::json;

/// The urn of our problem types (RFC 9457); there is no page to look up.
constexpr std::string_view problem_prefix = "urn:switchboard:problem:";

/// Protobuf writes to stderr when bytes of a sender are wrong; we answer the
/// sender instead.
void silence_protobuf() {
  static std::once_flag once;
  std::call_once(once, [] { google::protobuf::SetLogHandler(nullptr); });
}

/// Why the parser refused, in a second pass that only bad payloads pay for:
/// names the first string that is not UTF-8.
error diagnose(std::string_view bytes) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in{
    reinterpret_cast<const std::uint8_t*>(bytes.data()),
    static_cast<int>(bytes.size())};
  const auto* about = v1::UnifiedMessage::descriptor();
  while (const auto tag = in.ReadTag()) {
    const auto* field =
      about->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    const bool is_string =
      field && field->type() == google::protobuf::FieldDescriptor::TYPE_STRING
      && WireFormatLite::GetTagWireType(tag)
           == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!is_string) {
      if (!WireFormatLite::SkipField(&in, tag))
        break;
      continue;
    }
    std::uint32_t size = 0;
    std::string text;
    if (!in.ReadVarint32(&size) || size > bytes.size()
        || !in.ReadString(&text, static_cast<int>(size)))
      break;
    if (!is_text(text))
      return fail(errc::malformed,
                  field->name() + " is not UTF-8; send it in UTF-8");
  }
  return fail(errc::malformed,
              "the payload is neither a UnifiedMessage in Protobuf nor JSON "
              "(which starts with '{'), or one of its strings is not UTF-8");
}

result<draft> read_protobuf(std::string_view bytes) {
  silence_protobuf();
  v1::UnifiedMessage x;
  if (!x.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return diagnose(bytes);
  draft to;
  to.msg_id = std::move(*x.mutable_msg_id());
  to.channel = std::move(*x.mutable_channel());
  to.user_id = std::move(*x.mutable_user_id());
  to.content = std::move(*x.mutable_content());
  to.timestamp = x.timestamp();
  for (auto& [key, value] : *x.mutable_metadata())
    to.metadata.emplace_back(key, std::move(value));
  to.queue = std::move(*x.mutable_queue());
  to.language = std::move(*x.mutable_language());
  for (auto& skill : *x.mutable_skills())
    to.skills.push_back(std::move(skill));
  to.urgency = x.urgency();
  to.verified_phone = std::move(*x.mutable_verified_phone());
  to.verified_email = std::move(*x.mutable_verified_email());
  return to;
}

/// Leaves defaults out, as Protobuf's JSON does.
void put(json::object& to, std::string_view name, std::string_view text) {
  if (!text.empty())
    to[name] = text;
}

json::object to_json(const inbound& x) {
  constexpr std::array<std::string_view, 4> urgencies{
    "URGENCY_NORMAL", "URGENCY_VIP", "URGENCY_URGENT", "URGENCY_RELAXED"};
  json::object to;
  put(to, "msgId", x.id.text);
  put(to, "channel", x.from.channel);
  put(to, "userId", x.from.user);
  put(to, "content", x.content);
  if (const auto ms = x.sent_at.time_since_epoch().count(); ms != 0)
    to["timestamp"] = std::to_string(ms);
  if (!x.metadata.empty()) {
    auto& fields = to["metadata"].emplace_object();
    for (const auto& [key, value] : x.metadata)
      fields[key] = value;
  }
  if (x.want.queue != needs{}.queue)
    put(to, "queue", x.want.queue.text);
  put(to, "language", x.want.language);
  if (!x.want.skills.empty())
    to["skills"] = json::array(x.want.skills.begin(), x.want.skills.end());
  if (x.want.urgency != urgency_class::normal)
    to["urgency"] = urgencies.at(static_cast<std::size_t>(x.want.urgency));
  put(to, "verifiedPhone", x.phone);
  put(to, "verifiedEmail", x.email);
  return to;
}

std::string_view title(errc code) {
  switch (code) {
    case errc::malformed: return "The message cannot be read";
    case errc::too_large: return "The message is too large";
    case errc::unauthorized: return "Sign in first";
    case errc::forbidden: return "Not allowed";
    case errc::not_found: return "There is no such thing";
    case errc::conflict: return "The id was used for something else";
    case errc::stale_owner: return "The session has changed hands";
    case errc::wrong_phase: return "Not possible in this state";
    case errc::full: return "The agent has no room left";
    case errc::moved: return "Another node owns this";
    case errc::overloaded: return "Too much at once";
    case errc::unavailable: return "A part of the system is away";
  }
  return "Unknown problem";
}

} // namespace

result<inbound> decode_inbound(std::string_view bytes, const contact& from,
                               std::string_view id) {
  if (bytes.size() > payload_bytes_max)
    return fail(errc::too_large,
                "the payload has " + std::to_string(bytes.size())
                  + " bytes; at most " + std::to_string(payload_bytes_max)
                  + " are taken, send less");
  if (bytes.empty())
    return fail(errc::malformed, "the payload is empty; send at least "
                                 "{\"text\":\"...\"}");
  auto read = bytes.front() == '{' ? read_json(bytes) : read_protobuf(bytes);
  if (!read)
    return read.error();
  return check(std::move(*read), from, id);
}

std::string encode(const inbound& x) {
  v1::UnifiedMessage to;
  to.set_msg_id(x.id.text);
  to.set_channel(x.from.channel);
  to.set_user_id(x.from.user);
  to.set_content(x.content);
  to.set_timestamp(x.sent_at.time_since_epoch().count());
  for (const auto& [key, value] : x.metadata)
    (*to.mutable_metadata())[key] = value;
  if (x.want.queue != needs{}.queue)
    to.set_queue(x.want.queue.text);
  to.set_language(x.want.language);
  for (const auto& skill : x.want.skills)
    to.add_skills(skill);
  to.set_urgency(static_cast<v1::Urgency>(x.want.urgency));
  to.set_verified_phone(x.phone);
  to.set_verified_email(x.email);
  return to.SerializeAsString();
}

std::string encode_json(const inbound& x) {
  return json::serialize(to_json(x));
}

std::string encode_receipt(const receipt& x) {
  return "{\"session\":\"" + to_string(x.session)
         + "\",\"seq\":" + std::to_string(x.seq)
         + ",\"duplicate\":" + (x.duplicate ? "true}" : "false}");
}

result<receipt> decode_receipt(std::string_view text) {
  boost::system::error_code ec;
  const auto parsed = json::parse(text, ec);
  if (ec || !parsed.is_object())
    return fail(errc::malformed, "the receipt is not a JSON object");
  const auto& fields = parsed.get_object();
  const auto* session = fields.if_contains("session");
  const auto* seq = fields.if_contains("seq");
  const auto* duplicate = fields.if_contains("duplicate");
  receipt x;
  const auto number = session && session->is_string()
                        ? parse_session_id(session->get_string())
                        : std::nullopt;
  if (!number)
    return fail(errc::malformed,
                "session of the receipt must be a positive number as a string");
  x.session = *number;
  if (!seq || !seq->is_int64() || seq->get_int64() < 1
      || seq->get_int64() > std::numeric_limits<std::int32_t>::max())
    return fail(errc::malformed,
                "seq of the receipt must be a positive number of 31 bits");
  x.seq = static_cast<std::int32_t>(seq->get_int64());
  if (duplicate && !duplicate->is_bool())
    return fail(errc::malformed, "duplicate of the receipt must be a boolean");
  x.duplicate = duplicate && duplicate->get_bool();
  return x;
}

std::string encode_problem(const error& x) {
  const auto code = to_string(x.code);
  json::object to;
  to["type"] = std::string{problem_prefix} + std::string{code};
  to["title"] = title(x.code);
  to["status"] = http_status(x.code);
  to["code"] = code;
  to["detail"] = x.detail;
  return json::serialize(to);
}

std::string encode_out(session_id session, const contact& to,
                       const entry& line) {
  inbound x;
  const auto number = to_string(session);
  const auto seq = std::to_string(line.seq);
  x.id.text = number + "-" + seq;
  x.from = to;
  x.content = line.body;
  x.sent_at = line.at;
  x.metadata = {{"kind", std::string{to_string(line.kind)}},
                {"seq", seq},
                {"session", number}};
  return encode_json(x);
}

} // namespace switchboard::codec
