// The life of a session, every phase with every event. The table is the
// specification; `switchboard_tests "[.print-session]"` prints it as the
// machine behaves, to be read before it replaces this one.
#include "tests/support/session_words.hpp"
#include "tests/support/table.hpp"

#include <catch2/catch.hpp>

#include <iomanip>
#include <iostream>
#include <set>

using namespace switchboard;
using namespace switchboard::session;
using namespace switchboard::session::words;

namespace {

/// ann has the session, bob is asked, cas is a bystander. A line of the log
/// stands for its entry and the save of the state.
constexpr std::string_view table = R"(
new            | customer_said    | append customer, answer ok, log queued, find_agent | queued
new            | customer_left    | answer wrong_phase | new
new            | agent_said       | answer stale_owner | new
new            | agent_said stale | answer stale_owner | new
new            | agent_said cas   | answer stale_owner | new
new            | agent_noted      | answer stale_owner | new
new            | granted          | end_offer cas not_needed, leave_queue | new
new            | picked           | end_offer cas not_needed, leave_queue | new
new            | accepted         | answer stale_owner | new
new            | accepted stale   | answer stale_owner | new
new            | declined         | answer stale_owner | new
new            | withdrawn        | ignore | new
new            | agent_lost       | ignore | new
new            | agent_lost cas   | ignore | new
new            | transfer_asked   | answer stale_owner | new
new            | hold_asked       | answer stale_owner | new
new            | resume_asked     | answer stale_owner | new
new            | close_asked      | answer stale_owner | new
new            | wrapped_up       | answer wrong_phase | new
new            | timer            | ignore | new
new            | timer old        | ignore | new
new            | revived          | - | new
new            | placed           | ignore | new

queued         | customer_said    | append customer, answer ok | queued
queued         | customer_left    | log closed, leave_queue, answer ok | closed
queued         | agent_said       | answer stale_owner | queued
queued         | agent_said stale | answer stale_owner | queued
queued         | agent_said cas   | answer stale_owner | queued
queued         | agent_noted      | answer stale_owner | queued
queued         | granted          | log offered, offer cas, wake +20s, leave_queue | offered ? cas
queued         | picked           | log assigned, assign cas, wake +60s, leave_queue | active cas
queued         | accepted         | answer stale_owner | queued
queued         | accepted stale   | answer stale_owner | queued
queued         | declined         | answer stale_owner | queued
queued         | withdrawn        | ignore | queued
queued         | agent_lost       | ignore | queued
queued         | agent_lost cas   | ignore | queued
queued         | transfer_asked   | answer stale_owner | queued
queued         | hold_asked       | answer stale_owner | queued
queued         | resume_asked     | answer stale_owner | queued
queued         | close_asked      | answer stale_owner | queued
queued         | wrapped_up       | answer wrong_phase | queued
queued         | timer            | - | queued
queued         | timer old        | ignore | queued
queued         | revived          | find_agent | queued
queued         | placed           | tell_place 3 | queued

offered        | customer_said    | append customer, answer ok | offered ? bob
offered        | customer_left    | end_offer bob closed, log closed, answer ok | closed
offered        | agent_said       | answer stale_owner | offered ? bob
offered        | agent_said stale | answer stale_owner | offered ? bob
offered        | agent_said cas   | answer stale_owner | offered ? bob
offered        | agent_noted      | answer stale_owner | offered ? bob
offered        | granted          | end_offer cas not_needed, leave_queue | offered ? bob
offered        | picked           | end_offer cas not_needed, leave_queue | offered ? bob
offered        | accepted         | log assigned, assign bob, wake +60s, answer ok | active bob
offered        | accepted stale   | answer stale_owner | offered ? bob
offered        | declined         | log declined, end_offer bob declined, find_agent, answer ok | queued
offered        | withdrawn        | log withdrawn, end_offer bob withdrawn, find_agent | queued
offered        | agent_lost       | ignore | offered ? bob
offered        | agent_lost cas   | ignore | offered ? bob
offered        | transfer_asked   | answer stale_owner | offered ? bob
offered        | hold_asked       | answer stale_owner | offered ? bob
offered        | resume_asked     | answer stale_owner | offered ? bob
offered        | close_asked      | answer stale_owner | offered ? bob
offered        | wrapped_up       | answer wrong_phase | offered ? bob
offered        | timer            | log timed_out, end_offer bob timed_out, find_agent | queued
offered        | timer old        | ignore | offered ? bob
offered        | revived          | offer bob, wake +0s | offered ? bob
offered        | placed           | ignore | offered ? bob

offered two    | customer_said    | append customer, answer ok | offered ? bob ? dan
offered two    | customer_left    | end_offer bob closed, end_offer dan closed, log closed, leave_queue, answer ok | closed
offered two    | agent_said       | answer stale_owner | offered ? bob ? dan
offered two    | agent_said stale | answer stale_owner | offered ? bob ? dan
offered two    | agent_said cas   | answer stale_owner | offered ? bob ? dan
offered two    | agent_noted      | answer stale_owner | offered ? bob ? dan
offered two    | granted          | log offered, offer cas, wake +0s, leave_queue | offered ? bob ? dan ? cas
offered two    | picked           | end_offer bob taken, end_offer dan taken, log assigned, assign cas, wake +60s, leave_queue | active cas
offered two    | accepted         | leave_queue, end_offer dan taken, log assigned, assign bob, wake +60s, answer ok | active bob
offered two    | accepted stale   | answer stale_owner | offered ? bob ? dan
offered two    | declined         | log declined, end_offer bob declined, wake +10s, find_agent, answer ok | offered ? dan
offered two    | withdrawn        | log withdrawn, end_offer bob withdrawn, wake +10s, find_agent | offered ? dan
offered two    | agent_lost       | ignore | offered ? bob ? dan
offered two    | agent_lost cas   | ignore | offered ? bob ? dan
offered two    | transfer_asked   | answer stale_owner | offered ? bob ? dan
offered two    | hold_asked       | answer stale_owner | offered ? bob ? dan
offered two    | resume_asked     | answer stale_owner | offered ? bob ? dan
offered two    | close_asked      | answer stale_owner | offered ? bob ? dan
offered two    | wrapped_up       | answer wrong_phase | offered ? bob ? dan
offered two    | timer            | log timed_out, end_offer bob timed_out, wake +10s, find_agent | offered ? dan
offered two    | timer old        | ignore | offered ? bob ? dan
offered two    | revived          | find_agent, offer bob, offer dan, wake +0s | offered ? bob ? dan
offered two    | placed           | tell_place 3 | offered ? bob ? dan

active         | customer_said    | append customer, answer ok, show ann | active ann
active         | customer_left    | log closed, unassign ann, answer ok | closed
active         | agent_said       | append agent, save, send_out, answer ok, show ann | active ann
active         | agent_said stale | answer stale_owner | active ann
active         | agent_said cas   | answer stale_owner | active ann
active         | agent_noted      | append note, answer ok, show ann | active ann
active         | granted          | end_offer cas not_needed, leave_queue | active ann
active         | picked           | end_offer cas not_needed, leave_queue | active ann
active         | accepted         | answer stale_owner | active ann
active         | accepted stale   | answer stale_owner | active ann
active         | declined         | answer stale_owner | active ann
active         | withdrawn        | ignore | active ann
active         | agent_lost       | log agent_lost, unassign ann, find_agent | queued
active         | agent_lost cas   | ignore | active ann
active         | transfer_asked   | append note, log transfer_asked, answer ok, find_agent, wake +60s | transferring ann
active         | hold_asked       | log held, answer ok | held ann
active         | resume_asked     | answer wrong_phase | active ann
active         | close_asked      | log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
active         | wrapped_up       | answer wrong_phase | active ann
active         | timer            | log reply_due, remind ann, wake +60s | active ann
active         | timer old        | ignore | active ann
active         | revived          | assign ann, wake +60s | active ann
active         | placed           | ignore | active ann

overdue        | customer_said    | append customer, answer ok, show ann | active ann
overdue        | customer_left    | log closed, unassign ann, answer ok | closed
overdue        | agent_said       | append agent, save, send_out, answer ok, show ann | active ann
overdue        | agent_said stale | answer stale_owner | active ann
overdue        | agent_said cas   | answer stale_owner | active ann
overdue        | agent_noted      | append note, answer ok, show ann | active ann
overdue        | granted          | end_offer cas not_needed, leave_queue | active ann
overdue        | picked           | end_offer cas not_needed, leave_queue | active ann
overdue        | accepted         | answer stale_owner | active ann
overdue        | accepted stale   | answer stale_owner | active ann
overdue        | declined         | answer stale_owner | active ann
overdue        | withdrawn        | ignore | active ann
overdue        | agent_lost       | log agent_lost, unassign ann, find_agent | queued
overdue        | agent_lost cas   | ignore | active ann
overdue        | transfer_asked   | append note, log transfer_asked, answer ok, find_agent, wake +60s | transferring ann
overdue        | hold_asked       | log held, answer ok | held ann
overdue        | resume_asked     | answer wrong_phase | active ann
overdue        | close_asked      | log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
overdue        | wrapped_up       | answer wrong_phase | active ann
overdue        | timer            | log reply_missed, unassign ann, find_agent | queued
overdue        | timer old        | ignore | active ann
overdue        | revived          | assign ann, wake +60s | active ann
overdue        | placed           | ignore | active ann

quiet          | customer_said    | append customer, answer ok, save, assign ann, wake +600s, show ann | active ann
quiet          | customer_left    | log closed, unassign ann, answer ok | closed
quiet          | agent_said       | append agent, send_out, answer ok, save, assign ann, wake +600s, show ann | active ann
quiet          | agent_said stale | answer stale_owner | active ann
quiet          | agent_said cas   | answer stale_owner | active ann
quiet          | agent_noted      | append note, answer ok, show ann | active ann
quiet          | granted          | end_offer cas not_needed, leave_queue | active ann
quiet          | picked           | end_offer cas not_needed, leave_queue | active ann
quiet          | accepted         | answer stale_owner | active ann
quiet          | accepted stale   | answer stale_owner | active ann
quiet          | declined         | answer stale_owner | active ann
quiet          | withdrawn        | ignore | active ann
quiet          | agent_lost       | log agent_lost, unassign ann, find_agent | queued
quiet          | agent_lost cas   | ignore | active ann
quiet          | transfer_asked   | append note, log transfer_asked, answer ok, assign ann, find_agent, wake +60s | transferring ann
quiet          | hold_asked       | log held, answer ok, assign ann | held ann
quiet          | resume_asked     | answer wrong_phase | active ann
quiet          | close_asked      | log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
quiet          | wrapped_up       | answer wrong_phase | active ann
quiet          | timer            | - | active ann
quiet          | timer old        | ignore | active ann
quiet          | revived          | assign ann | active ann
quiet          | placed           | ignore | active ann

held           | customer_said    | append customer, answer ok, show ann | held ann
held           | customer_left    | log closed, unassign ann, answer ok | closed
held           | agent_said       | answer wrong_phase | held ann
held           | agent_said stale | answer stale_owner | held ann
held           | agent_said cas   | answer stale_owner | held ann
held           | agent_noted      | append note, answer ok, show ann | held ann
held           | granted          | end_offer cas not_needed, leave_queue | held ann
held           | picked           | end_offer cas not_needed, leave_queue | held ann
held           | accepted         | answer stale_owner | held ann
held           | accepted stale   | answer stale_owner | held ann
held           | declined         | answer stale_owner | held ann
held           | withdrawn        | ignore | held ann
held           | agent_lost       | log agent_lost, unassign ann, find_agent | queued
held           | agent_lost cas   | ignore | held ann
held           | transfer_asked   | answer wrong_phase | held ann
held           | hold_asked       | answer wrong_phase | held ann
held           | resume_asked     | log resumed, answer ok, wake +60s | active ann
held           | close_asked      | log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
held           | wrapped_up       | answer wrong_phase | held ann
held           | timer            | ignore | held ann
held           | timer old        | ignore | held ann
held           | revived          | assign ann | held ann
held           | placed           | ignore | held ann

transferring   | customer_said    | append customer, answer ok, show ann | transferring ann
transferring   | customer_left    | log closed, leave_queue, unassign ann, answer ok | closed
transferring   | agent_said       | append agent, send_out, answer ok, show ann | transferring ann
transferring   | agent_said stale | answer stale_owner | transferring ann
transferring   | agent_said cas   | answer stale_owner | transferring ann
transferring   | agent_noted      | append note, answer ok, show ann | transferring ann
transferring   | granted          | log offered, offer cas, wake +0s, leave_queue | transferring ann ? cas
transferring   | picked           | log transferred, unassign ann, assign cas, wake +60s, leave_queue | active cas
transferring   | accepted         | answer stale_owner | transferring ann
transferring   | accepted stale   | answer stale_owner | transferring ann
transferring   | declined         | answer stale_owner | transferring ann
transferring   | withdrawn        | ignore | transferring ann
transferring   | agent_lost       | log agent_lost, unassign ann, find_agent | queued
transferring   | agent_lost cas   | ignore | transferring ann
transferring   | transfer_asked   | answer wrong_phase | transferring ann
transferring   | hold_asked       | answer wrong_phase | transferring ann
transferring   | resume_asked     | answer wrong_phase | transferring ann
transferring   | close_asked      | leave_queue, log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
transferring   | wrapped_up       | answer wrong_phase | transferring ann
transferring   | timer            | log transfer_returned, leave_queue, wake +600s | active ann
transferring   | timer old        | ignore | transferring ann
transferring   | revived          | find_agent, assign ann, wake +0s | transferring ann
transferring   | placed           | ignore | transferring ann

transfer_asked | customer_said    | append customer, answer ok, show ann | transferring ann ? bob
transfer_asked | customer_left    | end_offer bob closed, log closed, unassign ann, answer ok | closed
transfer_asked | agent_said       | append agent, send_out, answer ok, show ann | transferring ann ? bob
transfer_asked | agent_said stale | answer stale_owner | transferring ann ? bob
transfer_asked | agent_said cas   | answer stale_owner | transferring ann ? bob
transfer_asked | agent_noted      | append note, answer ok, show ann | transferring ann ? bob
transfer_asked | granted          | end_offer cas not_needed, leave_queue | transferring ann ? bob
transfer_asked | picked           | end_offer cas not_needed, leave_queue | transferring ann ? bob
transfer_asked | accepted         | log transferred, unassign ann, assign bob, wake +60s, answer ok | active bob
transfer_asked | accepted stale   | answer stale_owner | transferring ann ? bob
transfer_asked | declined         | log declined, end_offer bob declined, wake +60s, find_agent, answer ok | transferring ann
transfer_asked | withdrawn        | log withdrawn, end_offer bob withdrawn, wake +60s, find_agent | transferring ann
transfer_asked | agent_lost       | end_offer bob agent_lost, log agent_lost, unassign ann, find_agent | queued
transfer_asked | agent_lost cas   | ignore | transferring ann ? bob
transfer_asked | transfer_asked   | answer wrong_phase | transferring ann ? bob
transfer_asked | hold_asked       | answer wrong_phase | transferring ann ? bob
transfer_asked | resume_asked     | answer wrong_phase | transferring ann ? bob
transfer_asked | close_asked      | end_offer bob closed, log wrapping_up, answer ok, wake +60s, assign ann | wrap_up ann
transfer_asked | wrapped_up       | answer wrong_phase | transferring ann ? bob
transfer_asked | timer            | log timed_out, end_offer bob timed_out, wake +60s, find_agent | transferring ann
transfer_asked | timer old        | ignore | transferring ann ? bob
transfer_asked | revived          | assign ann, offer bob, wake +0s | transferring ann ? bob
transfer_asked | placed           | ignore | transferring ann ? bob

wrap_up        | customer_said    | append customer, answer ok, log reopened, assign ann, wake +60s, show ann | active ann
wrap_up        | customer_left    | log closed, unassign ann, answer ok | closed
wrap_up        | agent_said       | answer stale_owner | wrap_up ann
wrap_up        | agent_said stale | answer stale_owner | wrap_up ann
wrap_up        | agent_said cas   | answer stale_owner | wrap_up ann
wrap_up        | agent_noted      | append note, answer ok, show ann | wrap_up ann
wrap_up        | granted          | end_offer cas not_needed, leave_queue | wrap_up ann
wrap_up        | picked           | end_offer cas not_needed, leave_queue | wrap_up ann
wrap_up        | accepted         | answer stale_owner | wrap_up ann
wrap_up        | accepted stale   | answer stale_owner | wrap_up ann
wrap_up        | declined         | answer stale_owner | wrap_up ann
wrap_up        | withdrawn        | ignore | wrap_up ann
wrap_up        | agent_lost       | log closed, unassign ann | closed
wrap_up        | agent_lost cas   | ignore | wrap_up ann
wrap_up        | transfer_asked   | answer stale_owner | wrap_up ann
wrap_up        | hold_asked       | answer stale_owner | wrap_up ann
wrap_up        | resume_asked     | answer stale_owner | wrap_up ann
wrap_up        | close_asked      | answer stale_owner | wrap_up ann
wrap_up        | wrapped_up       | log closed, unassign ann, answer ok | closed
wrap_up        | timer            | log closed, unassign ann | closed
wrap_up        | timer old        | ignore | wrap_up ann
wrap_up        | revived          | assign ann, wake +0s | wrap_up ann
wrap_up        | placed           | ignore | wrap_up ann

closed         | customer_said    | answer wrong_phase | closed
closed         | customer_left    | answer wrong_phase | closed
closed         | agent_said       | answer stale_owner | closed
closed         | agent_said stale | answer stale_owner | closed
closed         | agent_said cas   | answer stale_owner | closed
closed         | agent_noted      | answer stale_owner | closed
closed         | granted          | end_offer cas not_needed, leave_queue | closed
closed         | picked           | end_offer cas not_needed, leave_queue | closed
closed         | accepted         | answer stale_owner | closed
closed         | accepted stale   | answer stale_owner | closed
closed         | declined         | answer stale_owner | closed
closed         | withdrawn        | ignore | closed
closed         | agent_lost       | ignore | closed
closed         | agent_lost cas   | ignore | closed
closed         | transfer_asked   | answer stale_owner | closed
closed         | hold_asked       | answer stale_owner | closed
closed         | resume_asked     | answer stale_owner | closed
closed         | close_asked      | answer stale_owner | closed
closed         | wrapped_up       | answer wrong_phase | closed
closed         | timer            | ignore | closed
closed         | timer old        | ignore | closed
closed         | revived          | - | closed
closed         | placed           | ignore | closed
)";

