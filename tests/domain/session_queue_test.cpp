// The wait in queues, as stories: a row with a name begins with a new session
// under these rules, the rows below go on with it. Times count from 08:00 UTC.
#include "tests/support/session_words.hpp"
#include "tests/support/table.hpp"

#include <catch2/catch.hpp>

#include <iomanip>
#include <iostream>

using namespace switchboard;
using namespace switchboard::session;
using namespace switchboard::session::words;

namespace {

/// All queues of a story have the same rules.
constexpr std::string_view table = R"(
# Closed at eight, open from nine to six. Told once, whatever else they write.
hours           | 0     | customer_said | append customer, answer ok, log queued, append bot, send_out, log queue_closed, wake +3600s | default, outside
                | 60    | customer_said | append customer, answer ok | default, outside
                | 90    | revived       | wake +3600s | default, outside
                | 3600  | timer         | log queue_opened, find_agent, wake +36000s | default, in line
                | 3700  | granted       | log offered, offer cas, wake +3720s, leave_queue | default, in line no more
                | 3720  | timer         | log timed_out, end_offer cas timed_out, find_agent, wake +36000s | default, in line
                | 36000 | timer         | append bot, send_out, log queue_closed, leave_queue, wake +90000s | default, outside
                | 90000 | timer         | log queue_opened, find_agent, wake +122400s | default, in line
# A place that was kept free for somebody outside is given back.
hours           | 0     | customer_said | append customer, answer ok, log queued, append bot, send_out, log queue_closed, wake +3600s | default, outside
                | 1     | granted       | end_offer cas not_needed, leave_queue | default, outside
                | 2     | picked        | end_offer cas not_needed, leave_queue | default, outside
                | 3     | customer_left | log closed, answer ok | closed
# Closed: to another queue, which is closed as well, and goes nowhere else.
closed to sales | 0     | customer_said | append customer, answer ok, log queued, log overflowed, wake +0s, find_agent | sales, in line
                | 0     | timer         | append bot, send_out, log queue_closed, leave_queue, wake +3600s | sales, outside
# Closed: one agent may have them, and nobody else.
closed but eve  | 0     | customer_said | append customer, answer ok, log queued, append bot, send_out, log queue_closed, log receiver_called, find_agent, wake +3600s | default, only eve
                | 10    | granted       | log offered, offer cas, wake +30s, leave_queue | default, in line no more
                | 30    | timer         | log timed_out, end_offer cas timed_out, find_agent, wake +3600s | default, only eve
                | 3600  | timer         | log queue_opened, find_agent, wake +36000s | default, in line
# Two minutes in vain: to another queue, and no further.
overflow        | 0     | customer_said | append customer, answer ok, log queued, find_agent, wake +120s | default, in line
                | 60    | timer         | wake +120s | default, in line
                | 120   | timer         | log overflowed, wake +120s, find_agent | sales, in line
                | 120   | timer         | - | sales, in line
                | 900   | timer         | - | sales, in line
# Without another queue the receiver may have it besides.
eve             | 0     | customer_said | append customer, answer ok, log queued, find_agent, wake +120s | default, in line
                | 120   | timer         | log receiver_called, find_agent | default, in line and eve
                | 130   | granted       | log offered, offer cas, wake +150s, leave_queue | default, in line no more
                | 150   | timer         | log timed_out, end_offer cas timed_out, find_agent | default, in line and eve
                | 160   | picked        | log assigned, assign cas, wake +220s, leave_queue | default, in line no more
# First the other queue, then, after as long again, the receiver.
sales then eve  | 0     | customer_said | append customer, answer ok, log queued, find_agent, wake +120s | default, in line
                | 120   | timer         | log overflowed, wake +120s, find_agent | sales, in line
                | 120   | timer         | wake +240s | sales, in line
                | 240   | timer         | log receiver_called, find_agent | sales, in line and eve
# Silent for a minute: asked, and not offered until they answer.
probe           | 0     | customer_said | append customer, answer ok, log queued, find_agent, wake +60s | default, in line
                | 50    | customer_said | append customer, answer ok | default, in line
                | 60    | timer         | wake +110s | default, in line
                | 110   | timer         | append bot, send_out, log probed, leave_queue, wake +140s | default, outside
                | 120   | granted       | end_offer cas not_needed, leave_queue | default, outside
                | 125   | timer         | wake +140s | default, outside
                | 130   | customer_said | append customer, answer ok, log still_there, find_agent, wake +190s | default, in line
                | 190   | timer         | append bot, send_out, log probed, leave_queue, wake +220s | default, outside
                | 200   | revived       | wake +220s | default, outside
                | 220   | timer         | log closed | closed
# Who waited for the opening is asked first of all.
hours and probe | 0     | customer_said | append customer, answer ok, log queued, append bot, send_out, log queue_closed, wake +3600s | default, outside
                | 3600  | timer         | log queue_opened, append bot, send_out, log probed, wake +3630s | default, outside
                | 3610  | customer_said | append customer, answer ok, log still_there, find_agent, wake +3670s | default, in line
# Their place never rises, until somebody has served them.
plain           | 0     | customer_said | append customer, answer ok, log queued, find_agent | default, in line
                | 1     | placed 5      | tell_place 5 | default, in line
                | 2     | placed 3      | tell_place 3 | default, in line
                | 3     | placed 7      | tell_place 3 | default, in line
                | 4     | picked        | log assigned, assign cas, wake +64s, leave_queue | default, in line no more
                | 5     | placed 1      | ignore | default, in line no more
                | 6     | agent_lost    | log agent_lost, unassign cas, find_agent | default, in line
                | 7     | placed 7      | tell_place 7 | default, in line
)";

