#include "tests/cluster/node_faults.hpp"

#include "tests/faults/witness.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace switchboard::faults {

namespace {

using namespace std::chrono_literals;
using test::flow;

constexpr auto effect_max = 20s;
constexpr auto end_max = 40s;
/// Longer than a node that can would take to renew its lease twice.
constexpr auto renewal_time = 600ms;

template <class Condition>
bool wait_for(std::chrono::milliseconds patience, const Condition& holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

/// 'T' when it is stopped, as /proc says after the name in brackets.
char state_of(int pid) {
  std::ifstream from{"/proc/" + std::to_string(pid) + "/stat"};
  std::string all;
  std::getline(from, all);
  const auto at = all.rfind(") ");
  return at == all.npos ? '?' : all[at + 2];
}

std::int64_t renewals_of(const ownership_watch::view& in,
                         const std::string& node) {
  const auto at = in.leases.find(node);
  return at == in.leases.end() ? -1 : at->second.renewals;
}

} // namespace

// -- a node in trouble --------------------------------------------------------

victim::victim(scene& in, taken& busy) : in_(in), node_(-1) {
  const auto now = in.owners.last();
  std::vector<int> able;
  for (int i = 0; i < site::nodes_at_rest; ++i)
    if (in.on.runs(i) && !busy.nodes.contains(i)
        && now.owned_by(site::name(i)) > 0)
      able.push_back(i);
  must(!able.empty(), "no node owns anything");
  node_ =
    able[static_cast<std::size_t>(in.draw(static_cast<int>(able.size())))];
  name_ = site::name(node_);
  busy.nodes.insert(node_);
}

void victim::remember() {
  before_ = in_.owners.last();
  must(before_.owned_by(name_) > 0, name_ + " owns nothing");
}

void victim::must_lose_all() {
  const auto lost = [&] {
    const auto now = in_.owners.last();
    for (std::size_t k = 0; k < membership::slots_all; ++k)
      if (before_.owner.at(k) == name_
          && (now.owner.at(k) == name_ || now.owner.at(k).empty()
              || now.epoch.at(k) <= before_.epoch.at(k)))
        return false;
    return true;
  };
  must(wait_for(effect_max, lost),
       "nobody took over all that " + name_ + " had");
}

void victim::must_not_renew() {
  const auto a = in_.owners.next(ownership_watch::steady_clock::now(), 10s);
  const auto b = in_.owners.next(a.asked_at + renewal_time, 10s);
  must(renewals_of(a, name_) == renewals_of(b, name_),
       name_ + " renews its lease");
}

void victim::count_lines() {
  over_.clear();
  const auto now = in_.owners.next(ownership_watch::steady_clock::now(), 60s);
  for (std::size_t k = 0; k < membership::slots_all; ++k)
    if (before_.owner.at(k) == name_ && now.epoch.at(k) > before_.epoch.at(k))
      over_ += (over_.empty() ? "(" : ",(") + std::to_string(k) + ','
               + std::to_string(before_.epoch.at(k)) + ')';
  lines_ = lines();
}

std::int64_t victim::lines() const {
  if (over_.empty())
    return 0;
  return in_.on.ask().number(
    "SELECT count(*) FROM entry e JOIN session s ON s.id = e.session_id WHERE "
    "(s.slot, e.epoch) IN ("
    + over_ + ")");
}

void victim::must_not_have_written() const {
  const auto more = lines() - lines_;
  if (more != 0)
    throw std::runtime_error(name_ + " wrote " + std::to_string(more)
                             + " lines after others had taken over");
}

namespace {

// -- killed, frozen -----------------------------------------------------------

class node_killed final : public fault {
public:
  node_killed(scene& in, taken& busy) : in_(in), who_(in, busy) {}

  void begin() override {
    who_.remember();
    const auto pid = in_.on.pid(who_.node());
    const class witness open { in_.on.http_port(who_.node()) };
    in_.on.kill(who_.node());
    strike();
    must(!exists(pid), "the killed node still runs");
    must(!open.connected() || open.broken(),
         "a connection to the killed node still stands");
  }
  void witness() override { who_.must_lose_all(); }
  void end() override { in_.on.start(who_.node()); }
  std::string text() const override { return "kill " + who_.name(); }

private:
  scene& in_;
  victim who_;
};

class node_frozen final : public fault {
public:
  node_frozen(scene& in, taken& busy) : in_(in), who_(in, busy) {}

