#include "tests/cluster/nats_cluster.hpp"

#include <boost/json.hpp>

namespace switchboard::faults {

namespace {

/// As config/nats-cluster.conf, on the loopback.
std::string member_conf(int which, const std::vector<std::uint16_t>& ports,
                        const std::string& password) {
  std::string routes;
  for (const auto port : ports)
    routes += (routes.empty() ? "\"" : ", \"") + ("nats://route:" + password)
              + "@127.0.0.1:" + std::to_string(port) + '"';
  return "\nserver_name: nats-" + std::to_string(which)
         + "\ncluster {\n  name: switchboard\n  listen: \"127.0.0.1:"
         + std::to_string(ports[static_cast<std::size_t>(which)])
         + "\"\n  authorization {user: route, password: \"" + password
         + "\", timeout: 2}\n  no_advertise: true\n  routes: [" + routes
         + "]\n}\n";
}

} // namespace

nats_cluster::nats_cluster(const std::string& folder, int count)
  : password_(random_secret(16)) {
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < count; ++i)
    ports.push_back(free_port());
  // A letter first: a password of digits alone would be read as a number.
  const auto secret = "r" + random_secret(16);
  for (int i = 0; i < count; ++i)
    all_.push_back(std::make_unique<local_nats>(
      local_nats::member{.data = folder + "/nats-" + std::to_string(i),
                         .more = member_conf(i, ports, secret),
                         .password = password_}));
}

nats_options nats_cluster::options(const std::string& name) const {
  auto x = all_[0]->options(name);
  x.urls.clear();
  for (const auto& one : all_)
    x.urls += (x.urls.empty() ? "" : ",") + one->url();
  return x;
}

int nats_cluster::leader_of(bus& wire, const std::string& stream) {
  const auto got = wire.request("$JS.API.STREAM.INFO." + stream, "",
                                std::chrono::milliseconds{1000});
  if (!got)
    return -1;
  boost::system::error_code ec;
  const auto answer = boost::json::parse(got->bytes, ec);
  if (ec)
    return -1;
  const auto* leader = answer.find_pointer("/cluster/leader", ec);
  if (!leader || !leader->is_string())
    return -1;
  const std::string name{leader->get_string().c_str()};
  return name.starts_with("nats-") ? std::atoi(name.c_str() + 5) : -1;
}

} // namespace switchboard::faults