waiting_rules by_name(const std::string& name) {
  waiting_rules w;
  if (name.starts_with("hours") || name.starts_with("closed")) {
    w.hours.week.push_back(parse_weekly("Mon-Sun 09:00-18:00").value());
    w.closed_text = "We open at nine.";
  }
  if (name == "closed to sales") {
    w.when_closed = closed_hours::overflow;
    w.overflow = {"sales"};
  }
  if (name == "closed but eve") {
    w.when_closed = closed_hours::receiver;
    w.receiver = {"eve"};
  }
  if (name == "overflow" || name == "eve" || name == "sales then eve")
    w.overflow_time = 120s;
  if (name == "overflow" || name == "sales then eve")
    w.overflow = {"sales"};
  if (name == "eve" || name == "sales then eve")
    w.receiver = {"eve"};
  if (name.ends_with("probe")) {
    w.probe_time = 60s;
    w.probe_answer_time = 30s;
  }
  return w;
}

event by_name(const std::string& name, const state& s) {
  if (name == "agent_lost")
    return agent_lost{cas, "disconnected"};
  if (name.starts_with("placed "))
    return placed{std::stoi(name.substr(7)), 10s, 40s};
  for (const auto& [each, what] : events(s))
    if (each == name)
      return what;
  FAIL("no event " << name);
  return revived{};
}

std::string standing(const state& s) {
  if (std::holds_alternative<closed>(s.at))
    return "closed";
  auto text = s.want.queue.text;
  const auto* at = std::get_if<queued>(&s.at);
  if (!at)
    return text + ", in line no more";
  if (!waits(s))
    return text + ", outside";
  if (at->closed_until != time_point{})
    return text + ", only eve";
  return text + (s.receiver_too ? ", in line and eve" : ", in line");
}

struct told {
  std::vector<std::string> cells;
  std::string effects;
  std::string then;
};

