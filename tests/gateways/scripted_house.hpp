#pragma once

#include "gateways/agent/protocol.hpp"
#include "gateways/http/gateway.hpp"
#include "gateways/http/ws_client.hpp"
#include "tests/gateways/fake_front.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace switchboard::testing {

using namespace std::chrono_literals;
using agent_protocol::command;
using agent_protocol::connect;

inline token_options keys() {
  token_options out;
  out.secret = "0123456789abcdef0123456789abcdef";
  return out;
}

inline std::string token_of(const std::string& who, role as = role::agent) {
  return create_token(keys(), {who, as, 1h},
                      std::chrono::time_point_cast<duration>(clock::now()))
    .value();
}

inline gateway_limits quick() {
  gateway_limits out;
  out.request_time = 200ms;
  out.sign_in_time = 200ms;
  out.close_time = 500ms;
  out.commands_burst = 100;
  return out;
}

/// A gateway in front of scripted actors.
struct house {
  explicit house(gateway_limits limits = quick(), std::size_t threads = 1) {
    gateway_options how;
    how.limits = limits;
    how.threads = threads;
    how.verifier = verifier.get();
    how.actors = &actors;
    door = make_gateway(how).value();
  }

  ws_client dial(int receive_buffer_bytes = 0) const {
    ws_client::options how;
    how.port = door->port();
    how.receive_buffer_bytes = receive_buffer_bytes;
    auto got = ws_client::connect(how);
    REQUIRE(got);
    return std::move(*got);
  }

  /// A client that is signed in.
  ws_client desk(const std::string& who, const std::string& device = "",
                 int receive_buffer_bytes = 0) const {
    auto out = dial(receive_buffer_bytes);
    REQUIRE(out.send(
      agent_protocol::format(command{1, connect{token_of(who), {}, device}})));
    const auto welcome = out.receive(5s);
    REQUIRE(welcome);
    INFO(*welcome);
    REQUIRE(welcome->starts_with(R"({"id":1,"result":{"agent":")" + who));
    return out;
  }

  fake_front actors;
  std::unique_ptr<token_verifier> verifier =
    make_token_verifier(keys()).value();
  std::unique_ptr<gateway> door;
};

/// Reads until the server closes. @returns the close code
inline std::uint16_t closed_with(ws_client& client) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!client.closed() && std::chrono::steady_clock::now() < until)
    (void)client.receive(1s);
  REQUIRE(client.closed());
  return client.close_code();
}

inline std::string send_text(std::int64_t id, const std::string& body) {
  return agent_protocol::format(
    command{id, agent_ask{ask::send{session_id{1}, 2, {"c"}, body}}});
}

inline bool becomes(const std::function<bool()>& that) {
  const auto until = std::chrono::steady_clock::now() + 5s;
  while (!that() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(2ms);
  return that();
}

} // namespace switchboard::testing
