#include "persistence/postgres/postgres_store.hpp"

#include "config/child_process.hpp"
#include "persistence/postgres/append.hpp"
#include "persistence/postgres/columns.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/verify.hpp"

#include <charconv>

namespace switchboard {

namespace {

using postgres::connection;
using postgres::headers_of;
using postgres::parameters;
using postgres::profile_json;
using postgres::profile_of;
using postgres::rows;
using postgres::rules_json;
using postgres::rules_of;

constexpr auto in_ms = "(extract(epoch from at) * 1000)::bigint";

std::vector<std::int16_t> as_shorts(std::span<const slot_number> all) {
  return {all.begin(), all.end()};
}

// -- rows ---------------------------------------------------------------------

time_point time_of(std::int64_t ms) {
  return time_point{duration{ms}};
}

/// Columns seq, kind, event, author, body, source_id, at in ms, from `column`.
entry entry_of(const rows& from, int row, int column) {
  return {.seq = static_cast<std::int32_t>(from.number(row, column)),
          .kind = static_cast<entry_kind>(from.number(row, column + 1)),
          .event = std::string(from.text(row, column + 2)),
          .author = std::string(from.text(row, column + 3)),
          .body = std::string(from.text(row, column + 4)),
          .id = {std::string(from.text(row, column + 5))},
          .at = time_of(from.number(row, column + 6))};
}

constexpr std::string_view session_columns =
  "id, channel, user_id, phase, queue, coalesce(agent, ''), "
  "(SELECT coalesce(max(seq), 0) FROM entry WHERE session_id = s.id), "
  "(extract(epoch from opened_at) * 1000)::bigint, "
  "coalesce((SELECT customer_id FROM contact c WHERE c.channel = s.channel "
  "AND c.user_id = s.user_id), '')";

session_row session_row_of(const rows& from, int row) {
  return {
    .id = {from.number(row, 0)},
    .who = {std::string(from.text(row, 1)), std::string(from.text(row, 2))},
    .customer = {std::string(from.text(row, 8))},
    .phase = std::string(from.text(row, 3)),
    .queue = {std::string(from.text(row, 4))},
    .agent = {std::string(from.text(row, 5))},
    .last_seq = static_cast<std::int32_t>(from.number(row, 6)),
    .opened_at = time_of(from.number(row, 7))};
}

std::string bytes_of_hex(std::string_view hex) {
  std::string all;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned char byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    all.push_back(static_cast<char>(byte));
  }
  return all;
}

// -- the store ----------------------------------------------------------------

class postgres_store final : public store {
public:
  postgres_store(std::string conninfo, std::string name)
    : to_(std::move(conninfo), std::move(name)) {
    // nop
  }

  result<void> announce(const node_id& node,
                        std::string_view incarnation) override {
    return nothing(to_.run(
      "INSERT INTO node_lease (node, incarnation) VALUES ($1, $2) "
      "ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, "
      "renew_count = node_lease.renew_count + 1",
      parameters{}.add(node.text).add(incarnation)));
  }

  result<void> renew(const node_id& node,
                     std::string_view incarnation) override {
    const auto got =
      to_.run("UPDATE node_lease SET renew_count = renew_count + 1 "
              "WHERE node = $1 AND incarnation = $2 RETURNING 1",
              parameters{}.add(node.text).add(incarnation));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return fail(errc::moved, "another process runs under this node's name");
    return {};
  }

  result<std::vector<claimed_slot>>
  claim(const node_id& node, std::string_view incarnation) override {
    const auto got = to_.run(
      "WITH taken AS (UPDATE slot SET owner = $1, epoch = epoch + 1 "
      "WHERE (owner IS NULL OR owner = $1) AND EXISTS (SELECT FROM node_lease "
      "WHERE node = $1 AND incarnation = $2) RETURNING slot, epoch) "
      "SELECT t.slot, t.epoch, coalesce(i.last_offset, 0), "
      "coalesce(i.stream, '') FROM taken t LEFT JOIN ingress i USING (slot) "
      "ORDER BY 1",
      parameters{}.add(node.text).add(incarnation));
    if (!got)
      return got.error();
    std::vector<claimed_slot> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back({static_cast<slot_number>(got->number(i, 0)),
                     got->number(i, 1),
                     static_cast<std::uint64_t>(got->number(i, 2)),
                     std::string(got->text(i, 3))});
    return all;
  }

