#include "persistence/memory/memory_store.hpp"

#include "persistence/memory/memory_tables.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace switchboard {

struct memory_database::impl : memory::tables {};

namespace {

using memory::tables;

class memory_store final : public store {
public:
  explicit memory_store(tables& in) : in_(in) {}

  // -- ownership --------------------------------------------------------------

  result<void> announce(const node_id& node,
                        std::string_view incarnation) override {
    const std::lock_guard lock{in_.mutex};
    auto& lease = in_.leases[node];
    lease = {std::string(incarnation), lease.renew_count + 1};
    return {};
  }

  result<void> renew(const node_id& node,
                     std::string_view incarnation) override {
    const std::lock_guard lock{in_.mutex};
    if (!holds_lease(node, incarnation))
      return fail(errc::moved, "another process runs under this node's name");
    ++in_.leases[node].renew_count;
    return {};
  }

  result<std::vector<claimed_slot>>
  claim(const node_id& node, std::string_view incarnation) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<claimed_slot> all;
    if (!holds_lease(node, incarnation))
      return all;
    for (std::size_t k = 0; k < in_.slot.size(); ++k) {
      auto& row = in_.slot.at(k);
      if (row.owner && row.owner != node)
        continue;
      row.owner = node;
      ++row.epoch;
      all.push_back(
        {static_cast<slot_number>(k), row.epoch, row.offset, row.stream});
    }
    return all;
  }

  result<void> release(const node_id& node,
                       std::string_view incarnation) override {
    const std::lock_guard lock{in_.mutex};
    if (!holds_lease(node, incarnation))
      return {};
    in_.leases.erase(node);
    for (auto& row : in_.slot)
      if (row.owner == node) {
        row.owner.reset();
        ++row.epoch;
      }
    return {};
  }

  // -- the path of a message --------------------------------------------------

  result<std::vector<outcome>> append(const node_id& node,
                                      const batch& what) override {
    const std::lock_guard lock{in_.mutex};
    const auto fault = next_fault();
    if (fault == memory_database::fault::lost_before)
      return fail(errc::unavailable, "the connection was lost");
    auto done = memory::append(in_, node, what);
    if (fault == memory_database::fault::lost_after)
      return fail(errc::unavailable, "the connection was lost");
    return done;
  }

  // -- reading back -----------------------------------------------------------

