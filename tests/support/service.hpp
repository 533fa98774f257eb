#pragma once

#include "actors/node.hpp"
#include "gateways/auth/token.hpp"
#include "gateways/http/gateway.hpp"
#include "gateways/http/ws_client.hpp"
#include "persistence/store.hpp"
#include "tests/support/servers.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// A node with its gateway, seen as the world sees it: customers over NATS,
/// agents over WebSocket. Servers are shared by the tests of a program; queue,
/// agents and customers have names of their own in each test.
namespace switchboard::test {

/// One agent's WebSocket. Keeps all that it was sent, so that the order in
/// which a test looks for things does not matter.
class ws_desk {
public:
  explicit ws_desk(ws_client line) : line_(std::move(line)) {}

  /// The first push of this kind, not looked at before, for which `fits` holds.
  /// Fails the test after 10 s.
  boost::json::object
  push(const std::string& kind,
       const std::function<bool(const boost::json::object&)>& fits = {});

  /// As `push`, about this session.
  boost::json::object push_of(const std::string& session,
                              const std::string& kind,
                              const std::string& reason = "");

  /// Sends a command and waits for its answer: `result` or `error`.
  boost::json::object ask(const std::string& verb, boost::json::object what);

  /// As `ask`, and fails the test if it is refused.
  boost::json::object told(const std::string& verb, boost::json::object what);

  void cut() { line_.cut(); }

private:
  bool read();

  ws_client line_;
  std::int64_t commands_ = 100;
  std::vector<boost::json::object> pushes_{};
  std::map<std::int64_t, boost::json::object> answers_{};
};

/// What was published, kept as it comes.
class listener {
public:
  struct heard {
    std::string subject;
    boost::json::object body;
    std::string type; ///< ce-type
  };

  listener(bus& on, const std::string& pattern);

  /// The first for which `fits` holds. Fails the test after 10 s.
  heard wait(const std::string& subject,
             const std::function<bool(const boost::json::object&)>& fits = {});

  [[nodiscard]] std::vector<heard> all() const;

private:
  mutable std::mutex mutex_;
  std::vector<heard> heard_{};
  std::unique_ptr<bus::subscription> subscription_;
};

/// Somebody who writes.
struct visitor {
  std::string channel = "web";
  std::string user;
  std::string session{}; ///< After the first message.
};

struct service {
  service();

  /// An agent of the test's queue, before `open`.
  void know(const std::string& name, std::int32_t capacity = 100'000);
  void know(const std::string& name, agent::profile who);
  [[nodiscard]] agent_id named(const std::string& name) const {
    return {name + tag};
  }
  [[nodiscard]] std::string queue(const std::string& name = "q") const {
    return name + tag;
  }
  void put_queue(const session::rules& r, const std::string& name = "q") const;
  /// Puts the queue and starts the node.
  /// @param grace for agents whose connection was lost
  void open(const session::rules& r, duration grace = agent::grace_time);

  [[nodiscard]] ws_desk sign_in(const std::string& name) const;

  [[nodiscard]] visitor somebody(const std::string& channel = "web") const;
  /// Says something over NATS. @returns the line's number
  std::int64_t say(visitor& who, const std::string& text = "hello",
                   boost::json::object more = {}) const;
  /// What left for the customer, oldest first.
  [[nodiscard]] std::vector<boost::json::object> got(const visitor& who) const;

  /// Waits until the session's log has this event `times` times.
  entry logged(const std::string& session, const std::string& event,
               int times = 1) const;
  [[nodiscard]] bool has_logged(const std::string& session,
                                const std::string& event) const;

  /// No invariant of the product is violated.
  void check_invariants() const;

  static private_servers& servers();

  std::string tag;
  std::string secret;
  std::unique_ptr<store> look;
  std::unique_ptr<node> running;
  std::unique_ptr<token_verifier> verifier;
  std::unique_ptr<gateway> door;
  std::unique_ptr<bus> wire;
  std::unique_ptr<listener> out;    ///< sb.v1.out.>
  std::unique_ptr<listener> events; ///< sb.v1.evt.>
};

/// Offered over the WebSocket, and accepted. @returns the session as it opened
boost::json::object serve(ws_desk& at, const std::string& session);

/// {"session": …, "ownership": …} of a session as the screen shows it.
boost::json::object owned(const boost::json::object& opened);

} // namespace switchboard::test