  result<void> release(const node_id& node,
                       std::string_view incarnation) override {
    return nothing(
      to_.run("WITH gone AS (DELETE FROM node_lease WHERE node = $1 AND "
              "incarnation = $2 RETURNING node) "
              "UPDATE slot SET owner = NULL, epoch = epoch + 1 "
              "WHERE owner IN (SELECT node FROM gone)",
              parameters{}.add(node.text).add(incarnation)));
  }

  result<std::vector<outcome>> append(const node_id& node,
                                      const batch& what) override {
    return postgres::append(to_, node, what);
  }

  result<std::vector<session::state>>
  open_sessions(std::span<const slot_number> of) override {
    // The entries are the truth about the last line and about who waits.
    const auto got = to_.run(
      "SELECT s.state::text, l.last_seq, "
      "(extract(epoch from u.at) * 1000)::bigint, c.customer_id "
      "FROM session s "
      "LEFT JOIN contact c USING (channel, user_id) "
      "CROSS JOIN LATERAL (SELECT coalesce(max(seq), 0) AS last_seq FROM entry "
      "WHERE session_id = s.id) l "
      "LEFT JOIN LATERAL (SELECT e.at FROM entry e WHERE e.session_id = s.id "
      "AND e.kind = 1 AND e.seq > coalesce((SELECT max(a.seq) FROM entry a "
      "WHERE a.session_id = s.id AND a.kind IN (2, 3)), 0) "
      "ORDER BY e.seq LIMIT 1) u ON true "
      "WHERE s.slot = ANY ($1) AND s.phase <> 'closed' ORDER BY s.id",
      parameters{}.add(as_shorts(of)));
    if (!got)
      return got.error();
    std::vector<session::state> all;
    for (int i = 0; i < got->count(); ++i) {
      auto state = session_from_json(got->text(i, 0));
      if (!state)
        return state.error();
      state->last_seq = static_cast<std::int32_t>(got->number(i, 1));
      state->answered = got->text(i, 2).empty();
      if (!state->answered)
        state->waiting_since = time_of(got->number(i, 2));
      // Who a contact is may have been learned, or taken back, since.
      if (!got->text(i, 3).empty())
        state->customer.text = got->text(i, 3);
      all.push_back(std::move(*state));
    }
    return all;
  }

  result<std::vector<entry>> entries(session_id of, std::int32_t after,
                                     std::int32_t count_max) override {
    const auto got = to_.run(
      "SELECT seq, kind, event, author, body, source_id, " + std::string(in_ms)
        + " FROM entry WHERE session_id = $1 AND seq > $2 "
          "ORDER BY seq LIMIT $3",
      parameters{}
        .add(of.value)
        .add(std::int64_t{after})
        .add(std::int64_t{count_max}));
    if (!got)
      return got.error();
    std::vector<entry> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back(entry_of(*got, i, 0));
    return all;
  }

  result<std::optional<session_row>> session(session_id of) override {
    const auto got = to_.run("SELECT " + std::string(session_columns)
                               + " FROM session s WHERE id = $1",
                             parameters{}.add(of.value));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return std::optional<session_row>{};
    return std::optional{session_row_of(*got, 0)};
  }

  result<std::vector<session_row>> sessions(std::int32_t count_max,
                                            bool open_only) override {
    const auto got =
      to_.run("SELECT " + std::string(session_columns) + " FROM session s"
                + (open_only ? " WHERE phase <> 'closed'" : "")
                + " ORDER BY id DESC LIMIT $1",
              parameters{}.add(std::int64_t{count_max}));
    if (!got)
      return got.error();
    std::vector<session_row> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back(session_row_of(*got, i));
    return all;
  }

  result<std::vector<history_line>> history(const contact& of,
                                            time_point before,
                                            std::int32_t count_max) override {
    const auto got = to_.run(
      std::string(contacts_of_person)
        + "SELECT session_id, channel, seq, kind, event, author, body, "
          "source_id, ms FROM (SELECT e.session_id, s.channel, e.seq, e.kind, "
          "e.event, e.author, e.body, e.source_id, "
          "(extract(epoch from e.at) * 1000)::bigint AS ms "
          "FROM person p JOIN session s USING (channel, user_id) "
          "JOIN entry e ON e.session_id = s.id "
          "WHERE e.at < to_timestamp($3 / 1000.0) "
          "ORDER BY e.at DESC, e.session_id DESC, e.seq DESC LIMIT $4) x "
          "ORDER BY ms, session_id, seq",
      parameters{}
        .add(of.channel)
        .add(of.user)
        .add(before.time_since_epoch().count())
        .add(std::int64_t{count_max}));
    if (!got)
      return got.error();
    std::vector<history_line> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back({{got->number(i, 0)},
                     std::string(got->text(i, 1)),
                     entry_of(*got, i, 2)});
    return all;
  }

