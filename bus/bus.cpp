#include "bus/bus.hpp"

namespace switchboard {

std::string bus::packet::header(std::string_view name) const {
  return read_header ? read_header(raw, name) : std::string{};
}

} // namespace switchboard
