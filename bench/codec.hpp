#pragma once

#include "bench/report.hpp"

#include <cstdint>

namespace switchboard::bench {

struct codec_options {
  std::int64_t messages = 200'000; ///< Of each round.
  int rounds = 5;
};

/// From bytes to a checked message of ours, one thread: Protobuf as senders
/// send it. Floors in the same run: the bare Protobuf parser on the same bytes,
/// into one object that is used again; the same fields in JSON; memcpy.
/// Lost: messages that do not come back as they were.
report run_codec(const codec_options& how);

} // namespace switchboard::bench
