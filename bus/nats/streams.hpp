#pragma once

#include "bus/nats/handle.hpp"

namespace switchboard::nats {

/// Makes the stream, or widens one that is there: its limits and subjects only
/// ever grow, so that nodes of two versions do not undo each other's work.
/// Blocks until the server has answered.
result<bus::stream_state> ensure_stream(jsCtx* in,
                                        const bus::stream_config& want);

} // namespace switchboard::nats