  void begin() override {
    who_.remember();
    in_.on.signal(who_.node(), SIGSTOP);
    strike();
    must(wait_for(1s, [&] { return state_of(in_.on.pid(who_.node())) == 'T'; }),
         who_.name() + " is not frozen");
  }
  void witness() override {
    who_.must_not_renew();
    who_.must_lose_all();
  }
  void end() override {
    who_.count_lines();
    in_.on.signal(who_.node(), SIGCONT);
    must(wait_for(1s, [&] { return state_of(in_.on.pid(who_.node())) != 'T'; }),
         who_.name() + " stays frozen");
  }
  void look_back() override { who_.must_not_have_written(); }
  std::string text() const override { return "freeze " + who_.name(); }

private:
  scene& in_;
  victim who_;
};

// -- planned ------------------------------------------------------------------

/// Tells a node to end and waits for it.
void must_end(scene& in, int node) {
  const auto code = in.on.wait(node, end_max);
  must(code.has_value(), site::name(node) + " does not end when told to");
  must(*code == 0, site::name(node) + " ended with " + std::to_string(*code));
}

class node_restarted final : public fault {
public:
  node_restarted(scene& in, taken& busy) : in_(in), who_(in, busy) {}

  void begin() override {
    who_.remember();
    strike();
    in_.on.signal(who_.node(), SIGTERM);
    must_end(in_, who_.node());
  }
  void witness() override {
    who_.must_lose_all();
    must(!in_.owners.next(steady_clock::now(), effect_max)
            .leases.contains(who_.name()),
         "the lease of " + who_.name() + " is still there");
  }
  void end() override { in_.on.start(who_.node()); }
  std::string text() const override { return "restart " + who_.name(); }

private:
  scene& in_;
  victim who_;
};

class node_joins final : public fault {
public:
  static constexpr int node = site::nodes_max - 1;

  node_joins(scene& in, taken& busy) : in_(in) {
    must(!busy.nodes.contains(node), "the further node is there already");
    busy.nodes.insert(node);
  }

  void begin() override {
    in_.on.start(node);
    strike();
    must(wait_for(effect_max, [&] { return owned() > 0; }),
         "the node that came owns nothing");
  }
  void witness() override {
    must(in_.on.wait_balanced(effect_max), "the nodes do not share the slots");
  }
  void end() override {
    in_.on.signal(node, SIGTERM);
    must_end(in_, node);
    must(wait_for(effect_max, [&] { return owned() == 0; }),
         "the node that left still owns slots");
  }
  std::string text() const override { return "join " + site::name(node); }

private:
  int owned() const { return in_.owners.last().owned_by(site::name(node)); }

  scene& in_;
};

/// A node gives its slots away, and the first to whom it gave one dies while it
/// is still giving.
class taker_killed final : public fault {
public:
  taker_killed(scene& in, taken& busy) : in_(in), giver_(in, busy) {
    for (int i = 0; i < site::nodes_max; ++i)
      busy.nodes.insert(i); // Nobody else may be missing meanwhile.
  }

  void begin() override {
    giver_.remember();
    in_.on.signal(giver_.node(), SIGTERM);
    must(wait_for_taker(), "nothing was handed over");
    in_.on.kill(taker_);
    strike();
    left_ = in_.on.ask().number("SELECT count(*) FROM slot WHERE owner = '"
                                + giver_.name() + "'");
    must(in_.on.runs(giver_.node()), giver_.name() + " ended too early");
  }
  void witness() override {
    giver_.must_lose_all();
    must_end(in_, giver_.node());
    must(wait_for(
           effect_max,
           [&] { return in_.owners.last().owned_by(site::name(taker_)) == 0; }),
         "nobody took over from the dead taker");
  }
  void end() override {
    in_.on.start(taker_);
    in_.on.start(giver_.node());
  }
  std::string text() const override {
    return "drain " + giver_.name()
           + (taker_ < 0 ? std::string{}
                         : ", kill its taker " + site::name(taker_) + " with "
                             + std::to_string(left_) + " slots to go");
  }

private:
  bool wait_for_taker() {
    std::string mine = "''";
    const auto before = in_.on.ask().ask("SELECT slot FROM slot WHERE owner = '"
                                         + giver_.name() + "'");
    mine.clear();
    for (const auto& row : before)
      mine += (mine.empty() ? "" : ",") + row[0];
    const auto until = steady_clock::now() + 10s;
    while (steady_clock::now() < until) {
      const auto gone =
        in_.on.ask().ask("SELECT owner FROM slot WHERE slot IN (" + mine
                         + ") AND owner <> '" + giver_.name() + "' LIMIT 1");
      if (!gone.empty() && gone[0][0].size() == 2) {
        taker_ = gone[0][0][1] - '0';
        return true;
      }
    }
    return false;
  }