  result<std::optional<last_served>> last_agent(const contact& of) override {
    const auto got = to_.run(
      std::string(contacts_of_person)
        + "SELECT s.agent, (extract(epoch from coalesce(s.closed_at, now())) "
          "* 1000)::bigint FROM person p JOIN session s "
          "USING (channel, user_id) WHERE s.agent IS NOT NULL "
          "ORDER BY s.id DESC LIMIT 1",
      parameters{}.add(of.channel).add(of.user));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return std::optional<last_served>{};
    return std::optional{
      last_served{{std::string(got->text(0, 0))}, time_of(got->number(0, 1))}};
  }

  result<std::vector<outbox_row>>
  pending_outbox(std::span<const slot_number> of,
                 std::int32_t count_max) override {
    const auto got =
      to_.run("SELECT slot, dedupe_id, session_id, seq, subject, "
              "headers::text, payload "
              "FROM outbox WHERE slot = ANY ($1) AND state = 'pending' "
              "ORDER BY session_id, seq LIMIT $2",
              parameters{}.add(as_shorts(of)).add(std::int64_t{count_max}));
    if (!got)
      return got.error();
    std::vector<outbox_row> all;
    for (int i = 0; i < got->count(); ++i) {
      outbox_row row{.slot = static_cast<slot_number>(got->number(i, 0)),
                     .dedupe_id = std::string(got->text(i, 1)),
                     .session = {got->number(i, 2)},
                     .seq = static_cast<std::int32_t>(got->number(i, 3)),
                     .subject = std::string(got->text(i, 4)),
                     .payload = std::string(got->text(i, 6))};
      row.with = headers_of(got->text(i, 5));
      all.push_back(std::move(row));
    }
    return all;
  }

  result<std::vector<std::string>> decisions(session_id of) override {
    const auto got = to_.run(
      "SELECT body::text FROM decision WHERE session_id = $1 ORDER BY id",
      parameters{}.add(of.value));
    if (!got)
      return got.error();
    std::vector<std::string> all;
    for (int i = 0; i < got->count(); ++i)
      all.emplace_back(got->text(i, 0));
    return all;
  }

  result<std::vector<agent_row>> agents() override {
    const auto got =
      to_.run("SELECT id, display_name, profile::text, capacity, "
              "active, presence FROM agent ORDER BY id");
    if (!got)
      return got.error();
    std::vector<agent_row> all;
    for (int i = 0; i < got->count(); ++i) {
      agent_row row{.id = {std::string(got->text(i, 0))},
                    .who = profile_of(got->text(i, 2))};
      row.who.display_name = got->text(i, 1);
      row.who.capacity = static_cast<std::int32_t>(got->number(i, 3));
      row.active = static_cast<std::int32_t>(got->number(i, 4));
      row.now = agent::parse_presence(got->text(i, 5))
                  .value_or(agent::presence::offline);
      all.push_back(std::move(row));
    }
    return all;
  }

  result<void> put_agent(const agent_id& id,
                         const agent::profile& who) override {
    return nothing(to_.run(
      "INSERT INTO agent (id, display_name, profile, capacity) "
      "VALUES ($1, $2, $3::text::jsonb, $4) ON CONFLICT (id) DO UPDATE SET "
      "display_name = excluded.display_name, profile = excluded.profile, "
      "capacity = excluded.capacity",
      parameters{}
        .add(id.text)
        .add(who.display_name)
        .add(profile_json(who))
        .add(std::int64_t{who.capacity})));
  }

  result<std::vector<queue_row>> queues() override {
    const auto got =
      to_.run("SELECT id, display_name, rules::text FROM queue ORDER BY id");
    if (!got)
      return got.error();
    std::vector<queue_row> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back({{std::string(got->text(i, 0))},
                     std::string(got->text(i, 1)),
                     rules_of(got->text(i, 2))});
    return all;
  }

  result<void> put_queue(const queue_row& what) override {
    return nothing(
      to_.run("INSERT INTO queue (id, display_name, rules) "
              "VALUES ($1, $2, $3::text::jsonb) ON CONFLICT (id) DO UPDATE SET "
              "display_name = excluded.display_name, rules = excluded.rules",
              parameters{}
                .add(what.id.text)
                .add(what.display_name)
                .add(rules_json(what.rules))));
  }

  result<customer_id> identify(const contact& who, std::string_view phone,
                               std::string_view email) override;
  result<customer_id> separate(const contact& who) override;

