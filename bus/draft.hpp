#pragma once

#include "actors/domain/message.hpp"
#include "actors/domain/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard::codec {

/// The fields of a UnifiedMessage as its sender wrote them, in either format,
/// before anybody believes them.
struct draft {
  std::string msg_id{};
  std::string channel{};
  std::string user_id{};
  std::string content{};
  std::int64_t timestamp = 0;
  std::vector<std::pair<std::string, std::string>> metadata{};
  std::string queue{};
  std::string language{};
  std::vector<std::string> skills{};
  std::int64_t urgency = 0;
  std::string verified_phone{};
  std::string verified_email{};
};

/// Reads the JSON form. @returns malformed, naming the field
result<draft> read_json(std::string_view bytes);

/// Believes a draft, or says what is wrong with it.
/// @param id of the header, as for `decode_inbound`
result<inbound> check(draft from_sender, const contact& from,
                      std::string_view id);

} // namespace switchboard::codec
