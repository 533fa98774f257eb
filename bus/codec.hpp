#pragma once

#include "actors/domain/message.hpp"
#include "actors/domain/result.hpp"

#include <string>
#include <string_view>

/// Turns domain values into the bytes of bus/proto and back. No other file
/// includes a generated header, so that Protobuf can be replaced, or a v2 put
/// beside v1, by changing this one.
namespace switchboard::codec {

/// Reads a UnifiedMessage: Protobuf, its JSON, or the shorthand
/// `{"text":"hi"}`. A first byte `{` means JSON.
/// @param from what the subject says; the payload must not contradict it
/// @param id   of the header Nats-Msg-Id ("<channel>:<id>" or "<id>"), empty:
///             none; then the payload's msg_id counts, and without either the
///             message gets an empty id (its sender cannot repeat it safely)
/// @returns malformed or too_large, with a sentence that names the field
result<inbound> decode_inbound(std::string_view bytes, const contact& from,
                               std::string_view id);

std::string encode(const inbound& x);      ///< Protobuf
std::string encode_json(const inbound& x); ///< Protobuf's JSON mapping

/// `{"session":"…","seq":7,"duplicate":false}`
std::string encode_receipt(const receipt& x);
result<receipt> decode_receipt(std::string_view json);

/// RFC 9457 problem: `{"type":…,"title":…,"status":…,"code":…,"detail":…}`
std::string encode_problem(const error& x);

/// A reply or note on its way out, as UnifiedMessage in JSON, readable by any
/// channel adapter: msg_id = "<session>-<seq>".
std::string encode_out(session_id session, const contact& to,
                       const entry& line);

} // namespace switchboard::codec
