#include "tests/faults/checks.hpp"

#include "config/child_process.hpp"

#include <map>
#include <sstream>
#include <thread>
#include <unordered_map>
#include <utility>

namespace switchboard::faults {

namespace {

/// "re-talk-3-17" -> ("re-talk-3", 17)
numbered split(const std::string& name) {
  const auto dash = name.rfind('-');
  return {name.substr(0, dash), std::stoll(name.substr(dash + 1))};
}

struct place {
  std::int64_t session = 0;
  std::int32_t seq = 0;
};

/// The messages whose ids begin so, in the order of the log.
std::vector<std::pair<std::string, place>> entries(const sql& ask,
                                                   const std::string& prefix) {
  std::istringstream rows{
    ask("SELECT source_id, session_id, seq FROM entry WHERE source_id "
        "LIKE '"
        + prefix + "-%' ORDER BY session_id, seq")};
  std::vector<std::pair<std::string, place>> all;
  std::string id;
  place at;
  while (rows >> id >> at.session >> at.seq)
    all.emplace_back(id, at);
  return all;
}

/// Notes what came after a higher number of the same user.
class order {
public:
  void see(damage& to, const std::string& name) {
    const auto x = split(name);
    auto& last = last_[x.user];
    if (x.number < last)
      to.note(to.reordered, name + " after " + std::to_string(last));
    last = std::max(last, x.number);
  }

private:
  std::unordered_map<std::string, std::int64_t> last_;
};

} // namespace

bool wait_until_quiet(const sql& ask, const std::string& run,
                      std::int64_t stored, std::chrono::seconds patience,
                      rest& left) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    std::istringstream row{
      ask("SELECT (SELECT count(*) FROM entry WHERE source_id LIKE '" + run
          + "-%'), (SELECT count(*) FROM outbox)")};
    std::int64_t read = 0;
    row >> read >> left.unsent;
    left.unread = stored - read;
    if (left.unread <= 0 && left.unsent == 0)
      return true;
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
}

void check_receipts(damage& to, const sql& ask, const ledger& receipts,
                    const std::string& prefix) {
  std::unordered_map<std::string, place> found;
  order in_order;
  for (const auto& [id, at] : entries(ask, prefix)) {
    if (!found.emplace(id, at).second)
      to.note(to.doubled, id);
    in_order.see(to, id);
  }
  for (const auto& [id, where] : receipts.all()) {
    const auto at = found.find(id);
    if (at == found.end() || at->second.session != where.session.value
        || at->second.seq != where.seq)
      to.note(to.lost, id + " is not where its receipt says");
  }
  to.doubled += receipts.doubled();
}

void check_stored(damage& to, const sql& ask,
                  const std::vector<numbered>& stored) {
  for (const auto& x : stored) {
    std::unordered_map<std::string, int> times;
    order in_order;
    for (const auto& [id, at] : entries(ask, x.user)) {
      if (++times[id] > 1)
        to.note(to.doubled, id);
      in_order.see(to, id);
    }
    for (std::int64_t n = 1; n <= x.number; ++n)
      if (const numbered one{x.user, n}; !times.contains(one.name()))
        to.note(to.lost, one.name() + " was stored and never read");
  }
}

void check_out(damage& to, const out_log& left, const ledger& answers) {
  std::unordered_map<std::string, int> times;
  order in_order;
  for (const auto& x : left.lines()) {
    // Repetitions carry the id of the first; a second id is a second message.
    if (++times[x.body] > 1)
      to.note(to.doubled, x.body + " left under two ids");
    in_order.see(to, x.body);
  }
  for (const auto& [id, where] : answers.all())
    if (!times.contains(id))
      to.note(to.lost, id + " was committed and has not left");
  if (left.broken() > 0)
    to.note(to.doubled, "an id left with two contents, or without an id");
}

std::string run_verify(const std::string& program, const std::string& conninfo,
                       const std::string& folder) {
  const auto done =
    run_process({.command = {program, "verify"},
                 .environment = {"SWITCHBOARD_POSTGRES_URL=" + conninfo},
                 .directory = folder});
  return done.exit_code == 0 ? "" : done.output;
}

} // namespace switchboard::faults
