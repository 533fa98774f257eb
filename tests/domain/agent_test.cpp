// The life of an agent, every situation with every event. The table is the
// specification; `switchboard_tests "[.print-agent]"` prints it as the machine
// behaves, to be read before it replaces this one.
#include "tests/support/agent_words.hpp"
#include "tests/support/table.hpp"

#include <catch2/catch.hpp>

#include <iomanip>
#include <iostream>
#include <set>

using namespace switchboard;
using namespace switchboard::agent;
using namespace switchboard::agent::words;

namespace {

/// Session 1 is the agent's (=), 2 rings (?), for 3 a place is kept (.), 9 is
/// somewhere else. The last column is presence, load, places.
constexpr std::string_view table = R"(
offline     | connected       | save, show, advertise | online 0
offline     | disconnected    | ignore | offline (away) 0
offline     | disconnected 7  | ignore | offline (away) 0
offline     | online          | save, show, advertise | online (away) 0
offline     | break           | save, show, advertise | break (away) 0
offline     | finish, offline | save, show, save, show | offline (away) 0
offline     | profile         | advertise | offline (away) 0
offline     | proposed        | refuse 9 | offline (away) 0
offline     | proposed 3      | refuse 3 | offline (away) 0
offline     | picked          | refuse 9 | offline (away) 0
offline     | offer_opened    | wake +25s, withdraw 3 disconnected, advertise | offline (away) 500 3?
offline     | timed out       | ignore | offline (away) 0
offline     | declined        | ignore | offline (away) 0
offline     | ended other     | ignore | offline (away) 0
offline     | not needed      | ignore | offline (away) 0
offline     | assigned        | wake +30s, advertise | offline (grace) 500 2=
offline     | unassigned      | ignore | offline (away) 0
offline     | unassigned 9    | ignore | offline (away) 0
offline     | timer           | - | offline (away) 0
offline     | timer old       | ignore | offline (away) 0
offline     | router_started  | advertise | offline (away) 0

free        | connected       | - | online 0
free        | disconnected    | wake +30s, advertise | online (grace) 0
free        | disconnected 7  | - | online 0
free        | online          | - | online 0
free        | break           | save, show, advertise | break 0
free        | finish, offline | save, show, save, show, advertise | offline 0
free        | profile         | advertise | online 0
free        | proposed        | grant 9, wake +5s, advertise | online 1000 9.
free        | proposed 3      | grant 3, wake +5s, advertise | online 500 3.
free        | picked          | grant 9 pick, wake +5s, advertise | online 1000 9.
free        | offer_opened    | wake +25s, advertise | online 500 3?
free        | timed out       | ignore | online 0
free        | declined        | ignore | online 0
free        | ended other     | ignore | online 0
free        | not needed      | ignore | online 0
free        | assigned        | advertise | online 500 2=
free        | unassigned      | ignore | online 0
free        | unassigned 9    | ignore | online 0
free        | timer           | - | online 0
free        | timer old       | ignore | online 0
free        | router_started  | advertise | online 0

online      | connected       | - | online 2000 1= 2? 3.
online      | disconnected    | withdraw 2 disconnected, wake +0s, advertise | online (grace) 2000 1= 2? 3.
online      | disconnected 7  | - | online 2000 1= 2? 3.
online      | online          | - | online 2000 1= 2? 3.
online      | break           | withdraw 2 presence, save, show, advertise | break 2000 1= 2? 3.
online      | finish, offline | withdraw 2 presence, save, show, advertise | finishing 2000 1= 2? 3.
online      | profile         | advertise | online 2000 1= 2? 3.
online      | proposed        | grant 9, wake +0s, advertise | online 3000 1= 2? 3. 9.
online      | proposed 3      | refuse 3 | online 2000 1= 2? 3.
online      | picked          | grant 9 pick, wake +0s, advertise | online 3000 1= 2? 3. 9.
online      | offer_opened    | wake +20s | online 2000 1= 2? 3?
online      | timed out       | advertise | online 1500 1= 3.
online      | declined        | advertise | online 1500 1= 3.
online      | ended other     | ignore | online 2000 1= 2? 3.
online      | not needed      | advertise | online 1500 1= 2?
online      | assigned        | advertise | online 2000 1= 2= 3.
online      | unassigned      | advertise | online 1000 2? 3.
online      | unassigned 9    | ignore | online 2000 1= 2? 3.
online      | timer           | wake +20s, advertise | online 1500 1= 2?
online      | timer old       | ignore | online 2000 1= 2? 3.
online      | router_started  | advertise | online 2000 1= 2? 3.

online 2    | connected       | - | online 2000 1= 2? 3.
online 2    | disconnected    | - | online 2000 1= 2? 3.
online 2    | disconnected 7  | - | online 2000 1= 2? 3.
online 2    | online          | - | online 2000 1= 2? 3.
online 2    | break           | withdraw 2 presence, save, show, advertise | break 2000 1= 2? 3.
online 2    | finish, offline | withdraw 2 presence, save, show, advertise | finishing 2000 1= 2? 3.
online 2    | profile         | advertise | online 2000 1= 2? 3.
online 2    | proposed        | grant 9, wake +0s, advertise | online 3000 1= 2? 3. 9.
online 2    | proposed 3      | refuse 3 | online 2000 1= 2? 3.
online 2    | picked          | grant 9 pick, wake +0s, advertise | online 3000 1= 2? 3. 9.
online 2    | offer_opened    | wake +20s | online 2000 1= 2? 3?
online 2    | timed out       | advertise | online 1500 1= 3.
online 2    | declined        | advertise | online 1500 1= 3.
online 2    | ended other     | ignore | online 2000 1= 2? 3.
online 2    | not needed      | advertise | online 1500 1= 2?
online 2    | assigned        | advertise | online 2000 1= 2= 3.
online 2    | unassigned      | advertise | online 1000 2? 3.
online 2    | unassigned 9    | ignore | online 2000 1= 2? 3.
online 2    | timer           | wake +20s, advertise | online 1500 1= 2?
online 2    | timer old       | ignore | online 2000 1= 2? 3.
online 2    | router_started  | advertise | online 2000 1= 2? 3.

unanswered  | connected       | - | online 2000 1= 2? 3.
unanswered  | disconnected    | withdraw 2 disconnected, wake +0s, advertise | online (grace) 2000 1= 2? 3.
unanswered  | disconnected 7  | - | online 2000 1= 2? 3.
unanswered  | online          | - | online 2000 1= 2? 3.
unanswered  | break           | withdraw 2 presence, save, show, advertise | break 2000 1= 2? 3.
unanswered  | finish, offline | withdraw 2 presence, save, show, advertise | finishing 2000 1= 2? 3.
unanswered  | profile         | advertise | online 2000 1= 2? 3.
unanswered  | proposed        | grant 9, wake +0s, advertise | online 3000 1= 2? 3. 9.
unanswered  | proposed 3      | refuse 3 | online 2000 1= 2? 3.
unanswered  | picked          | grant 9 pick, wake +0s, advertise | online 3000 1= 2? 3. 9.
unanswered  | offer_opened    | wake +20s | online 2000 1= 2? 3?
unanswered  | timed out       | save, show, advertise | not_responding 1500 1= 3.
unanswered  | declined        | advertise | online 1500 1= 3.
unanswered  | ended other     | ignore | online 2000 1= 2? 3.
unanswered  | not needed      | advertise | online 1500 1= 2?
unanswered  | assigned        | advertise | online 2000 1= 2= 3.
unanswered  | unassigned      | advertise | online 1000 2? 3.
unanswered  | unassigned 9    | ignore | online 2000 1= 2? 3.
unanswered  | timer           | wake +20s, advertise | online 1500 1= 2?
unanswered  | timer old       | ignore | online 2000 1= 2? 3.
unanswered  | router_started  | advertise | online 2000 1= 2? 3.

full        | connected       | - | online 3000 1= 2? 3.
full        | disconnected    | withdraw 2 disconnected, wake +0s, advertise | online (grace) 3000 1= 2? 3.
full        | disconnected 7  | - | online 3000 1= 2? 3.
full        | online          | - | online 3000 1= 2? 3.
full        | break           | withdraw 2 presence, save, show, advertise | break 3000 1= 2? 3.
full        | finish, offline | withdraw 2 presence, save, show, advertise | finishing 3000 1= 2? 3.
full        | profile         | advertise | online 3000 1= 2? 3.
full        | proposed        | refuse 9 | online 3000 1= 2? 3.
full        | proposed 3      | refuse 3 | online 3000 1= 2? 3.
full        | picked          | refuse 9 | online 3000 1= 2? 3.
full        | offer_opened    | wake +20s | online 3000 1= 2? 3?
full        | timed out       | advertise | online 2500 1= 3.
full        | declined        | advertise | online 2500 1= 3.
full        | ended other     | ignore | online 3000 1= 2? 3.
full        | not needed      | advertise | online 2500 1= 2?
full        | assigned        | advertise | online 3000 1= 2= 3.
full        | unassigned      | advertise | online 1000 2? 3.
full        | unassigned 9    | ignore | online 3000 1= 2? 3.
full        | timer           | wake +20s, advertise | online 2500 1= 2?
full        | timer old       | ignore | online 3000 1= 2? 3.
full        | router_started  | advertise | online 3000 1= 2? 3.

busy        | connected       | - | busy 2000 1= 2? 3.
busy        | disconnected    | withdraw 2 disconnected, wake +0s | busy (grace) 2000 1= 2? 3.
busy        | disconnected 7  | - | busy 2000 1= 2? 3.
busy        | online          | save, show, advertise | online 2000 1= 2? 3.
busy        | break           | withdraw 2 presence, save, show, advertise | break 2000 1= 2? 3.
busy        | finish, offline | withdraw 2 presence, save, show, advertise | finishing 2000 1= 2? 3.
busy        | profile         | advertise | busy 2000 1= 2? 3.
busy        | proposed        | refuse 9 | busy 2000 1= 2? 3.
busy        | proposed 3      | refuse 3 | busy 2000 1= 2? 3.
busy        | picked          | grant 9 pick, wake +0s, advertise | busy 3000 1= 2? 3. 9.
busy        | offer_opened    | wake +20s, withdraw 3 presence | busy 2000 1= 2? 3?
busy        | timed out       | advertise | busy 1500 1= 3.
busy        | declined        | advertise | busy 1500 1= 3.
busy        | ended other     | ignore | busy 2000 1= 2? 3.
busy        | not needed      | advertise | busy 1500 1= 2?
busy        | assigned        | advertise | busy 2000 1= 2= 3.
busy        | unassigned      | advertise | busy 1000 2? 3.
busy        | unassigned 9    | ignore | busy 2000 1= 2? 3.
busy        | timer           | wake +20s, advertise | busy 1500 1= 2?
busy        | timer old       | ignore | busy 2000 1= 2? 3.
busy        | router_started  | advertise | busy 2000 1= 2? 3.

busy, break | connected       | - | busy 1000 1=
busy, break | disconnected    | wake +30s | busy (grace) 1000 1=
busy, break | disconnected 7  | - | busy 1000 1=
busy, break | online          | save, show, advertise | online 1000 1=
busy, break | break           | save, show, advertise | break 1000 1=
busy, break | finish, offline | save, show, advertise | finishing 1000 1=
busy, break | profile         | advertise | busy 1000 1=
busy, break | proposed        | refuse 9 | busy 1000 1=
busy, break | proposed 3      | refuse 3 | busy 1000 1=
busy, break | picked          | grant 9 pick, wake +5s, advertise | busy 2000 1= 9.
busy, break | offer_opened    | wake +25s, withdraw 3 presence, advertise | busy 1500 1= 3?
busy, break | timed out       | ignore | busy 1000 1=
busy, break | declined        | ignore | busy 1000 1=
busy, break | ended other     | ignore | busy 1000 1=
busy, break | not needed      | ignore | busy 1000 1=
busy, break | assigned        | advertise | busy 1500 1= 2=
busy, break | unassigned      | save, show, advertise | break 0
busy, break | unassigned 9    | ignore | busy 1000 1=
busy, break | timer           | - | busy 1000 1=
busy, break | timer old       | ignore | busy 1000 1=
busy, break | router_started  | advertise | busy 1000 1=

break       | connected       | - | break 0
break       | disconnected    | wake +30s | break (grace) 0
break       | disconnected 7  | - | break 0
break       | online          | save, show, advertise | online 0
break       | break           | save, show | break 0
break       | finish, offline | save, show, save, show, advertise | offline 0
break       | profile         | advertise | break 0
break       | proposed        | refuse 9 | break 0
break       | proposed 3      | refuse 3 | break 0
break       | picked          | grant 9 pick, wake +5s, advertise | break 1000 9.
break       | offer_opened    | wake +25s, withdraw 3 presence, advertise | break 500 3?
break       | timed out       | ignore | break 0
break       | declined        | ignore | break 0
break       | ended other     | ignore | break 0
break       | not needed      | ignore | break 0
break       | assigned        | advertise | break 500 2=
break       | unassigned      | ignore | break 0
break       | unassigned 9    | ignore | break 0
break       | timer           | - | break 0
break       | timer old       | ignore | break 0
break       | router_started  | advertise | break 0

finishing   | connected       | - | finishing 2000 1= 2? 3.
finishing   | disconnected    | withdraw 2 disconnected, wake +0s | finishing (grace) 2000 1= 2? 3.
finishing   | disconnected 7  | - | finishing 2000 1= 2? 3.
finishing   | online          | save, show, advertise | online 2000 1= 2? 3.
finishing   | break           | withdraw 2 presence, save, show, advertise | break 2000 1= 2? 3.
finishing   | finish, offline | withdraw 2 presence | finishing 2000 1= 2? 3.
finishing   | profile         | advertise | finishing 2000 1= 2? 3.
finishing   | proposed        | refuse 9 | finishing 2000 1= 2? 3.
finishing   | proposed 3      | refuse 3 | finishing 2000 1= 2? 3.
finishing   | picked          | grant 9 pick, wake +0s, advertise | finishing 3000 1= 2? 3. 9.
finishing   | offer_opened    | wake +20s, withdraw 3 presence | finishing 2000 1= 2? 3?
finishing   | timed out       | advertise | finishing 1500 1= 3.
finishing   | declined        | advertise | finishing 1500 1= 3.
finishing   | ended other     | ignore | finishing 2000 1= 2? 3.
finishing   | not needed      | advertise | finishing 1500 1= 2?
finishing   | assigned        | advertise | finishing 2000 1= 2= 3.
finishing   | unassigned      | advertise | finishing 1000 2? 3.
finishing   | unassigned 9    | ignore | finishing 2000 1= 2? 3.
finishing   | timer           | wake +20s, advertise | finishing 1500 1= 2?
finishing   | timer old       | ignore | finishing 2000 1= 2? 3.
finishing   | router_started  | advertise | finishing 2000 1= 2? 3.

silent      | connected       | - | not_responding 0
silent      | disconnected    | wake +30s | not_responding (grace) 0
silent      | disconnected 7  | - | not_responding 0
silent      | online          | save, show, advertise | online 0
silent      | break           | save, show, advertise | break 0
silent      | finish, offline | save, show, save, show, advertise | offline 0
silent      | profile         | advertise | not_responding 0
silent      | proposed        | refuse 9 | not_responding 0
silent      | proposed 3      | refuse 3 | not_responding 0
silent      | picked          | grant 9 pick, wake +5s, advertise | not_responding 1000 9.
silent      | offer_opened    | wake +25s, withdraw 3 presence, advertise | not_responding 500 3?
silent      | timed out       | ignore | not_responding 0
silent      | declined        | ignore | not_responding 0
silent      | ended other     | ignore | not_responding 0
silent      | not needed      | ignore | not_responding 0
silent      | assigned        | advertise | not_responding 500 2=
silent      | unassigned      | ignore | not_responding 0
silent      | unassigned 9    | ignore | not_responding 0
silent      | timer           | - | not_responding 0
silent      | timer old       | ignore | not_responding 0
silent      | router_started  | advertise | not_responding 0

gone        | connected       | advertise | online 2000 1= 2? 3.
gone        | disconnected    | ignore | online (grace) 2000 1= 2? 3.
gone        | disconnected 7  | ignore | online (grace) 2000 1= 2? 3.
gone        | online          | - | online (grace) 2000 1= 2? 3.
gone        | break           | withdraw 2 presence, save, show, advertise | break (grace) 2000 1= 2? 3.
gone        | finish, offline | withdraw 2 presence, save, show, advertise | finishing (grace) 2000 1= 2? 3.
gone        | profile         | advertise | online (grace) 2000 1= 2? 3.
gone        | proposed        | refuse 9 | online (grace) 2000 1= 2? 3.
gone        | proposed 3      | refuse 3 | online (grace) 2000 1= 2? 3.
gone        | picked          | refuse 9 | online (grace) 2000 1= 2? 3.
gone        | offer_opened    | wake +0s, withdraw 3 disconnected | online (grace) 2000 1= 2? 3?
gone        | timed out       | advertise | online (grace) 1500 1= 3.
gone        | declined        | advertise | online (grace) 1500 1= 3.
gone        | ended other     | ignore | online (grace) 2000 1= 2? 3.
gone        | not needed      | advertise | online (grace) 1500 1= 2?
gone        | assigned        | advertise | online (grace) 2000 1= 2= 3.
gone        | unassigned      | advertise | online (grace) 1000 2? 3.
gone        | unassigned 9    | ignore | online (grace) 2000 1= 2? 3.
gone        | timer           | lose 1, save, show, wake +20s, advertise | offline (away) 1500 1= 2?
gone        | timer old       | ignore | online (grace) 2000 1= 2? 3.
gone        | router_started  | advertise | online (grace) 2000 1= 2? 3.
)";

struct row {
  std::string given;
  std::string happened;
  std::string effects;
  std::string then;
};

row what_happens(const std::string& given, const std::string& happened) {
  auto s = givens().at(given);
  for (const auto& [name, what] : events(s))
    if (name == happened) {
      const auto todo = apply(s, what, noon);
      return {given, happened, say(todo), say(s)};
    }
  return {given, happened, "no such event", ""};
}

} // namespace

TEST_CASE("an agent does in every situation what the table says", "[agent]") {
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

TEST_CASE("prints the table of the agent", "[.print-agent]") {
  for (const auto* given :
       {"offline", "free", "online", "online 2", "unanswered", "full", "busy",
        "busy, break", "break", "finishing", "silent", "gone"})
    for (const auto& [name, what] : events({})) {
      const auto x = what_happens(given, name);
      std::cout << std::left << std::setw(11) << given << " | " << std::setw(15)
                << name << " | " << x.effects << " | " << x.then << '\n';
    }
}