  result<std::vector<session::state>>
  open_sessions(std::span<const slot_number> of) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<session::state> all;
    for (const auto& [id, row] : in_.sessions)
      if (row.open() && std::find(of.begin(), of.end(), row.slot) != of.end())
        all.push_back(with_lines(row.state));
    return all;
  }

  result<std::vector<entry>> entries(session_id of, std::int32_t after,
                                     std::int32_t count_max) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<entry> all;
    for (const auto& x : lines_of(of))
      if (x.line.seq > after
          && all.size() < static_cast<std::size_t>(count_max))
        all.push_back(x.line);
    return all;
  }

  result<std::optional<session_row>> session(session_id of) override {
    const std::lock_guard lock{in_.mutex};
    const auto at = in_.sessions.find(of);
    if (at == in_.sessions.end())
      return std::optional<session_row>{};
    return std::optional{row_of(at->second)};
  }

  result<std::vector<session_row>> sessions(std::int32_t count_max,
                                            bool open_only) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<session_row> all;
    for (auto at = in_.sessions.rbegin(); at != in_.sessions.rend(); ++at)
      if ((!open_only || at->second.open())
          && all.size() < static_cast<std::size_t>(count_max))
        all.push_back(row_of(at->second));
    return all;
  }

  result<std::vector<history_line>> history(const contact& of,
                                            time_point before,
                                            std::int32_t count_max) override {
    const std::lock_guard lock{in_.mutex};
    const auto person = contacts_of_person(of);
    std::vector<history_line> all;
    for (const auto& [id, row] : in_.sessions)
      if (person.contains(row.state.who))
        for (const auto& x : lines_of(id))
          if (x.line.at < before)
            all.push_back({id, row.state.who.channel, x.line});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tie(a.what.at, a.session, a.what.seq)
             < std::tie(b.what.at, b.session, b.what.seq);
    });
    if (const auto max = static_cast<std::ptrdiff_t>(count_max);
        std::ssize(all) > max)
      all.erase(all.begin(), all.end() - max);
    return all;
  }

  result<std::optional<last_served>> last_agent(const contact& of) override {
    const std::lock_guard lock{in_.mutex};
    const auto person = contacts_of_person(of);
    for (auto at = in_.sessions.rbegin(); at != in_.sessions.rend(); ++at)
      if (at->second.agent && person.contains(at->second.state.who))
        return std::optional{
          last_served{*at->second.agent,
                      at->second.closed_at.value_or(
                        std::chrono::time_point_cast<duration>(clock::now()))}};
    return std::optional<last_served>{};
  }

  result<std::vector<outbox_row>>
  pending_outbox(std::span<const slot_number> of,
                 std::int32_t count_max) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<outbox_row> all;
    for (const auto& [id, row] : in_.outbox)
      if (std::find(of.begin(), of.end(), row.slot) != of.end())
        all.push_back(row);
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tie(a.session, a.seq) < std::tie(b.session, b.seq);
    });
    if (all.size() > static_cast<std::size_t>(count_max))
      all.resize(static_cast<std::size_t>(count_max));
    return all;
  }

  result<std::vector<std::string>> decisions(session_id of) override {
    const std::lock_guard lock{in_.mutex};
    const auto at = in_.decisions.find(of);
    return at == in_.decisions.end() ? std::vector<std::string>{} : at->second;
  }

  // -- people and queues ------------------------------------------------------

  result<std::vector<agent_row>> agents() override {
    const std::lock_guard lock{in_.mutex};
    std::vector<agent_row> all;
    for (const auto& [id, row] : in_.agents)
      all.push_back(row);
    return all;
  }

  result<void> put_agent(const agent_id& id,
                         const agent::profile& who) override {
    const std::lock_guard lock{in_.mutex};
    auto& row = in_.agents[id];
    row.id = id;
    row.who = who;
    ++in_.directory_version;
    return {};
  }

  result<std::vector<queue_row>> queues() override {
    const std::lock_guard lock{in_.mutex};
    std::vector<queue_row> all;
    for (const auto& [id, row] : in_.queues)
      all.push_back(row);
    return all;
  }

  result<void> put_queue(const queue_row& what) override {
    const std::lock_guard lock{in_.mutex};
    in_.queues.insert_or_assign(what.id, what);
    ++in_.directory_version;
    return {};
  }

  result<customer_id> identify(const contact& who, std::string_view phone,
                               std::string_view email) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<std::string> brought;
    if (!phone.empty())
      brought.push_back("tel:" + std::string(phone));
    if (!email.empty())
      brought.push_back("mailto:" + std::string(email));
    const auto was = customer_of(who);
    customer_id found;
    for (const auto& address : brought)
      if (const auto at = in_.addresses.find(address);
          found.empty() && at != in_.addresses.end()
          && !was_separated(who, at->second))
        found = at->second;
    if (found.empty())
      found = was.empty() ? fresh_customer() : was;
    for (const auto& address : brought)
      in_.addresses.emplace(address, found);
    if (was != found)
      join(who, found, brought.empty() ? "first seen" : "verified address");
    return found;
  }

  result<customer_id> separate(const contact& who) override {
    const std::lock_guard lock{in_.mutex};
    if (customer_of(who).empty())
      return fail(errc::not_found,
                  "no customer is known under " + who.channel + ':' + who.user);
    join(who, fresh_customer(), "separated");
    return customer_of(who);
  }

  result<std::vector<contact>> contacts(const customer_id& of) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<contact> all;
    for (const auto& [who, customer] : in_.customers)
      if (customer == of)
        all.push_back(who);
    return all;
  }

  result<std::vector<contact_change>> changes(const contact& of) override {
    const std::lock_guard lock{in_.mutex};
    const auto at = in_.changes.find(of);
    return at == in_.changes.end() ? std::vector<contact_change>{} : at->second;
  }

  // -- care -------------------------------------------------------------------

  result<std::vector<dead_letter>>
  dead_letters(std::int32_t count_max) override {
    const std::lock_guard lock{in_.mutex};
    std::vector<dead_letter> all{in_.letters.rbegin(), in_.letters.rend()};
    if (all.size() > static_cast<std::size_t>(count_max))
      all.resize(static_cast<std::size_t>(count_max));
    for (auto& x : all)
      x.epoch = 0;
    return all;
  }

  result<std::vector<finding>> verify() override {
    const std::lock_guard lock{in_.mutex};
    return memory::verify(in_);
  }

  result<std::int64_t> directory_version() override {
    const std::lock_guard lock{in_.mutex};
    return in_.directory_version;
  }

  result<replication> replicas() override { return replication{}; }

