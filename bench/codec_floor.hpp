#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchboard::bench {

/// Protobuf's own parser on each of these, again and again.
/// @returns bytes of content seen, so that nothing can be left out
std::int64_t parse_bare(const std::vector<std::string>& messages);

/// Copies each of these.
std::int64_t copy_bare(const std::vector<std::string>& messages);

} // namespace switchboard::bench
