#include "persistence/postgres/postgres_leases.hpp"

#include "persistence/postgres/connection.hpp"

#include <utility>

namespace switchboard {

namespace {

using membership::condition;
using membership::parse_condition;
using postgres::connection;
using postgres::parameters;
using postgres::rows;

result<void> nothing(const result<rows>& got) {
  if (!got)
    return got.error();
  return {};
}

class postgres_leases final : public lease_book {
public:
  postgres_leases(std::string conninfo, std::string name)
    : to_(std::move(conninfo), std::move(name)) {
    // nop
  }

  result<void> announce(const node_id& node, std::string_view incarnation,
                        std::string_view address) override {
    return nothing(
      to_.run("INSERT INTO node_lease (node, incarnation, address) "
              "VALUES ($1, $2, $3) ON CONFLICT (node) DO UPDATE SET "
              "incarnation = excluded.incarnation, "
              "renew_count = node_lease.renew_count + 1, "
              "says = 'serving', address = excluded.address, "
              "drain_asked = false",
              parameters{}.add(node.text).add(incarnation).add(address)));
  }

  result<bool> renew(const node_id& node, std::string_view incarnation,
                     condition says) override {
    // A renewal that a crash of the server forgets only looks as if it had
    // never happened: this one commit does not wait for the disk.
    const auto got = to_.run(
      "UPDATE node_lease SET renew_count = renew_count + 1, says = $3 "
      "WHERE node = $1 AND incarnation = $2 RETURNING drain_asked, "
      "set_config('synchronous_commit', 'off', true)",
      parameters{}.add(node.text).add(incarnation).add(to_string(says)));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return fail(errc::moved, "another process runs under this node's name");
    return got->flag(0, 0);
  }

  result<membership::view> look() override {
    const auto got = to_.run(
      "SELECT -1, node, renew_count, incarnation, says FROM node_lease "
      "UNION ALL SELECT slot, coalesce(owner, ''), epoch, '', '' FROM slot");
    if (!got)
      return got.error();
    membership::view v;
    for (int i = 0; i < got->count(); ++i) {
      node_id node{std::string(got->text(i, 1))};
      const auto number = got->number(i, 2);
      if (const auto slot = got->number(i, 0); slot >= 0)
        v.places.push_back(
          {static_cast<slot_number>(slot), std::move(node), number});
      else
        v.leases.push_back(
          {std::move(node), std::string(got->text(i, 3)), number,
           parse_condition(got->text(i, 4)).value_or(condition::draining)});
    }
    return v;
  }

  result<std::vector<taken>> claim(const node_id& node,
                                   std::string_view incarnation,
                                   const membership::claim& what) override {
    std::vector<std::int16_t> numbers;
    std::vector<std::int64_t> epochs;
    for (const auto& x : what.what) {
      numbers.push_back(x.slot);
      epochs.push_back(x.epoch);
    }
    // A lease that was never seen must still be missing: its owner may have
    // announced itself this moment.
    const auto got = to_.run(
      "WITH taken AS (UPDATE slot s SET owner = $1, epoch = s.epoch + 1 "
      "FROM unnest($3::smallint[], $4::bigint[]) AS w (slot, epoch) "
      "WHERE s.slot = w.slot AND s.epoch = w.epoch "
      "AND coalesce(s.owner, '') = $5 "
      "AND EXISTS (SELECT FROM node_lease WHERE node = $1 "
      "AND incarnation = $2) "
      "AND ($5 IN ('', $1) OR CASE WHEN $6 = '' "
      "THEN NOT EXISTS (SELECT FROM node_lease WHERE node = $5) "
      "ELSE EXISTS (SELECT FROM node_lease WHERE node = $5 "
      "AND incarnation = $6 AND renew_count = $7) END) "
      "RETURNING s.slot, s.epoch) "
      "SELECT t.slot, t.epoch, coalesce(i.last_offset, 0), "
      "coalesce(i.stream, '') FROM taken t LEFT JOIN ingress i USING (slot) "
      "ORDER BY 1",
      parameters{}
        .add(node.text)
        .add(incarnation)
        .add(numbers)
        .add(epochs)
        .add(what.from.text)
        .add(what.last ? std::string_view{what.last->incarnation}
                       : std::string_view{})
        .add(what.last ? what.last->renewals : 0));
    if (!got)
      return got.error();
    std::vector<taken> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back(
        {{static_cast<slot_number>(got->number(i, 0)), node, got->number(i, 1)},
         static_cast<std::uint64_t>(got->number(i, 2)),
         std::string(got->text(i, 3))});
    return all;
  }

  result<std::int64_t> hand_over(const node_id& node, slot_number slot,
                                 std::int64_t epoch,
                                 const node_id& to) override {
    const auto got =
      to_.run("UPDATE slot SET owner = $4, epoch = epoch + 1 "
              "WHERE slot = $2 AND owner = $1 AND epoch = $3 "
              "AND EXISTS (SELECT FROM node_lease WHERE node = $4 "
              "AND says = 'serving') RETURNING epoch",
              parameters{}
                .add(node.text)
                .add(std::int64_t{slot})
                .add(epoch)
                .add(to.text));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return fail(errc::moved, "the slot has moved, or the other takes none");
    return got->number(0, 0);
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

  result<void> terminate(const node_id& node,
                         std::string_view incarnation) override {
    const auto prefix =
      "switchboard/" + node.text + '/' + std::string(incarnation) + '/';
    return nothing(
      to_.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
              "WHERE datname = current_database() AND starts_with("
              "application_name, $1)",
              parameters{}.add(std::string_view{prefix})));
  }

  result<void> ask_to_drain(const node_id& node, bool wanted) override {
    const auto got =
      to_.run("UPDATE node_lease SET drain_asked = $2 = 1 "
              "WHERE node = $1 RETURNING 1",
              parameters{}.add(node.text).add(std::int64_t{wanted ? 1 : 0}));
    if (!got)
      return got.error();
    if (got->count() == 0)
      return fail(errc::not_found, "there is no node '" + node.text
                                     + "'; see `switchboard node list`");
    return {};
  }

  result<std::vector<line>> list() override {
    const auto got =
      to_.run("SELECT n.node, n.incarnation, n.renew_count, n.says, n.address, "
              "count(s.slot) FILTER (WHERE s.slot < 64), "
              "coalesce(bool_or(s.slot = 64), false), n.drain_asked "
              "FROM node_lease n LEFT JOIN slot s ON s.owner = n.node "
              "GROUP BY 1, 2, 3, 4, 5, 8 ORDER BY 1");
    if (!got)
      return got.error();
    std::vector<line> all;
    for (int i = 0; i < got->count(); ++i)
      all.push_back({.what = {{std::string(got->text(i, 0))},
                              std::string(got->text(i, 1)),
                              got->number(i, 2),
                              parse_condition(got->text(i, 3))
                                .value_or(condition::draining)},
                     .address = std::string(got->text(i, 4)),
                     .slots = got->number(i, 5),
                     .router = got->flag(i, 6),
                     .drain_asked = got->flag(i, 7)});
    return all;
  }

private:
  connection to_;
};

} // namespace

std::unique_ptr<lease_book> make_postgres_leases(std::string conninfo,
                                                 std::string name) {
  return std::make_unique<postgres_leases>(std::move(conninfo),
                                           std::move(name));
}

} // namespace switchboard
