#include "bench/codec_floor.hpp"

#include "switchboard/v1/message.pb.h"

#include <cstring>

namespace switchboard::bench {

std::int64_t parse_bare(const std::vector<std::string>& messages) {
  v1::UnifiedMessage into; // Used again: it keeps its memory.
  std::int64_t seen = 0;
  for (const auto& x : messages)
    if (into.ParseFromArray(x.data(), static_cast<int>(x.size())))
      seen += static_cast<std::int64_t>(into.content().size());
  return seen;
}

std::int64_t copy_bare(const std::vector<std::string>& messages) {
  std::string into;
  std::int64_t seen = 0;
  for (const auto& x : messages) {
    into.resize(x.size());
    std::memcpy(into.data(), x.data(), x.size());
    seen += into.back();
  }
  return seen;
}

} // namespace switchboard::bench
