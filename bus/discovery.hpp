#pragma once

#include "actors/domain/result.hpp"
#include "bus/bus.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace switchboard {

/// Answers the questions of the NATS services protocol (ADR-32) for one of our
/// services, so that `nats micro ls` and the stock clients find it:
/// $SRV.{PING|INFO|STATS}, the same with .<name>, the same with .<name>.<id>.
/// Thread safety: all members may be called from any thread.
class discovery {
public:
  struct endpoint {
    std::string name;
    std::string subject;
    std::string group = "q";
  };

  struct description {
    std::string name;              ///< [A-Za-z0-9_-]+
    std::string id;                ///< Unique among all that serve this name.
    std::string version = "0.1.0"; ///< Semantic versioning.
    std::string text;              ///< One sentence.
    std::vector<endpoint> endpoints;
  };

  virtual ~discovery() = default;

  /// Counts a served request, for STATS.
  /// @param at index into `description::endpoints`
  virtual void served(std::size_t at, std::chrono::nanoseconds took,
                      const error* why_not = nullptr) = 0;
};

/// @returns malformed for a bad name or id, else what `subscribe` says
result<std::unique_ptr<discovery>> make_discovery(bus& on,
                                                  discovery::description what);

} // namespace switchboard
