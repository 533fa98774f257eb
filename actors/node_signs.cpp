#include "actors/local_node.hpp"

#include "bus/subject.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>

namespace switchboard {

namespace {

/// `{"seq":7}`: everything up to line 7 was read.
std::optional<std::int32_t> read_up_to(std::string_view body) {
  boost::system::error_code ec;
  const auto value = boost::json::parse(body, ec);
  if (ec || !value.is_object())
    return std::nullopt;
  const auto* seq = value.get_object().if_contains("seq");
  if (seq == nullptr || !seq->is_int64() || seq->get_int64() < 1
      || seq->get_int64() > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(seq->get_int64());
}

} // namespace

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
  const auto who = subject::parse_sign(x.subject);
  if (!who)
    return;
  customer_signed what;
  if (x.subject.starts_with("sb.v1.read.")) {
    what.read = read_up_to(x.bytes);
    if (!what.read)
      return;
  }
  rt::post(world_->slot.at(subject::slot_of(*who)),
           slot_told{sign_from{*who, what}});
}

} // namespace switchboard
