// The checker of the invariants is checked itself: for each violation that can
// be planted in a healthy database it must say exactly what is wrong.
#include "tests/persistence/stores.hpp"

#include <map>

using namespace switchboard;
using namespace switchboard::test;

namespace {

/// What is wrong, by invariant; what is right is left out.
using wrong = std::map<std::string, std::vector<std::string>>;

/// A database of its own, for its constraints are taken away: first comes what
/// they let nobody write, then what they cannot know.
struct healthy {
  healthy() {
    must(to->announce({"n1"}, "life"));
    must(to->claim({"n1"}, "life"));
    must(to->put_agent({"li"}, {.display_name = "Li", .capacity = 2000}));
    must(to->put_agent({"ann"}, {.display_name = "Ann", .capacity = 1000}));
    write(served.says({{"m-1", "a"}, {"m-2", "b"}}));
    write(served.becomes(session::offered{{{"li"}, 1, at_ms(1)}}));
    auto assigned = served.becomes(session::active{{"li"}});
    assigned.out = {{.slot = 3,
                     .dedupe_id = "1001-4",
                     .session = served.id,
                     .seq = 4,
                     .subject = "sb.v1.out.web.u1",
                     .payload = "{}"}};
    write(assigned);
    write(waiting.says({{"m-1", "a"}}));
    write(over.says({{"x", "a"}}));
    write(over.becomes(session::closed{}));
    sql.script("DROP INDEX session_open; DROP INDEX assignment_one;"
               "ALTER TABLE seen DROP CONSTRAINT seen_pkey;"
               "ALTER TABLE agent DROP CONSTRAINT agent_active_check;");
    REQUIRE(found().empty());
  }

  void write(session_write w) {
    batch b;
    b.sessions.push_back(std::move(w));
    REQUIRE(must(to->append({"n1"}, b)).at(0).what == verdict::committed);
  }

  wrong found() {
    wrong all;
    for (const auto& x : must(to->verify())) {
      CHECK(static_cast<std::int64_t>(x.examples.size())
            == std::min<std::int64_t>(x.violations, 10));
      if (x.violations > 0)
        all[x.invariant] = x.examples;
    }
    return all;
  }

  /// What verify says with this in the database, which is then taken out.
  wrong with(const std::string& plant, const std::string& remove) {
    sql.script(plant);
    auto all = found();
    sql.script(remove);
    CHECK(found().empty());
    return all;
  }

  fresh_database database;
  std::unique_ptr<store> to = make_postgres_store(database.conninfo(), "n1");
  sql_session sql{database.conninfo()};
  conversation served{.id = {1001}, .who = {"web", "u1"}};
  conversation waiting{.id = {1002}, .who = {"web", "u2"}};
  conversation over{.id = {1003}, .who = {"web", "u3"}};
};

} // namespace

TEST_CASE_METHOD(healthy, "every invariant that the database shows is checked",
                 "[verify]") {
  lines names;
  for (const auto& x : must(to->verify())) {
    names.push_back(x.invariant);
    CHECK_FALSE(x.title.empty());
    CHECK(x.checked > 0);
  }
  CHECK(names
        == lines{"INV-1", "INV-2", "INV-3", "INV-4", "INV-5", "INV-6", "INV-7",
                 "INV-9"});
}

TEST_CASE_METHOD(healthy, "verify finds an accepted message without entry",
                 "[verify]") {
  CHECK(with("INSERT INTO seen VALUES ('web:u1', 'c:ghost', 1001, 2, 0)",
             "DELETE FROM seen WHERE source = 'c:ghost'")
        == wrong{{"INV-1", {"web:u1 c:ghost"}}});
  CHECK(with("UPDATE seen SET seq = 3 WHERE source = 'c:m-2'",
             "UPDATE seen SET seq = 2 WHERE source = 'c:m-2'")
        == wrong{{"INV-1", {"web:u1 c:m-2"}}});
}

TEST_CASE_METHOD(healthy, "verify finds a message that is there twice",
                 "[verify]") {
  CHECK(
    with("INSERT INTO entry VALUES (1003, 3, 1, 1, '', '', 'a', 'x', now())",
         "DELETE FROM entry WHERE session_id = 1003 AND seq = 3")
    == wrong{{"INV-1", {"twice: web:u3 x"}}});
  // An agent's id and a customer's are not the same.
  CHECK(
    with("INSERT INTO entry VALUES (1003, 3, 1, 2, '', '', 'a', 'x', now())",
         "DELETE FROM entry WHERE session_id = 1003 AND seq = 3")
      .empty());
}

TEST_CASE_METHOD(healthy, "verify finds a gap in a session", "[verify]") {
  CHECK(with("UPDATE entry SET seq = 9 WHERE session_id = 1001 AND seq = 4",
             "UPDATE entry SET seq = 4 WHERE session_id = 1001 AND seq = 9")
        == wrong{{"INV-2", {"1001: 4 entries, last 9"}}});
  CHECK(with("INSERT INTO entry VALUES (77, 1, 1, 5, 'x', '', '', '', now())",
             "DELETE FROM entry WHERE session_id = 77")
        == wrong{{"INV-2", {"77: entries, no session"}}});
  CHECK(with("INSERT INTO session SELECT 78, slot, channel, 'u9', 'closed', "
             "queue, agent, 0, now(), now(), state FROM session "
             "WHERE id = 1003",
             "DELETE FROM session WHERE id = 78")
        == wrong{{"INV-2", {"78: no entry"}}});
}

