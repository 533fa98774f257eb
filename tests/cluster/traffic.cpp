#include "tests/cluster/traffic.hpp"

#include "bench/audit.hpp"
#include "bus/subject.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t direct_users_of_slot = 4;
constexpr double direct_rate = 160;
constexpr int talking_users = 48;
constexpr int agents = 16;
constexpr int agent_capacity = 6000; // Six conversations.
constexpr auto buffered_pace = 600ms;
constexpr auto talk_pace = 600ms;
constexpr auto quiet_max = 60s;

std::string agent_name(int which) {
  return "agent-" + std::to_string(which);
}

/// So many users of each slot: one of every slot, then the next of every slot,
/// so that who writes in turn comes to each slot again soon.
std::vector<std::string> users_in_all_slots(const std::string& run,
                                            std::size_t for_each) {
  std::array<std::vector<std::string>, slots> of;
  const auto full = [&](const auto& x) { return x.size() >= for_each; };
  for (int i = 0; !std::all_of(of.begin(), of.end(), full); ++i) {
    auto name = run + '-' + std::to_string(i);
    auto& mates = of.at(subject::slot_of({"web", name}));
    if (!full(mates))
      mates.push_back(std::move(name));
  }
  std::vector<std::string> all;
  for (std::size_t round = 0; round < for_each; ++round)
    for (const auto& x : of)
      all.push_back(x[round]);
  return all;
}

void check_direct(damage& to, const sql& ask, const traffic& of) {
  const auto& x = of.direct();
  std::vector<bench::sent_message> sent;
  const std::string run = traffic::direct_run;
  for (const auto& a : x.answers()) {
    const auto& name = of.direct_users()[static_cast<std::size_t>(a.user)];
    sent.push_back({name, a.number, name + '-' + std::to_string(a.number),
                    bench::place{a.where.session.value, a.where.seq}});
  }
  std::vector<bench::stored_line> stored;
  std::istringstream rows{ask("SELECT source_id, session_id, seq FROM entry "
                              "WHERE kind = 1 AND source_id LIKE '"
                              + run + "-%'")};
  bench::stored_line one;
  while (rows >> one.id >> one.at.session >> one.at.seq)
    stored.push_back(one);
  const auto found = bench::audit(std::move(sent), stored);
  to.lost += found.lost + x.sent() - x.answered();
  to.doubled += found.duplicated;
  to.reordered += found.reordered;
  for (const auto& [what, detail] : found.examples)
    to.examples.push_back(what + ' ' + detail);
}

/// What agents saw is what the database holds.
void check_screens(verdict& to, const sql& ask, std::deque<desk>& all) {
  std::map<std::pair<std::string, std::int64_t>, std::string> stored;
  std::istringstream rows{
    ask("SELECT session_id, seq, source_id FROM entry WHERE kind = 1 AND "
        "source_id LIKE 'talk-%'")};
  std::int64_t session = 0;
  std::int64_t seq = 0;
  std::string body; // Customers' ids are what they say.
  while (rows >> session >> seq >> body)
    stored[{to_string(session_id{session}), seq}] = body;
  for (auto& x : all) {
    to.broken_screens += x.broken();
    if (const auto first = x.first_broken(); !first.empty())
      to.all.examples.push_back(first);
    to.shown += std::ssize(x.seen());
    for (const auto& [where, what] : x.seen())
      if (what.starts_with("talk-")) {
        const auto at = stored.find(where);
        if (at == stored.end() || at->second != what) {
          ++to.broken_screens;
          to.all.examples.push_back("a screen showed " + what
                                    + ", which is not stored there");
        }
      }
  }
}

} // namespace

void traffic::prepare(site& on) {
  const auto to =
    make_postgres_store(on.postgres().conninfo(), "switchboard/faults");
  queue_row talk{.id = {talk_queue}, .display_name = "Talk"};
  talk.rules.offer_time = 3s;
  static_cast<void>(to->put_queue(talk).value());
  for (int i = 0; i < agents; ++i)
    static_cast<void>(
      to->put_agent({agent_name(i)}, {.display_name = agent_name(i),
                                      .queues = {{talk_queue}},
                                      .capacity = agent_capacity})
        .value());
}

traffic::traffic(site& on)
  : wire_(on.connect("load")),
    direct_users_(users_in_all_slots(direct_run, direct_users_of_slot)) {
  for (const auto& x : direct_users_)
    direct_slots_.push_back(subject::slot_of({"web", x}));
  const auto users = static_cast<int>(direct_users_.size());
  direct_ = std::make_unique<bench::load>(
    *wire_, bench::load::options{.run = direct_run,
                                 .users = users,
                                 .names = direct_users_,
                                 .window = users,
                                 .rate = direct_rate,
                                 .patience = 250ms,
                                 .in_turn = true});
  left_ = std::make_unique<out_log>(*wire_);
  for (int i = 0; i < agents; ++i) {
    // Each begins at another node.
    auto ports = on.http_ports();
    std::rotate(ports.begin(), ports.begin() + i % site::nodes_at_rest,
                ports.end());
    desks_.emplace_back(
      desk::options{std::move(ports), on.secret(), agent_name(i)}, answers_);
  }
  direct_->start();
  buffered_ = std::make_unique<buffered_senders>(
    *wire_, users_in_all_slots(buffered_run, 1), buffered_pace);
  talking_ = std::make_unique<talkers>(
    *wire_, *left_, said_, numbered_users(talk_run, talking_users), talk_pace);
}

bool traffic::stop(std::chrono::milliseconds patience) {
  talking_->stop();
  buffered_->stop();
  return direct_->stop(patience);
}

verdict judge(site& on, traffic& x) {
  verdict v;
  const sql ask = [&](const std::string& q) { return on.ask().text(q); };
  v.quiet = wait_until_quiet(ask, traffic::buffered_run, x.buffered().count(),
                             quiet_max, v.left);
  for (auto& one : x.desks())
    one.stop();
  check_direct(v.all, ask, x);
  check_receipts(v.all, ask, x.said(), traffic::talk_run);
  check_receipts(v.all, ask, x.answers(),
                 std::string("re-") + traffic::talk_run);
  check_stored(v.all, ask, x.buffered().stored());
  check_out(v.all, x.left(), x.answers());
  check_screens(v, ask, x.desks());
  v.findings = run_verify(on.program(), on.postgres().conninfo(), on.folder());
  return v;
}

} // namespace switchboard::faults
