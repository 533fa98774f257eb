#include "actors/cluster/peers.hpp"

#include "bus/subject.hpp"
#include "config/child_process.hpp"

#include <spdlog/spdlog.h>

#include <charconv>
#include <set>
#include <utility>

namespace switchboard {

namespace {

/// Answers another node once, even if whoever had to answer forgets it.
class remote_answer {
public:
  using send = std::function<void(const result<receipt>&)>;

  explicit remote_answer(send to) : to_(std::move(to)) {}
  ~remote_answer() {
    if (!answered_.exchange(true))
      to_(fail(errc::unavailable, "not done; repeat with the same id"));
  }
  remote_answer(const remote_answer&) = delete;
  remote_answer& operator=(const remote_answer&) = delete;

  void operator()(const result<receipt>& x) {
    if (!answered_.exchange(true))
      to_(x);
  }

private:
  send to_;
  std::atomic<bool> answered_{false};
};

} // namespace

peers::peers(bus& wire, node_id me, handlers to)
  : wire_(wire),
    me_(std::move(me)),
    to_(std::move(to)),
    // An answer to our former life must not fit a request of this one.
    made_(std::stoull(random_secret(5), nullptr, 16) << 20) {
  // nop
}

peers::~peers() {
  stop();
}

result<void> peers::start() {
  auto made = wire_.subscribe(subject::node(me_, "*"), "",
                              [this](const bus::packet& x) { on_packet(x); });
  if (!made)
    return made.error();
  listening_ = std::move(*made);
  return {};
}

void peers::stop() {
  listening_.reset();
  std::map<std::uint64_t, request> left;
  {
    const std::lock_guard lock{mutex_};
    left.swap(pending_);
  }
  for (auto& [number, x] : left)
    x.reply(fail(errc::unavailable, "the node stops; try again"));
}

void peers::reroute(const std::vector<membership::place>& changed) {
  std::vector<std::uint64_t> again;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& x : changed)
      owner_.at(x.slot) = x.owner;
    for (auto& [number, x] : pending_)
      for (const auto& p : changed)
        if (p.slot == x.slot) {
          again.push_back(number);
          break;
        }
  }
  for (const auto number : again)
    try_again(number);
}

std::optional<node_id> peers::owner(slot_number slot) const {
  const std::lock_guard lock{mutex_};
  const auto& x = owner_.at(slot);
  return x.empty() || x == me_ ? std::nullopt : std::optional{x};
}

bool peers::publish(const node_id& to, std::string_view verb,
                    std::string_view bytes) {
  ++sent_;
  return wire_.publish(subject::node(to, verb), bytes).has_value();
}

bool peers::send(slot_number slot, letter& what) {
  const auto to = owner(slot);
  if (!to)
    return false;
  auto reply = wire::reply_of(what);
  if (++wire::hops_of(what) > hops_max) {
    if (reply)
      reply(fail(errc::moved, "the slot moves too fast; try again"));
    return true;
  }
  wire::parcel x{.slot = slot, .from = me_, .number = 0, .what = what};
  if (!reply) {
    publish(*to, "cmd", wire::encode(x));
    return true;
  }
  std::string bytes;
  {
    const std::lock_guard lock{mutex_};
    if (pending_.size() < pending_max) {
      x.number = ++made_;
      bytes = wire::encode(x);
      pending_[x.number] = {.slot = slot,
                            .bytes = bytes,
                            .reply = std::move(reply),
                            .late_at = clock::now() + patience};
      reply = {};
    }
  }
  if (reply) {
    reply(fail(errc::overloaded, "too many requests to other nodes"));
    return true;
  }
  if (!publish(*to, "cmd", bytes)) {
    const std::lock_guard lock{mutex_};
    if (const auto at = pending_.find(x.number); at != pending_.end())
      at->second.again_at = clock::now() + pause;
  }
  return true;
}

void peers::show(const std::string& home, const wire::shown& what) {
  publish({home.substr(0, home.find('/'))}, "push", wire::encode(what));
}

void peers::show(const std::string& home, const wire::visited& what) {
  publish({home.substr(0, home.find('/'))}, "visit", wire::encode(what));
}

void peers::notify(const node_id& to) {
  publish(to, "migrate", "");
}

void peers::say_buried(const node_id& whom, std::string_view incarnation) {
  publish(whom, "buried", incarnation);
}

void peers::say_served(slot_number slot) {
  for (const auto& x : others())
    publish(x, "served", std::to_string(slot));
}

