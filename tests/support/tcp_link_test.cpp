#include "tests/support/tcp_link.hpp"

#include "config/child_process.hpp"

#include <catch2/catch.hpp>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

using namespace switchboard;
using test::flow;
using test::tcp_link;

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

struct peer {
  int raw = -1;

  ~peer() { close(raw); }

  void say(const std::string& text) const {
    REQUIRE(send(raw, text.data(), text.size(), MSG_NOSIGNAL)
            == static_cast<ssize_t>(text.size()));
  }

  /// @returns what came, "end", or "" if nothing comes
  [[nodiscard]] std::string hear(int patience_ms) const {
    pollfd watched{raw, POLLIN, 0};
    if (poll(&watched, 1, patience_ms) != 1)
      return "";
    std::array<char, 64> buffer{};
    const auto got = read(raw, buffer.data(), buffer.size());
    return got <= 0 ? "end"
                    : std::string(buffer.data(), static_cast<std::size_t>(got));
  }
};

/// A server, a link to it, and a client of the link.
struct line {
  static constexpr int soon_ms = 5000;
  static constexpr int never_ms = 150;

  line() : server_port(free_port()), listener{socket(AF_INET, SOCK_STREAM, 0)} {
    const auto where = loopback(server_port);
    REQUIRE(bind(listener.raw, reinterpret_cast<const sockaddr*>(&where),
                 sizeof where)
            == 0);
    REQUIRE(listen(listener.raw, 8) == 0);
  }

  bool connect_client() {
    client.raw = socket(AF_INET, SOCK_STREAM, 0);
    const auto where = loopback(between.port());
    return connect(client.raw, reinterpret_cast<const sockaddr*>(&where),
                   sizeof where)
           == 0;
  }

  void join() {
    REQUIRE(connect_client());
    server.raw = accept(listener.raw, nullptr, nullptr);
    REQUIRE(server.raw >= 0);
  }

  std::uint16_t server_port;
  peer listener;
  tcp_link between{server_port};
  peer client;
  peer server;
};

} // namespace

TEST_CASE("a link passes both ways and counts") {
  line x;
  x.join();
  x.client.say("up");
  CHECK(x.server.hear(line::soon_ms) == "up");
  x.server.say("down");
  CHECK(x.client.hear(line::soon_ms) == "down");
  CHECK(x.between.now().open == 1);
  CHECK(x.between.now().up == 2);
  CHECK(x.between.now().down == 4);
}

TEST_CASE("a link that is cut ends connections and refuses new ones") {
  line x;
  x.join();
  x.between.cut();
  CHECK(x.client.hear(line::soon_ms) == "end");
  CHECK(x.server.hear(line::soon_ms) == "end");
  peer late{socket(AF_INET, SOCK_STREAM, 0)};
  const auto where = loopback(x.between.port());
  CHECK(
    connect(late.raw, reinterpret_cast<const sockaddr*>(&where), sizeof where)
    != 0);
  x.between.heal();
  CHECK(
    connect(late.raw, reinterpret_cast<const sockaddr*>(&where), sizeof where)
    == 0);
}

TEST_CASE("a direction that holds keeps bytes and sends them on in the end") {
  line x;
  x.join();
  x.between.disturb(flow::hold, flow::pass);
  x.client.say("held");
  CHECK(x.server.hear(line::never_ms).empty());
  x.server.say("down");
  CHECK(x.client.hear(line::soon_ms) == "down");
  CHECK(x.between.now().up_kept == 4);
  x.between.heal();
  CHECK(x.server.hear(line::soon_ms) == "held");
  CHECK(x.between.now().open == 1);
}

TEST_CASE("who lost bytes in a direction that drops is cut off in the end") {
  line x;
  x.join();
  x.between.disturb(flow::pass, flow::drop);
  x.server.say("lost");
  CHECK(x.client.hear(line::never_ms).empty());
  x.client.say("up");
  CHECK(x.server.hear(line::soon_ms) == "up");
  CHECK(x.between.now().down_kept == 4);
  x.between.heal();
  CHECK(x.client.hear(line::soon_ms) == "end");
}

TEST_CASE("a slow link makes each byte wait") {
  line x;
  x.join();
  x.between.delay(std::chrono::milliseconds{300});
  x.client.say("late");
  CHECK(x.server.hear(line::never_ms).empty());
  CHECK(x.server.hear(line::soon_ms) == "late");
  CHECK(x.between.now().delayed == 4);
}
