// The face of a node: what gateways call.
#include "actors/local_node.hpp"

#include "bus/subject.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace switchboard {

void local_node::sign_in(const agent_id& who,
                         std::shared_ptr<agent_screen> screen,
                         screen_position from, callback<std::int64_t> done) {
  if (cut_off()) {
    done(fail(errc::unavailable, "this node is cut off; come to another one"));
    return;
  }
  screens_->sign_in(who, std::move(screen), std::move(from), std::move(done));
}

void local_node::sign_out(const agent_id& who, std::int64_t token) {
  screens_->sign_out(who, token);
}

void local_node::ask(const agent_id& who, agent_ask what,
                     callback<receipt> done) {
  world_->tell_agent(who, asked{std::move(what), std::move(done)});
}

void local_node::post(inbound what, callback<receipt> done) {
  if (!gate_.enter(counted_)) {
    ++counted_.overloaded;
    done(fail(errc::overloaded, "too many messages are under way"));
    return;
  }
  const auto slot = subject::slot_of(what.from);
  world_->tell(
    slot,
    from_gateway{job{session::customer_said{std::move(what)},
                     [this, done = std::move(done)](const result<receipt>& x) {
                       --counted_.in_flight;
                       done(x);
                     }}});
}

// -- customers ----------------------------------------------------------------

std::int64_t local_node::come(const contact& who,
                              std::shared_ptr<visitor_screen> screen,
                              visit::position from, callback<receipt> done) {
  if (cut_off()) {
    done(fail(errc::unavailable, "this node is cut off; come to another one"));
    return 0;
  }
  return visits_->come(who, std::move(screen), from, std::move(done));
}

void local_node::leave(const contact& who, std::int64_t token) {
  visits_->leave(who, token);
}

/// Here if the session is ours; otherwise the way that a channel takes, which
/// every node hears. Lost is lost.
void local_node::sign(const contact& who, std::optional<std::int32_t> read) {
  const auto slot = subject::slot_of(who);
  if (!peers_->owner(slot)) {
    rt::post(world_->slot.at(slot), slot_told{sign_from{who, {read}}});
    return;
  }
  const auto bytes =
    read ? R"({"seq":)" + std::to_string(*read) + "}" : std::string{};
  static_cast<void>(
    wire_->publish(subject::sign(read ? "read" : "typing", who), bytes));
}

void local_node::recall(const contact& who, session_id of, std::int32_t before,
                        std::int32_t count_max,
                        callback<std::vector<entry>> done) {
  const auto read = [=](store& from) {
    const auto row = from.session(of);
    if (!row || !*row || (*row)->who != who) {
      done(!row ? row.error()
                : fail(errc::forbidden, "the conversation is not yours"));
      return;
    }
    std::vector<entry> found;
    // What is not visible is skipped, so it may take more than one read.
    auto until = std::min(before, (*row)->last_seq + 1);
    while (until > 1 && std::ssize(found) < count_max) {
      const auto after = std::max(0, until - 1 - count_max);
      auto lines = from.entries(of, after, until - 1 - after);
      if (!lines)
        return done(lines.error());
      for (auto x = lines->rbegin(); x != lines->rend(); ++x)
        if (visible(*x) && std::ssize(found) < count_max)
          found.push_back(for_customer(std::move(*x)));
      until = after + 1;
    }
    std::reverse(found.begin(), found.end());
    done(std::move(found));
  };
  if (!reads_->run(read))
    done(fail(errc::overloaded, "too many reads are under way"));
}

// -- reading back -------------------------------------------------------------

void local_node::read_if_allowed(const agent_id& who, session_id of,
                                 std::function<void(result<void>)> then) {
  if (who.empty()) {
    then({});
    return;
  }
  world_->tell_agent(
    who,
    may_read{of, [this, who, of, then](const result<receipt>& known_here) {
               if (known_here && known_here->seq == 1) {
                 then({});
                 return;
               }
               const auto run = reads_->run([who, of, then](store& from) {
                 const auto row = from.session(of);
                 if (!row)
                   then(row.error());
                 else if (!*row)
                   then(fail(errc::not_found, "there is no such session"));
                 else if ((*row)->agent != who)
                   then(fail(errc::forbidden, "the session was never yours"));
                 else
                   then({});
               });
               if (!run)
                 then(fail(errc::overloaded, "too many reads are under way"));
             }});
}

