#include "persistence/postgres/verify.hpp"

#include <array>

namespace switchboard::postgres {

namespace {

struct check {
  std::string_view invariant;
  std::string_view title;
  std::string_view count; ///< How many things are looked at.
  std::string_view find;  ///< A text for each violation.
};

constexpr std::array checks{
  check{
    "INV-1", "every accepted message id has its entry, exactly once",
    "SELECT count(*) FROM seen",
    "SELECT n.contact || ' ' || n.source FROM seen n "
    "LEFT JOIN entry e ON e.session_id = n.session_id AND e.seq = n.seq "
    "AND e.source_id = substr(n.source, 3) WHERE e.seq IS NULL "
    "UNION ALL "
    "SELECT 'twice: ' || s.channel || ':' || s.user_id || ' ' || e.source_id "
    "FROM entry e JOIN session s ON s.id = e.session_id "
    "WHERE e.source_id <> '' "
    "GROUP BY s.channel, s.user_id, e.kind = 1, e.source_id "
    "HAVING count(*) > 1"},
  check{
    "INV-2", "the seqs of a session are 1..n without a gap",
    "SELECT count(DISTINCT session_id) FROM entry",
    "SELECT session_id || ': ' || count(*) || ' entries, last ' || max(seq) "
    "FROM entry GROUP BY session_id "
    "HAVING min(seq) <> 1 OR max(seq) <> count(*) "
    "UNION ALL SELECT s.id || ': no entry' FROM session s "
    "WHERE NOT EXISTS (SELECT FROM entry e WHERE e.session_id = s.id) "
    "UNION ALL SELECT DISTINCT e.session_id || ': entries, no session' "
    "FROM entry e LEFT JOIN session s ON s.id = e.session_id "
    "WHERE s.id IS NULL"},
  // Senders that number their messages (<anything>-<n>, as the load generator
  // does) show their order; of other ids nothing can be said.
  check{
    "INV-3", "messages numbered by their sender are in the sender's order",
    "SELECT count(*) FROM entry WHERE kind = 1 AND source_id ~ '-[0-9]{1,18}$'",
    "SELECT channel || ':' || user_id || ' ' || source_id FROM ("
    "SELECT s.channel, s.user_id, e.source_id, "
    "substring(e.source_id from '[0-9]+$')::bigint AS n, "
    "max(substring(e.source_id from '[0-9]+$')::bigint) OVER ("
    "PARTITION BY s.channel, s.user_id, "
    "regexp_replace(e.source_id, '[0-9]+$', '') "
    "ORDER BY e.session_id, e.seq "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
    "FROM entry e JOIN session s ON s.id = e.session_id "
    "WHERE e.kind = 1 AND e.source_id ~ '-[0-9]{1,18}$') x WHERE n < before"},
  check{
    "INV-4", "the epochs inside a session never decrease",
    "SELECT count(*) FROM entry",
    "SELECT session_id || ' seq ' || seq FROM (SELECT session_id, seq, "
    "epoch, lag(epoch) OVER (PARTITION BY session_id ORDER BY seq) AS before "
    "FROM entry) x WHERE epoch < before"},
  check{"INV-5", "no entry has an epoch that its slot has not reached",
        "SELECT count(*) FROM entry",
        "SELECT e.session_id || ' seq ' || e.seq || ': epoch ' || e.epoch || "
        "', its slot is at ' || k.epoch FROM entry e "
        "JOIN session s ON s.id = e.session_id JOIN slot k ON k.slot = s.slot "
        "WHERE e.epoch > k.epoch"},
  check{"INV-6", "one open session per contact, one assignment per session",
        "SELECT count(*) FROM session WHERE phase <> 'closed'",
        "SELECT channel || ':' || user_id FROM session WHERE phase <> 'closed' "
        "GROUP BY channel, user_id HAVING count(*) > 1 "
        "UNION ALL SELECT session_id || ' assigned twice' FROM assignment "
        "WHERE NOT open_offer GROUP BY session_id HAVING count(*) > 1 "
        "UNION ALL "
        "SELECT s.id || ' is ' || s.phase || ' and nobody has it' "
        "FROM session s WHERE s.phase IN ('active', 'held', 'transferring') "
        "AND NOT EXISTS (SELECT FROM assignment t "
        "WHERE t.session_id = s.id AND NOT t.open_offer) "
        "UNION ALL "
        "SELECT t.session_id || ' is ' || s.phase || ' and assigned' "
        "FROM assignment t JOIN session s ON s.id = t.session_id "
        "WHERE s.phase IN ('closed', 'queued')"},
  check{"INV-7",
        "agents' load is what their sessions and offers take, and fits",
        "SELECT count(*) FROM agent",
        "SELECT a.id || ': active ' || a.active || ', taken ' || t.taken || "
        "', capacity ' || a.capacity FROM agent a "
        "CROSS JOIN LATERAL (SELECT coalesce(sum(load), 0) AS taken, "
        // What woke up may exceed the room, and nothing else.
        "coalesce(sum(load) FILTER (WHERE NOT open_offer AND EXISTS ("
        "SELECT FROM entry e WHERE e.session_id = assignment.session_id "
        "AND e.event IN ('quiet', 'reopened'))), 0) AS woken "
        "FROM assignment WHERE agent = a.id) t "
        "WHERE a.active <> t.taken OR a.active < 0 "
        "OR a.active - t.woken > a.capacity"},
  check{"INV-9", "no outbox row is older than a minute",
        "SELECT count(*) FROM outbox",
        "SELECT dedupe_id || ' ' || state FROM outbox WHERE state = 'pending' "
        "AND created_at < now() - interval '1 minute'"},
};

} // namespace

result<std::vector<finding>> verify(connection& from) {
  std::vector<finding> all;
  for (const auto& x : checks) {
    const auto counted = from.run(x.count);
    if (!counted)
      return counted.error();
    const auto found = from.run("SELECT count(*) OVER (), t FROM ("
                                + std::string(x.find) + ") AS v (t) LIMIT 10");
    if (!found)
      return found.error();
    finding f{.invariant = std::string(x.invariant),
              .title = std::string(x.title),
              .checked = counted->number(0, 0)};
    if (found->count() > 0)
      f.violations = found->number(0, 0);
    for (int i = 0; i < found->count(); ++i)
      f.examples.emplace_back(found->text(i, 1));
    all.push_back(std::move(f));
  }
  return all;
}

} // namespace switchboard::postgres