private:
  [[nodiscard]] bool holds_lease(const node_id& node,
                                 std::string_view incarnation) const {
    const auto at = in_.leases.find(node);
    return at != in_.leases.end() && at->second.incarnation == incarnation;
  }

  memory_database::fault next_fault() {
    if (in_.faults_left == 0)
      return memory_database::fault::none;
    --in_.faults_left;
    return in_.next_fault;
  }

  [[nodiscard]] const std::vector<memory::stored_entry>&
  lines_of(session_id id) const {
    static const std::vector<memory::stored_entry> none;
    const auto at = in_.entries.find(id);
    return at == in_.entries.end() ? none : at->second;
  }

  /// The entries are the truth about the last line and about who waits.
  [[nodiscard]] session::state with_lines(session::state s) const {
    const auto& lines = lines_of(s.id);
    s.last_seq = static_cast<std::int32_t>(lines.size());
    s.answered = true;
    if (const auto known = customer_of(s.who); !known.empty())
      s.customer = known;
    for (const auto& x : lines) {
      if (x.line.kind == entry_kind::agent || x.line.kind == entry_kind::bot)
        s.answered = true;
      if (x.line.kind == entry_kind::customer && s.answered) {
        s.answered = false;
        s.waiting_since = x.line.at;
      }
    }
    return s;
  }

  [[nodiscard]] session_row row_of(const memory::stored_session& x) const {
    return {.id = x.state.id,
            .who = x.state.who,
            .customer = customer_of(x.state.who),
            .phase = std::string(session::name_of(x.state.at)),
            .queue = x.state.want.queue,
            .agent = x.agent.value_or(agent_id{}),
            .last_seq = static_cast<std::int32_t>(lines_of(x.state.id).size()),
            .opened_at = x.state.opened_at};
  }

  [[nodiscard]] customer_id customer_of(const contact& who) const {
    const auto at = in_.customers.find(who);
    return at == in_.customers.end() ? customer_id{} : at->second;
  }

  [[nodiscard]] std::set<contact> contacts_of_person(const contact& of) const {
    std::set<contact> all{of};
    const auto person = customer_of(of);
    for (const auto& [who, customer] : in_.customers)
      if (!person.empty() && customer == person)
        all.insert(who);
    return all;
  }

  [[nodiscard]] bool was_separated(const contact& who,
                                   const customer_id& from) const {
    const auto at = in_.changes.find(who);
    return at != in_.changes.end()
           && std::any_of(at->second.begin(), at->second.end(),
                          [&](const contact_change& x) {
                            return x.was == from && x.reason == "separated";
                          });
  }

  customer_id fresh_customer() {
    return {"cus_" + std::to_string(++in_.customers_made)};
  }

  void join(const contact& who, const customer_id& to,
            const std::string& reason) {
    in_.changes[who].push_back({customer_of(who), to, reason});
    in_.customers.insert_or_assign(who, to);
  }

  tables& in_;
};

} // namespace

memory_database::memory_database() : impl_(std::make_unique<impl>()) {
  // nop
}

memory_database::~memory_database() = default;

std::unique_ptr<store> memory_database::open() {
  return std::make_unique<memory_store>(*impl_);
}

void memory_database::fail_next(fault what, int times) {
  const std::lock_guard lock{impl_->mutex};
  impl_->next_fault = what;
  impl_->faults_left = times;
}

} // namespace switchboard