void local_node::history(const agent_id& who, session_id of, std::int32_t after,
                         std::int32_t count_max,
                         callback<std::vector<entry>> done) {
  read_if_allowed(who, of, [=, this](const result<void>& allowed) {
    if (!allowed) {
      done(allowed.error());
      return;
    }
    if (!reads_->run(
          [=](store& from) { done(from.entries(of, after, count_max)); }))
      done(fail(errc::overloaded, "too many reads are under way"));
  });
}

void local_node::person(const agent_id& who, session_id of, time_point before,
                        std::int32_t count_max,
                        callback<std::vector<person_line>> done) {
  read_if_allowed(who, of, [=, this](const result<void>& allowed) {
    if (!allowed) {
      done(allowed.error());
      return;
    }
    const auto read = [=](store& from) {
      const auto row = from.session(of);
      if (!row || !*row) {
        done(row ? fail(errc::not_found, "there is no such session")
                 : row.error());
        return;
      }
      const auto lines = from.history((*row)->who, before, count_max);
      if (!lines) {
        done(lines.error());
        return;
      }
      std::vector<person_line> all;
      for (const auto& x : *lines)
        all.push_back({x.session, x.channel, x.what});
      done(std::move(all));
    };
    if (!reads_->run(read))
      done(fail(errc::overloaded, "too many reads are under way"));
  });
}

std::vector<front::check> local_node::health() const {
  const auto log = writer_->stats();
  const auto wire = wire_->stats();
  const auto cluster = keeper_->now();
  const std::lock_guard lock{mutex_};
  return {
    {"database", log.connected,
     log.connected ? "connected" : "the writer has no connection"},
    {"bus", wire.connected,
     wire.connected ? "connected" : "no connection to any nats-server"},
    {"lease", cluster.held,
     cluster.held ? "held"
                  : "another process runs under this node's name, or "
                    "the database is away"},
    // Not "all": when one node dies, the others must not seem to.
    {"slots", cluster.known > 0,
     std::to_string(cluster.owned) + " owned here, "
       + std::to_string(cluster.known) + " of 65 by "
       + std::to_string(cluster.nodes) + " nodes that live"},
    {"draining", !stopping_ && !cluster.draining,
     stopping_ || cluster.draining ? "the node stops" : "no"},
  };
}

std::string local_node::metrics() const {
  auto text = counted_.write();
  const auto log = writer_->stats();
  const auto add = [&](const char* name, const char* type, const char* help,
                       auto value) {
    text += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name
            + ' ' + type + '\n' + name + ' ' + std::to_string(value) + '\n';
  };
  add("switchboard_writer_commits_total", "counter", "Group commits.",
      log.commits);
  add("switchboard_writer_rows_total", "counter", "Entries committed.",
      log.rows);
  add("switchboard_writer_repeats_total", "counter",
      "Batches sent again because their outcome was unknown.", log.repeats);
  add("switchboard_writer_depth", "gauge",
      "Writes submitted and not yet committed.", writer_->depth());
  add("switchboard_outbox_depth", "gauge",
      "Outbox rows on their way to the broker.", sender_->depth());
  add("switchboard_outbox_sent_total", "counter",
      "Outbox rows stored by the broker.", sender_->sent());
  const auto wire = wire_->stats();
  add("switchboard_bus_reconnects_total", "counter",
      "Reconnections to a nats-server.", wire.reconnects);
  add("switchboard_bus_dropped_total", "counter",
      "Packets dropped by full subscriptions. Must stay 0.", wire.dropped);
  const auto cluster = keeper_->now();
  add("switchboard_cluster_nodes", "gauge", "Nodes that live, as seen here.",
      cluster.nodes);
  add("switchboard_failovers_total", "counter",
      "Slots taken over from nodes that died.", cluster.claims);
  add("switchboard_migrations_total", "counter",
      "Slots handed over to other nodes.", cluster.moves);
  add("switchboard_peer_messages_total", "counter",
      "Messages sent to other nodes.", peers_->sent());
  return text;
}

} // namespace switchboard
