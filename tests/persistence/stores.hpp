#pragma once

#include "persistence/memory/memory_store.hpp"
#include "persistence/postgres/postgres_store.hpp"
#include "tests/persistence/rows.hpp"
#include "tests/support/servers.hpp"
#include "tests/support/sql.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

/// What every store must do, whatever is behind it: the tests that use this are
/// run with the twin in memory and with PostgreSQL.
namespace switchboard::test {

struct in_memory {
  memory_database database;
  std::unique_ptr<store> open() { return database.open(); }
};

struct in_postgres {
  in_postgres() {
    // One database, emptied each time: ten times as fast as a new one.
    sql_session{database().conninfo()}.script(
      "DELETE FROM node_lease; DELETE FROM session; DELETE FROM entry;"
      "DELETE FROM seen; DELETE FROM assignment; DELETE FROM agent;"
      "DELETE FROM queue WHERE id <> 'default'; DELETE FROM outbox;"
      "DELETE FROM decision; DELETE FROM dead_letter; DELETE FROM contact;"
      "DELETE FROM identity; DELETE FROM contact_change;"
      "DELETE FROM customer; UPDATE slot SET owner = NULL, epoch = 0;"
      "UPDATE ingress SET last_offset = 0, stream = '';");
  }

  static fresh_database& database() {
    static fresh_database one;
    return one;
  }

  std::unique_ptr<store> open() {
    return make_postgres_store(database().conninfo(), "contract");
  }
};

/// The value, or the end of the test with the reason why there is none.
template <class T>
T must(result<T> x) {
  if (!x)
    FAIL(to_string(x.error().code) << ": " << x.error().detail);
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// A store whose slots node n1 has claimed, at epoch 1.
template <class Backend>
struct store_contract {
  store_contract() : to(backend.open()) {
    must(to->announce(n1, "first life"));
    must(to->claim(n1, "first life"));
  }

  outcome append(session_write w, const node_id& by = {"n1"}) {
    batch b;
    b.sessions.push_back(std::move(w));
    auto got = must(to->append(by, b));
    REQUIRE(got.size() == 1);
    return got[0];
  }

  verdict write(session_write w, const node_id& by = {"n1"}) {
    return append(std::move(w), by).what;
  }

  std::vector<std::string> bodies(session_id of) {
    std::vector<std::string> all;
    for (const auto& x : must(to->entries(of, 0, 1000)))
      all.push_back(x.kind == entry_kind::event ? '<' + x.event + '>' : x.body);
    return all;
  }

  std::int32_t load_of(const agent_id& id) {
    for (const auto& x : must(to->agents()))
      if (x.id == id)
        return x.active;
    return -1;
  }

  /// The sum of all violations, naming them.
  std::int64_t violations() {
    std::int64_t all = 0;
    for (const auto& x : must(to->verify())) {
      all += x.violations;
      if (x.violations > 0)
        UNSCOPED_INFO(x.invariant << ": " << x.examples.at(0));
    }
    return all;
  }

  const node_id n1{"n1"};
  const node_id n2{"n2"};
  Backend backend;
  std::unique_ptr<store> to;
};

using lines = std::vector<std::string>;

} // namespace switchboard::test
