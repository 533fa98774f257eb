#include "tests/faults/injector.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace switchboard::faults {

namespace {

using std::chrono::steady_clock;

constexpr auto effect_max = std::chrono::seconds{5};

void must(bool held, target what, const char* which) {
  if (!held)
    throw std::runtime_error("the kill of " + std::string(to_string(what))
                             + " had no effect: " + which);
}

bool exists(int pid) {
  return std::filesystem::exists("/proc/" + std::to_string(pid));
}

} // namespace

std::string_view to_string(target x) noexcept {
  switch (x) {
    case target::node: return "node";
    case target::nats: return "nats-server";
    case target::postgres: return "PostgreSQL";
  }
  return "?";
}

witness::witness(std::uint16_t port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where)
      != 0) {
    close(socket_);
    socket_ = -1;
  }
}

witness::~witness() {
  if (socket_ >= 0)
    close(socket_);
}

bool refuses(std::uint16_t port) {
  // A child that was just made holds the port a moment longer than its parent.
  const auto until = steady_clock::now() + effect_max;
  while (steady_clock::now() < until) {
    if (!witness{port}.connected())
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return false;
}

bool witness::broken() const {
  const auto until = steady_clock::now() + effect_max;
  std::array<char, 4096> said{};
  while (steady_clock::now() < until) {
    pollfd watched{socket_, POLLIN, 0};
    // What the server said before its end is read first.
    if (poll(&watched, 1, 100) == 1
        && read(socket_, said.data(), said.size()) <= 0)
      return true;
  }
  return false;
}

int injector::pid_of(target what) const {
  switch (what) {
    case target::node: return on_.node_pid();
    case target::nats: return on_.nats().pid();
    case target::postgres: return on_.postgres().pid();
  }
  return -1;
}

std::uint16_t injector::port_of(target what) const {
  switch (what) {
    case target::node: return on_.http_port();
    case target::nats: return on_.nats().port();
    case target::postgres: return on_.postgres().port();
  }
  return 0;
}

void injector::kill(target what, bool whole) {
  const auto pid = pid_of(what);
  must(pid > 0 && exists(pid), what, "it did not run");
  const witness open{port_of(what)};
  switch (what) {
    case target::node: on_.kill_node(); break;
    case target::nats: on_.nats().kill(); break;
    case target::postgres:
      if (whole) {
        on_.postgres().signal(SIGSTOP);
        on_.postgres().signal(SIGKILL);
      }
      on_.postgres().kill();
      break;
  }
  must(!exists(pid), what, "its process still runs");
  if (what != target::node)
    must(open.connected(), what, "it took no connections before");
  if (open.connected()) {
    ++witnessed_;
    must(open.broken(), what, "a connection to it still stands");
  }
  must(refuses(port_of(what)), what, "it takes connections still");
}

void injector::restart(target what) {
  switch (what) {
    case target::node: on_.start_node(); break;
    case target::nats: on_.nats().start(); break;
    case target::postgres: on_.postgres().start(); break;
  }
}

} // namespace switchboard::faults