  result<std::vector<contact_change>> changes(const contact& of) override;
  result<std::vector<dead_letter>>
  dead_letters(std::int32_t count_max) override;

  result<std::vector<contact>> contacts(const customer_id& of) override {
    const auto got = to_.run("SELECT channel, user_id FROM contact "
                             "WHERE customer_id = $1 ORDER BY 1, 2",
                             parameters{}.add(of.text));
    if (!got)
      return got.error();
    std::vector<contact> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back(
        {std::string(got->text(i, 0)), std::string(got->text(i, 1))});
    return all;
  }

  result<std::vector<finding>> verify() override {
    return postgres::verify(to_);
  }

  result<std::int64_t> directory_version() override {
    const auto got = to_.run("SELECT version FROM directory");
    if (!got)
      return got.error();
    return got->number(0, 0);
  }

  result<replication> replicas() override {
    const auto got = to_.run(
      "SELECT count(*), coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), "
      "replay_lsn)), 0)::int8, coalesce(max(extract(epoch FROM replay_lag) "
      "* 1000), 0)::int8 FROM pg_stat_replication WHERE replay_lsn IS NOT "
      "NULL");
    if (!got)
      return got.error();
    return replication{got->number(0, 0), got->number(0, 1),
                       duration{got->number(0, 2)}};
  }

private:
  /// $1, $2: a contact. `person` is it and all contacts of the same customer.
  static constexpr std::string_view contacts_of_person =
    "WITH person AS (SELECT $1 AS channel, $2 AS user_id "
    "UNION SELECT o.channel, o.user_id FROM contact c "
    "JOIN contact o USING (customer_id) "
    "WHERE c.channel = $1 AND c.user_id = $2) ";

  static result<void> nothing(const result<rows>& got) {
    if (!got)
      return got.error();
    return {};
  }

  connection to_;
};

// One statement each, so that a client which freezes holds no lock.

result<customer_id> postgres_store::identify(const contact& who,
                                             std::string_view phone,
                                             std::string_view email) {
  const auto got =
    to_.run("SELECT identify_v1($1, $2, $3, $4, $5)",
            parameters{}
              .add(who.channel)
              .add(who.user)
              .add(phone.empty() ? "" : "tel:" + std::string(phone))
              .add(email.empty() ? "" : "mailto:" + std::string(email))
              .add("cus_" + random_secret(10)));
  if (!got)
    return got.error();
  return customer_id{std::string(got->text(0, 0))};
}

result<customer_id> postgres_store::separate(const contact& who) {
  const auto got = to_.run("SELECT separate_v1($1, $2, $3)",
                           parameters{}
                             .add(who.channel)
                             .add(who.user)
                             .add("cus_" + random_secret(10)));
  if (!got)
    return got.error();
  if (got->text(0, 0).empty())
    return fail(errc::not_found,
                "no customer is known under " + who.channel + ':' + who.user);
  return customer_id{std::string(got->text(0, 0))};
}

result<std::vector<contact_change>> postgres_store::changes(const contact& of) {
  const auto got = to_.run("SELECT was, became, reason FROM contact_change "
                           "WHERE channel = $1 AND user_id = $2 ORDER BY id",
                           parameters{}.add(of.channel).add(of.user));
  if (!got)
    return got.error();
  std::vector<contact_change> all;
  for (int i = 0; i < got->count(); ++i)
    all.push_back({{std::string(got->text(i, 0))},
                   {std::string(got->text(i, 1))},
                   std::string(got->text(i, 2))});
  return all;
}

result<std::vector<dead_letter>>
postgres_store::dead_letters(std::int32_t count_max) {
  const auto got =
    to_.run("SELECT slot, subject, reason, headers::text, "
            "encode(payload, 'hex'), lane_offset FROM dead_letter "
            "ORDER BY id DESC LIMIT $1",
            parameters{}.add(std::int64_t{count_max}));
  if (!got)
    return got.error();
  std::vector<dead_letter> all;
  for (int i = 0; i < got->count(); ++i)
    all.push_back({.slot = static_cast<slot_number>(got->number(i, 0)),
                   .subject = std::string(got->text(i, 1)),
                   .reason = std::string(got->text(i, 2)),
                   .with = headers_of(got->text(i, 3)),
                   .payload = bytes_of_hex(got->text(i, 4)),
                   .offset = static_cast<std::uint64_t>(got->number(i, 5))});
  return all;
}

} // namespace

std::unique_ptr<store> make_postgres_store(std::string conninfo,
                                           std::string name) {
  return std::make_unique<postgres_store>(std::move(conninfo), std::move(name));
}

} // namespace switchboard