/// All that own something, as far as we know.
std::set<node_id> peers::others() const {
  const std::lock_guard lock{mutex_};
  std::set<node_id> all{owner_.begin(), owner_.end()};
  all.erase(node_id{});
  all.erase(me_);
  return all;
}

void peers::say_anew(const std::bitset<slots + 1>& which) {
  for (const auto& x : others())
    publish(x, "anew", which.to_string());
}

void peers::on_packet(const bus::packet& x) {
  const auto verb = x.subject.substr(x.subject.rfind('.') + 1);
  if (verb == "cmd") {
    on_parcel(x.bytes);
  } else if (verb == "reply") {
    on_answer(x.bytes);
  } else if (verb == "push") {
    if (const auto got = wire::decode_shown(x.bytes))
      to_.on_shown(*got);
  } else if (verb == "visit") {
    if (const auto got = wire::decode_visited(x.bytes))
      to_.on_visited(*got);
  } else if (verb == "migrate") {
    to_.on_notice();
  } else if (verb == "anew") {
    std::bitset<slots + 1> which;
    if (x.bytes.size() == which.size()
        && x.bytes.find_first_not_of("01") == x.bytes.npos)
      to_.on_anew(std::bitset<slots + 1>{std::string(x.bytes)});
  } else if (verb == "served") {
    unsigned slot = 0;
    const auto* end = x.bytes.data() + x.bytes.size();
    if (std::from_chars(x.bytes.data(), end, slot).ptr == end && slot <= slots)
      to_.on_served(static_cast<slot_number>(slot));
  } else if (verb == "buried") {
    to_.on_buried(x.bytes);
  } else if (verb == "stats" && !x.reply.empty()) {
    static_cast<void>(wire_.publish(x.reply, to_.on_stats()));
  }
}

void peers::on_parcel(std::string_view bytes) {
  auto got = wire::decode_parcel(bytes);
  if (!got) {
    spdlog::warn("a letter of another node: {}", got.error().detail);
    return;
  }
  if (got->number > 0) {
    const auto pending = std::make_shared<remote_answer>(
      [this, to = got->from, number = got->number](const result<receipt>& x) {
        publish(to, "reply", wire::encode(wire::answer{number, x}));
      });
    wire::set_reply(got->what,
                    [pending](const result<receipt>& x) { (*pending)(x); });
  }
  to_.on_letter(got->slot, std::move(got->what));
}

void peers::on_answer(std::string_view bytes) {
  const auto got = wire::decode_answer(bytes);
  if (!got)
    return;
  reply_to reply;
  {
    const std::lock_guard lock{mutex_};
    const auto at = pending_.find(got->number);
    if (at == pending_.end())
      return; // The answer to a repetition.
    if (!got->what && got->what.error().code == errc::moved) {
      // Not done there. Its next owner will be known soon.
      at->second.again_at = clock::now() + pause;
      return;
    }
    reply = std::move(at->second.reply);
    pending_.erase(at);
  }
  reply(got->what);
}

/// Sends a request again, to whoever owns its slot now.
void peers::try_again(std::uint64_t number) {
  request mine;
  node_id to;
  {
    const std::lock_guard lock{mutex_};
    const auto at = pending_.find(number);
    if (at == pending_.end())
      return;
    to = owner_.at(at->second.slot);
    if (to.empty()) {
      at->second.again_at = clock::now() + pause;
      return;
    }
    at->second.again_at.reset();
    mine.bytes = at->second.bytes;
    mine.slot = at->second.slot;
    if (to == me_) {
      mine.reply = std::move(at->second.reply);
      pending_.erase(at);
    }
  }
  if (to != me_) {
    publish(to, "cmd", mine.bytes);
    return;
  }
  auto read = wire::decode_parcel(mine.bytes);
  if (!read)
    return;
  wire::set_reply(read->what, std::move(mine.reply));
  to_.on_letter(mine.slot, std::move(read->what));
}

void peers::tick() {
  const auto now = clock::now();
  std::vector<std::uint64_t> again;
  std::vector<reply_to> late;
  {
    const std::lock_guard lock{mutex_};
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (at->second.late_at <= now) {
        late.push_back(std::move(at->second.reply));
        at = pending_.erase(at);
        continue;
      }
      if (at->second.again_at && *at->second.again_at <= now)
        again.push_back(at->first);
      ++at;
    }
  }
  for (const auto& reply : late)
    reply(fail(errc::unavailable,
               "the node that owns this does not answer; repeat with the same "
               "id"));
  for (const auto number : again)
    try_again(number);
}

} // namespace switchboard