  scene& in_;
  victim giver_;
  int taker_ = -1;
  std::int64_t left_ = 0;
};

// -- links --------------------------------------------------------------------

class link_fault final : public fault {
public:
  link_fault(fault_kind kind, scene& in, taken& busy)
    : kind_(kind), in_(in), who_(in, busy), lossy_(in.draw(2) == 0) {
    links_ = to_postgres() ? std::vector{&in_.on.to_postgres(who_.node())}
                           : in_.on.to_nats(who_.node());
  }

  void begin() override {
    who_.remember();
    const auto before = sum();
    const auto how = lossy_ ? flow::drop : flow::hold;
    for (auto* x : links_)
      switch (kind_) {
        case fault_kind::postgres_cut:
        case fault_kind::nats_cut: x->cut(); break;
        case fault_kind::postgres_mute:
        case fault_kind::nats_mute: x->disturb(how, flow::pass); break;
        case fault_kind::postgres_deaf:
        case fault_kind::nats_deaf: x->disturb(flow::pass, how); break;
        default: x->delay(20ms); break;
      }
    strike();
    must(wait_for(5s, [&] { return disturbed(before); }),
         text() + ": the link is as it was");
  }

  void witness() override {
    if (kind_ == fault_kind::postgres_slow)
      return; // It may keep its slots, or lose them.
    if (to_postgres())
      who_.must_not_renew();
    who_.must_lose_all();
  }

  void end() override {
    who_.count_lines();
    for (auto* x : links_)
      x->heal();
  }
  void look_back() override { who_.must_not_have_written(); }

  std::string text() const override {
    return std::string(name_of(kind_).name) + ' ' + who_.name()
           + (one_way() ? lossy_ ? ", dropped" : ", held" : "");
  }

private:
  bool to_postgres() const {
    return kind_ == fault_kind::postgres_cut
           || kind_ == fault_kind::postgres_mute
           || kind_ == fault_kind::postgres_deaf
           || kind_ == fault_kind::postgres_slow;
  }
  bool one_way() const {
    return kind_ == fault_kind::postgres_mute
           || kind_ == fault_kind::postgres_deaf
           || kind_ == fault_kind::nats_mute || kind_ == fault_kind::nats_deaf;
  }

  tcp_link::counts sum() const {
    tcp_link::counts all;
    for (const auto* x : links_) {
      const auto one = x->now();
      all.open += one.open;
      all.up_kept += one.up_kept;
      all.down_kept += one.down_kept;
      all.delayed += one.delayed;
    }
    return all;
  }

  bool disturbed(const tcp_link::counts& before) const {
    const auto now = sum();
    switch (kind_) {
      case fault_kind::postgres_cut:
      case fault_kind::nats_cut:
        for (const auto* x : links_)
          if (!refuses(x->port()))
            return false;
        return now.open == 0;
      case fault_kind::postgres_mute:
      case fault_kind::nats_mute:
        return now.open > 0 && now.up_kept > before.up_kept;
      case fault_kind::postgres_deaf:
      case fault_kind::nats_deaf:
        return now.open > 0 && now.down_kept > before.down_kept;
      default: return now.delayed > before.delayed;
    }
  }

  fault_kind kind_;
  scene& in_;
  victim who_;
  bool lossy_;
  std::vector<tcp_link*> links_;
};

} // namespace

std::unique_ptr<fault> make_node_killed(scene& in, taken& busy) {
  return std::make_unique<node_killed>(in, busy);
}

std::unique_ptr<fault> make_node_frozen(scene& in, taken& busy) {
  return std::make_unique<node_frozen>(in, busy);
}

std::unique_ptr<fault> make_node_restarted(scene& in, taken& busy) {
  return std::make_unique<node_restarted>(in, busy);
}

std::unique_ptr<fault> make_node_joins(scene& in, taken& busy) {
  return std::make_unique<node_joins>(in, busy);
}

std::unique_ptr<fault> make_taker_killed(scene& in, taken& busy) {
  return std::make_unique<taker_killed>(in, busy);
}

std::unique_ptr<fault> make_link_fault(fault_kind kind, scene& in,
                                       taken& busy) {
  return std::make_unique<link_fault>(kind, in, busy);
}

} // namespace switchboard::faults
