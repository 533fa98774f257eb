#include "persistence/store.hpp"

namespace switchboard {

std::string_view to_string(verdict v) noexcept {
  switch (v) {
    case verdict::committed: return "committed";
    case verdict::duplicate: return "duplicate";
    case verdict::fenced: return "fenced";
    case verdict::agent_full: return "agent_full";
    case verdict::stale: return "stale";
    case verdict::refused: return "refused";
  }
  return "unknown";
}

} // namespace switchboard
