#include "tests/faults/witness.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace switchboard::faults {

namespace {

using std::chrono::steady_clock;

constexpr auto effect_max = std::chrono::seconds{5};

} // namespace

bool exists(int pid) {
  return std::filesystem::exists("/proc/" + std::to_string(pid));
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

} // namespace switchboard::faults
