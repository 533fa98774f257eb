#include "tests/faults/injector.hpp"

#include <csignal>
#include <stdexcept>

namespace switchboard::faults {

namespace {

void must(bool held, target what, const char* which) {
  if (!held)
    throw std::runtime_error("the kill of " + std::string(to_string(what))
                             + " had no effect: " + which);
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
