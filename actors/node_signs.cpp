#include "actors/local_node.hpp"
#include "actors/sign.hpp"
#include "bus/subject.hpp"

namespace switchboard {

/// Signs of life of customers, and what programs may ask over the bus.
result<void> local_node::listen_to_signs() {
  for (const auto* pattern : {"sb.v1.typing.*.*", "sb.v1.read.*.*"}) {
    auto made = wire_->subscribe(pattern, "",
                                 [this](const bus::packet& x) { on_sign(x); });
    if (!made)
      return made.error();
    signs_.push_back(std::move(*made));
  }
  auto served = make_services(*wire_, *reads_, incarnation_);
  if (!served)
    return served.error();
  services_ = std::move(*served);
  return {};
}

/// Every node hears every sign; the one whose session it is passes it on. What
/// is not understood is dropped: nobody waits for an answer.
void local_node::on_sign(const bus::packet& x) {
  if (const auto sign = read_sign(x.subject, x.bytes))
    rt::post(world_->slot.at(subject::slot_of(sign->who)), slot_told{*sign});
}

} // namespace switchboard
