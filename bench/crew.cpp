#include "bench/crew.hpp"

#include "actors/domain/membership.hpp"
#include "persistence/postgres/postgres_leases.hpp"

#include <signal.h>

#include <algorithm>
#include <thread>

namespace switchboard::bench {

crew::crew(rig& on, int count)
  : on_(on),
    book_(make_postgres_leases(on.postgres().conninfo(), "switchboard/rig")),
    nodes_(static_cast<std::size_t>(count)) {
  for (auto& x : nodes_)
    x.port = free_port();
  for (int i = 0; i < count; ++i)
    start(i);
}

crew::~crew() {
  for (auto& x : nodes_)
    if (x.process) {
      x.process->signal(SIGCONT);
      x.process->signal(SIGKILL); // Nothing of it is needed any more.
    }
}

std::string crew::name(int which) {
  return "n" + std::to_string(which);
}

std::uint16_t crew::port(int which) const {
  return nodes_.at(static_cast<std::size_t>(which)).port;
}

int crew::pid(int which) const {
  const auto& x = nodes_.at(static_cast<std::size_t>(which)).process;
  return x ? x->pid() : -1;
}

bool crew::alive(int which) {
  auto& x = nodes_.at(static_cast<std::size_t>(which)).process;
  return x && x->alive();
}

void crew::start(int which) {
  auto& x = nodes_.at(static_cast<std::size_t>(which));
  x.process.emplace(on_.make_node(name(which), x.port));
}

void crew::kill(int which) {
  auto& x = nodes_.at(static_cast<std::size_t>(which)).process;
  x->signal(SIGKILL);
  x->wait(std::chrono::seconds{10});
  x.reset();
}

void crew::signal(int which, int number) {
  nodes_.at(static_cast<std::size_t>(which)).process->signal(number);
}

void crew::stop(int which) {
  auto& x = nodes_.at(static_cast<std::size_t>(which)).process;
  x->stop(SIGTERM, std::chrono::seconds{30});
  x.reset();
}

std::int64_t crew::slots_of(int which) {
  const auto seen = book_->look();
  if (!seen)
    return -1;
  return std::count_if(
    seen->places.begin(), seen->places.end(),
    [&](const auto& x) { return x.owner.text == name(which); });
}

bool crew::wait_balanced(std::chrono::milliseconds patience) {
  std::vector<node_id> running;
  for (int i = 0; i < count(); ++i)
    if (nodes_.at(static_cast<std::size_t>(i)).process)
      running.push_back({name(i)});
  const auto best = [&](slot_number k) {
    return *std::max_element(
      running.begin(), running.end(), [&](const auto& a, const auto& b) {
        return membership::weight(a, k) < membership::weight(b, k);
      });
  };
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    const auto seen = book_->look();
    if (seen
        && std::all_of(seen->places.begin(), seen->places.end(),
                       [&](const auto& x) { return x.owner == best(x.slot); }))
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

} // namespace switchboard::bench
