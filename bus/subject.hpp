#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/placement.hpp"
#include "actors/domain/result.hpp"

#include <string>
#include <string_view>

/// Every NATS subject of this system is spelled here and nowhere else.
///
///     sb.v1.post.<channel>.<user>             a message; answered after commit
///     sb.v1.in.<channel>.<user>               a message; kept by JetStream
///     sb.v1.{typing|read}.<channel>.<user>    a customer's sign; never kept
///     sb.v1.slot.<k>.{post|in}.<channel>.<user>   what the server makes of
///     both sb.v1.slot.<k>.cmd                      commands to the actors of a
///     slot sb.v1.out.<channel>.<user>              a reply on its way to a
///     channel sb.v1.evt.<entity>.<event>.<id>         something happened
///     sb.v1.dlq.<stream>.<reason>             what could not be read
///     sb.v1.svc.<service>.<endpoint>          request/reply services
///     sb.v1.node.<node>.<verb>                to one node
///
/// A user who is not [A-Za-z0-9_-]{1,64} is written `b_` + unpadded base64url
/// (RFC 4648, section 5), and so is one who starts with `b_`.
namespace switchboard::subject {

enum class lane { post, in };

struct ingress {
  lane by = lane::post;
  slot_number slot = 0;
  contact from;
};

/// Reads `sb.v1.slot.<k>.{post|in}.<channel>.<user>`.
/// @returns malformed, saying what a channel or user must look like
result<ingress> parse_ingress(std::string_view subject);

/// Reads `sb.v1.{typing|read}.<channel>.<user>`. @returns malformed
result<contact> parse_sign(std::string_view subject);

/// `sb.v1.post.<channel>.<user>`: where a sender publishes.
std::string post(const contact& to);
/// @param what "typing" or "read"
std::string sign(std::string_view what, const contact& of);
std::string in(const contact& to);

/// `sb.v1.slot.<k>.post.>`: what the owner of slot k listens to.
std::string slot_post_pattern(slot_number slot);
std::string slot_in_pattern(slot_number slot);

std::string out(const contact& to);
std::string event(std::string_view entity, std::string_view what,
                  std::string_view id);
std::string dead_letter(std::string_view stream, std::string_view reason);
std::string service(std::string_view name, std::string_view endpoint);

/// `sb.v1.node.<node>.<verb>`; a character that no subject can hold is written
/// `_`.
std::string node(const node_id& to, std::string_view verb);

/// The user as a token of a subject, and back.
std::string user_token(std::string_view user);
result<std::string> parse_user_token(std::string_view token);

/// [a-z][a-z0-9-]{0,31}
bool is_channel(std::string_view text) noexcept;

/// The slot that owns this contact.
slot_number slot_of(const contact& who);

} // namespace switchboard::subject