rules with_wrap_up() {
  rules r;
  r.wrap_up_time = 60s;
  return r;
}

struct row {
  std::string given;
  std::string happened;
  std::string effects;
  std::string then;

  friend bool operator==(const row&, const row&) = default;
};

row what_happens(const std::string& given, const std::string& happened) {
  auto s = givens().at(given);
  for (const auto& [name, what] : events(s))
    if (name == happened) {
      const auto todo = apply(s, what, with_wrap_up(), noon);
      return {given, happened, say(todo), say(s)};
    }
  return {given, happened, "no such event", ""};
}

} // namespace

TEST_CASE("a session does in every phase what the table says", "[session]") {
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& cells : test::rows_of(table)) {
    REQUIRE(cells.size() == 4);
    const row expected{cells[0], cells[1], cells[2], cells[3]};
    REQUIRE(givens().contains(expected.given));
    const auto got = what_happens(expected.given, expected.happened);
    INFO(expected.given << ", " << expected.happened);
    CHECK(got.effects == expected.effects);
    CHECK(got.then == expected.then);
    CHECK(seen.insert({expected.given, expected.happened}).second);
  }
  CHECK(seen.size() == givens().size() * events({}).size());
}

TEST_CASE("prints the table of the session", "[.print-session]") {
  for (const auto* given :
       {"new", "queued", "offered", "offered two", "active", "overdue", "quiet",
        "held", "transferring", "transfer_asked", "wrap_up", "closed"})
    for (const auto& [name, what] : events({})) {
      const auto x = what_happens(given, name);
      std::cout << std::left << std::setw(14) << given << " | " << std::setw(16)
                << name << " | " << x.effects << " | " << x.then << '\n';
    }
}
