#pragma once

#include <pthread.h>

namespace switchboard {

/// Names the calling thread, for `top -H`, debuggers and profilers.
/// @param name at most 15 characters
inline void name_thread(const char* name) noexcept {
  pthread_setname_np(pthread_self(), name);
}

} // namespace switchboard
