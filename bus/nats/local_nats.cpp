#include "bus/nats/local_nats.hpp"

#include "bus/nats/nats_conf.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace switchboard {

namespace {

using namespace std::chrono_literals;

constexpr auto start_max = 15s;
constexpr auto stop_max = 5s;

/// @returns true when the server greets whoever connects.
bool greets(std::uint16_t port) {
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::array<char, 5> greeting{};
  pollfd watched{s, POLLIN, 0};
  const bool yes =
    connect(s, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0
    && poll(&watched, 1, 1000) == 1
    && read(s, greeting.data(), greeting.size())
         == static_cast<ssize_t>(greeting.size())
    && std::string_view{greeting.data(), greeting.size()} == "INFO ";
  close(s);
  return yes;
}

/// The server reads values of its environment as it reads its file: a quoted
/// one is a string whatever is in it.
std::string quoted(const std::string& name, const std::string& value) {
  return name + "='" + value + "'";
}

} // namespace

local_nats::local_nats(std::string data)
  : local_nats(member{.data = std::move(data), .password = random_secret(16)}) {
  // nop
}

local_nats::local_nats(member what)
  : data_(std::filesystem::absolute(what.data).string()),
    more_(std::move(what.more)),
    port_(free_port()),
    password_(std::move(what.password)),
    system_password_(random_secret(16)) {
  std::filesystem::create_directories(data_);
  start();
}

local_nats::~local_nats() {
  stop();
}

void local_nats::start() {
  if (server_ && server_->alive())
    return;
  const auto file = data_ + "/nats.conf";
  std::ofstream{file, std::ios::trunc} << nats_conf << more_;
  child_process::options how;
  how.command = {"nats-server", "-c", file};
  how.environment = {"NATS_PORT=" + std::to_string(port_),
                     "NATS_STORE_MAX=8GB",
                     quoted("NATS_HOST", "127.0.0.1"),
                     quoted("NATS_STORE", data_),
                     quoted("NATS_USER", user_),
                     quoted("NATS_PASSWORD", password_),
                     quoted("NATS_SYSTEM_USER", "system"),
                     quoted("NATS_SYSTEM_PASSWORD", system_password_)};
  how.log = data_ + "/nats.log";
  server_ = std::make_unique<child_process>(how);
  const auto until = std::chrono::steady_clock::now() + start_max;
  while (!greets(port_)) {
    // Waits for the end of the server, and a little between two tries.
    if (server_->wait(5ms) || std::chrono::steady_clock::now() > until) {
      server_.reset();
      throw std::runtime_error("nats-server did not start; the reason stands "
                               "in "
                               + how.log);
    }
  }
}

void local_nats::stop() {
  if (server_)
    server_->stop(SIGTERM, stop_max);
  server_.reset();
}

bool local_nats::alive() {
  return server_ && server_->alive();
}

void local_nats::kill() {
  if (server_)
    server_->stop(SIGKILL, stop_max);
  server_.reset();
}

void local_nats::signal(int number) {
  if (server_)
    server_->signal(number);
}

std::string local_nats::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

int local_nats::pid() const noexcept {
  return server_ ? server_->pid() : -1;
}

nats_options local_nats::options(std::string name) const {
  nats_options x;
  x.urls = url();
  x.name = std::move(name);
  x.user = user_;
  x.password = password_;
  return x;
}

} // namespace switchboard