TEST_CASE_METHOD(healthy, "verify finds messages out of their sender's order",
                 "[verify]") {
  write(waiting.says({{"m-3", "c"}}));
  CHECK(found().empty()); // A number may be missing: its sender gave up.
  write(waiting.says({{"m-2", "b"}}));
  CHECK(found() == wrong{{"INV-3", {"web:u2 m-2"}}});
}

TEST_CASE_METHOD(healthy, "verify finds an epoch that went back", "[verify]") {
  CHECK(with("UPDATE entry SET epoch = 0 WHERE session_id = 1001 AND seq = 3",
             "UPDATE entry SET epoch = 1 WHERE session_id = 1001")
        == wrong{{"INV-4", {"1001 seq 3"}}});
}

TEST_CASE_METHOD(healthy, "verify finds an epoch that its slot never had",
                 "[verify]") {
  CHECK(with("UPDATE entry SET epoch = 2 WHERE session_id = 1001 AND seq = 4",
             "UPDATE entry SET epoch = 1 WHERE session_id = 1001")
        == wrong{{"INV-5", {"1001 seq 4: epoch 2, its slot is at 1"}}});
}

TEST_CASE_METHOD(healthy, "verify finds a contact with two open sessions",
                 "[verify]") {
  CHECK(with("UPDATE session SET user_id = 'u1' WHERE id = 1002;"
             "UPDATE seen SET contact = 'web:u9' WHERE session_id = 1002;"
             "UPDATE entry SET source_id = 'n' WHERE session_id = 1002;"
             "UPDATE seen SET source = 'c:n' WHERE session_id = 1002",
             "UPDATE session SET user_id = 'u2' WHERE id = 1002")
        == wrong{{"INV-6", {"web:u1"}}});
}

TEST_CASE_METHOD(healthy, "verify finds assignments that should not be",
                 "[verify]") {
  const auto insert = [](const std::string& session) {
    return "INSERT INTO assignment VALUES (" + session
           + ", 'ann', 0, false, 0)";
  };
  const std::string remove = "DELETE FROM assignment WHERE agent = 'ann'";
  CHECK(with(insert("1001"), remove)
        == wrong{{"INV-6", {"1001 assigned twice"}}});
  CHECK(with(insert("1002"), remove)
        == wrong{{"INV-6", {"1002 is queued and assigned"}}});
  CHECK(with(insert("1003"), remove)
        == wrong{{"INV-6", {"1003 is closed and assigned"}}});
}

TEST_CASE_METHOD(healthy, "verify finds a session that nobody has",
                 "[verify]") {
  CHECK(with("UPDATE assignment SET session_id = 5 WHERE session_id = 1001",
             "UPDATE assignment SET session_id = 1001 WHERE session_id = 5")
        == wrong{{"INV-6", {"1001 is active and nobody has it"}}});
}

TEST_CASE_METHOD(healthy, "verify finds load that nobody takes, or too much",
                 "[verify]") {
  CHECK(with("UPDATE agent SET active = 2000 WHERE id = 'li'",
             "UPDATE agent SET active = 1000 WHERE id = 'li'")
        == wrong{{"INV-7", {"li: active 2000, taken 1000, capacity 2000"}}});
  CHECK(with("UPDATE agent SET active = -1 WHERE id = 'ann'",
             "UPDATE agent SET active = 0 WHERE id = 'ann'")
        == wrong{{"INV-7", {"ann: active -1, taken 0, capacity 1000"}}});
  CHECK(with("UPDATE assignment SET load = 3000; "
             "UPDATE agent SET active = 3000 WHERE id = 'li'",
             "UPDATE assignment SET load = 1000; "
             "UPDATE agent SET active = 1000 WHERE id = 'li'")
        == wrong{{"INV-7", {"li: active 3000, taken 3000, capacity 2000"}}});
}

TEST_CASE_METHOD(healthy, "verify finds an outbox that does not empty",
                 "[verify]") {
  CHECK(with("UPDATE outbox SET created_at = now() - interval '2 minutes'",
             "UPDATE outbox SET created_at = now()")
        == wrong{{"INV-9", {"1001-4 pending"}}});
  // What was given up is not waiting.
  CHECK(with("UPDATE outbox SET created_at = now() - interval '2 minutes', "
             "state = 'dead'",
             "UPDATE outbox SET created_at = now(), state = 'pending'")
          .empty());
}

TEST_CASE_METHOD(healthy, "verify counts all violations and shows ten",
                 "[verify]") {
  sql.run("INSERT INTO seen SELECT 'web:u1', 'c:ghost' || n, 1001, 1, 0 "
          "FROM generate_series(1, 25) n");
  const auto all = must(to->verify());
  CHECK(all.at(0).violations == 25);
  CHECK(all.at(0).examples.size() == 10);
}
