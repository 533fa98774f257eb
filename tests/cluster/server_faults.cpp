#include "tests/cluster/server_faults.hpp"

#include "tests/faults/witness.hpp"

#include <csignal>
#include <thread>
#include <vector>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;

/// nats-server elects a stream's leader after 4 to 9 s without one.
constexpr auto election_max = 40s;

/// Kills one nats-server and sees that it is gone.
void kill_nats(local_nats& x, const std::string& name) {
  const auto pid = x.pid();
  must(pid > 0 && exists(pid), name + " did not run");
  const witness open{x.port()};
  must(open.connected(), name + " took no connections before");
  x.kill();
  must(!exists(pid), name + " still runs");
  must(open.broken(), "a connection to " + name + " still stands");
  must(refuses(x.port()), name + " takes connections still");
}

/// @returns the server that leads the buffered lane's stream
int wait_for_leader(scene& in) {
  const auto until = std::chrono::steady_clock::now() + election_max;
  for (;;) {
    const auto leader = nats_cluster::leader_of(in.wire, "SB_IN");
    if (leader >= 0 && in.on.nats().at(leader).alive())
      return leader;
    must(std::chrono::steady_clock::now() < until,
         "no nats-server leads the stream SB_IN");
    std::this_thread::sleep_for(50ms);
  }
}

class nats_killed final : public fault {
public:
  nats_killed(bool leader, scene& in, taken& busy) : in_(in), leader_(leader) {
    const auto now = wait_for_leader(in);
    std::vector<int> able;
    for (int i = 0; i < in.on.nats().count(); ++i)
      if ((i == now) == leader && !busy.nats.contains(i))
        able.push_back(i);
    must(!able.empty(), "there is no such nats-server");
    which_ =
      able[static_cast<std::size_t>(in.draw(static_cast<int>(able.size())))];
    busy.nats.insert(which_);
  }

  void begin() override {
    const auto pid = in_.on.nats().at(which_).pid();
    must(pid > 0, "the nats-server did not run");
    kill_nats(in_.on.nats().at(which_), "nats-" + std::to_string(which_));
    strike();
  }
  void witness() override {
    must(wait_for_leader(in_) != which_, "a dead nats-server leads");
  }
  void end() override { in_.on.nats().at(which_).start(); }
  std::string text() const override {
    return "kill nats-" + std::to_string(which_)
           + (leader_ ? ", which leads SB_IN" : "");
  }

private:
  scene& in_;
  bool leader_;
  int which_ = -1;
};

class servers_killed final : public fault {
public:
  servers_killed(fault_kind kind, scene& in, taken& busy)
    : in_(in),
      nats_(kind != fault_kind::postgres_killed),
      postgres_(kind != fault_kind::nats_all_killed),
      whole_(in.draw(2) == 0) {
    must((!nats_ || busy.nats.empty()) && (!postgres_ || !busy.postgres),
         "it is down already");
    for (int i = 0; nats_ && i < in.on.nats().count(); ++i)
      busy.nats.insert(i);
    busy.postgres = busy.postgres || postgres_;
  }

  void begin() override {
    if (nats_)
      for (int i = 0; i < in_.on.nats().count(); ++i)
        kill_nats(in_.on.nats().at(i), "nats-" + std::to_string(i));
    if (postgres_)
      kill_postgres();
    strike();
  }
  void end() override {
    // Either may be back first.
    const auto first = in_.draw(2) == 0;
    if (postgres_ && first)
      in_.on.postgres().start();
    for (int i = 0; nats_ && i < in_.on.nats().count(); ++i)
      in_.on.nats().at(i).start();
    if (postgres_ && !first)
      in_.on.postgres().start();
  }
  bool outage() const override { return true; }
  std::string text() const override {
    return std::string("kill") + (nats_ ? " all nats-servers" : "")
           + (nats_ && postgres_ ? " and" : "")
           + (postgres_ ? whole_ ? " PostgreSQL, all processes at once"
                                 : " PostgreSQL, its first process"
                        : "");
  }

private:
  void kill_postgres() {
    auto& x = in_.on.postgres();
    const auto pid = x.pid();
    const class witness open { x.port() };
    must(open.connected(), "PostgreSQL took no connections before");
    if (whole_) {
      x.signal(SIGSTOP);
      x.signal(SIGKILL);
    }
    x.kill();
    must(!exists(pid), "PostgreSQL still runs");
    must(open.broken(), "a connection to PostgreSQL still stands");
    must(refuses(x.port()), "PostgreSQL takes connections still");
  }

  scene& in_;
  bool nats_;
  bool postgres_;
  bool whole_;
};

} // namespace

std::unique_ptr<fault> make_nats_killed(bool leader, scene& in, taken& busy) {
  return std::make_unique<nats_killed>(leader, in, busy);
}

std::unique_ptr<fault> make_outage(fault_kind kind, scene& in, taken& busy) {
  return std::make_unique<servers_killed>(kind, in, busy);
}

} // namespace switchboard::faults
