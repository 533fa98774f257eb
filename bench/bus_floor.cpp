#include "bench/bus_floor.hpp"

#include "bench/load.hpp"
#include "bench/rig.hpp"
#include "bus/codec.hpp"

namespace switchboard::bench {

double bus_floor(const rig& on, int users, int window, std::int64_t messages) {
  const auto server = on.connect("floor");
  const auto receipt = codec::encode_receipt({{1}, 1, false});
  const auto answering =
    server->subscribe("sb.v1.floor.>", "", [&](const bus::packet& x) {
      static_cast<void>(server->publish(x.reply, receipt));
    });
  const auto client = on.connect("floor-client");
  load x{*client,
         {.run = "floor",
          .users = users,
          .window = window,
          .messages = messages,
          .to_floor = true}};
  return x.run("floor: bus");
}

} // namespace switchboard::bench