/// What the machine makes of the stories.
std::vector<told> play() {
  std::vector<told> all;
  state s;
  rules r;
  for (const auto& cells : test::rows_of(table)) {
    REQUIRE(cells.size() == 5);
    if (!cells[0].empty()) {
      s = {};
      s.id = {77};
      s.opened_at = noon;
      r = {};
      r.waiting = by_name(cells[0]);
    }
    const auto todo = apply(s, by_name(cells[2], s), r,
                            noon + std::chrono::seconds{std::stoi(cells[1])});
    all.push_back({cells, say(todo), standing(s)});
  }
  return all;
}

} // namespace

TEST_CASE("who waits is treated as the stories say", "[session][queue]") {
  CHECK(noon.time_since_epoch() % 24h == 8h);
  for (const auto& x : play()) {
    INFO(x.cells[0] << " at " << x.cells[1] << ", " << x.cells[2]);
    CHECK(x.effects == x.cells[3]);
    CHECK(x.then == x.cells[4]);
  }
}

TEST_CASE("prints the stories of the queue", "[.print-queue]") {
  for (const auto& x : play())
    std::cout << std::left << std::setw(15) << x.cells[0] << " | "
              << std::setw(5) << x.cells[1] << " | " << std::setw(13)
              << x.cells[2] << " | " << x.effects << " | " << x.then << '\n';
}

TEST_CASE("the wait counts from the first line, but not while it was closed",
          "[session][queue]") {
  rules r;
  r.waiting = by_name("hours");
  state s;
  static_cast<void>(apply(s, by_name("customer_said", s), r, noon));
  CHECK(waits_since(s) == noon);
  static_cast<void>(apply(s, timer{s.rounds}, r, noon + 1h));
  CHECK(waits_since(s) == noon + 1h);
  // Overflow changes the queue, not the place in line.
  r.waiting = by_name("overflow");
  static_cast<void>(apply(s, timer{s.rounds}, r, noon + 2h));
  CHECK(s.want.queue == queue_id{"sales"});
  CHECK(waits_since(s) == noon + 1h);
}

TEST_CASE("a queue asks for what its customers do not say",
          "[session][queue]") {
  rules r;
  r.waiting.language = "zh";
  r.waiting.skills = {"refund", "law"};
  r.waiting.urgency = urgency_class::vip;
  const auto plain = wanted(needs{}, r);
  CHECK(plain.language == "zh");
  CHECK(plain.skills == std::vector<std::string>{"refund", "law"});
  CHECK(plain.urgency == urgency_class::vip);
  const auto own = wanted(needs{.language = "en",
                                .skills = {"law", "tax"},
                                .urgency = urgency_class::urgent},
                          r);
  CHECK(own.language == "en");
  CHECK(own.skills == std::vector<std::string>{"law", "tax", "refund"});
  CHECK(own.urgency == urgency_class::urgent);
}

TEST_CASE("only live chats are asked whether they are still there",
          "[session][queue]") {
  rules r;
  r.waiting = by_name("probe");
  state s;
  s.load = load_of("email");
  static_cast<void>(apply(s, by_name("customer_said", s), r, noon));
  const auto todo = apply(s, timer{s.rounds}, r, noon + 1h);
  CHECK(say(todo) == "-");
  CHECK(waits(s));
}

TEST_CASE("an edited queue is looked at anew", "[session][queue]") {
  rules r;
  r.waiting = by_name("closed but eve");
  state s;
  static_cast<void>(apply(s, by_name("customer_said", s), r, noon));
  REQUIRE(waits(s));
  r.waiting.receiver.reset();
  r.waiting.when_closed = closed_hours::wait;
  const auto gone = apply(s, timer{s.rounds}, r, noon + 1min);
  CHECK(say(gone) == "log receiver_gone, leave_queue, wake +3600s");
  CHECK_FALSE(waits(s));
  r.waiting.hours = {};
  const auto open = apply(s, timer{s.rounds}, r, noon + 2min);
  CHECK(say(open) == "log queue_opened, find_agent");
  CHECK(waits(s));
}
