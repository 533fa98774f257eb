#include "bus/memory/memory_bus.hpp"

#include "actors/domain/message.hpp"
#include "actors/domain/placement.hpp"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace switchboard {

namespace {

/// As the real server in config/nats.conf.
constexpr std::size_t packet_bytes_max = 1024 * 1024;

std::vector<std::string_view> tokens_of(std::string_view subject) {
  std::vector<std::string_view> all;
  for (std::size_t from = 0; from <= subject.size();) {
    const auto dot = std::min(subject.find('.', from), subject.size());
    all.push_back(subject.substr(from, dot - from));
    from = dot + 1;
  }
  return all;
}

bool is_subject(std::string_view text) {
  const auto tokens = tokens_of(text);
  return std::none_of(
           text.begin(), text.end(),
           [](unsigned char c) { return c <= ' ' || c == '*' || c == '>'; })
         && std::none_of(tokens.begin(), tokens.end(),
                         [](auto x) { return x.empty(); });
}

bool fits(std::string_view pattern, std::string_view subject) {
  const auto want = tokens_of(pattern);
  const auto have = tokens_of(subject);
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == ">")
      return have.size() > i;
    if (i >= have.size() || (want[i] != "*" && want[i] != have[i]))
      return false;
  }
  return want.size() == have.size();
}

/// What config/nats.conf makes the server do.
std::string mapped(std::string_view subject) {
  const auto x = tokens_of(subject);
  const bool ours = x.size() == 5 && x[0] == "sb" && x[1] == "v1"
                    && (x[2] == "in" || x[2] == "post");
  if (!ours)
    return std::string{subject};
  return "sb.v1.slot." + std::to_string(slot_of(x[3], x[4])) + "."
         + std::string{x[2]} + "." + std::string{x[3]} + "."
         + std::string{x[4]};
}

std::string find_header(const bus::header_list& in, std::string_view name) {
  for (const auto& [key, value] : in)
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](unsigned char a, unsigned char b) {
                     return std::tolower(a) == std::tolower(b);
                   }))
      return value;
  return {};
}

/// A packet as it is kept.
struct parcel {
  std::string subject;
  std::string reply;
  std::string bytes;
  bus::header_list with;
  std::uint64_t offset = 0;
};

using kept = std::shared_ptr<const parcel>;

struct listener {
  std::string pattern;
  std::string group;
  bus::handler on_packet;
};

struct stream {
  bus::stream_config config;
  std::string identity;
  std::vector<kept> packets{};
  std::set<std::string> ids{}; ///< Of Nats-Msg-Id.
  std::vector<std::shared_ptr<listener>> readers{};
};

void deliver(const listener& to, const parcel& what) {
  bus::packet x;
  x.subject = what.subject;
  x.reply = what.reply;
  x.bytes = what.bytes;
  x.offset = what.offset;
  x.raw = const_cast<bus::header_list*>(&what.with);
  x.read_header = [](void* of, std::string_view name) {
    return find_header(*static_cast<bus::header_list*>(of), name);
  };
  to.on_packet(x);
}

class memory_bus final : public bus {
public:
  memory_bus() : thread_([this] { run(); }) {
    // nop
  }

  ~memory_bus() override {
    {
      const std::lock_guard lock{mutex_};
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  result<void> publish(std::string_view subject, std::string_view bytes,
                       const header_list& with) override {
    return publish_request(subject, {}, bytes, with);
  }

  result<void> publish_request(std::string_view subject,
                               std::string_view reply_to,
                               std::string_view bytes,
                               const header_list& with) override {
    if (auto bad = refuse(subject, bytes))
      return std::move(*bad);
    const std::lock_guard lock{mutex_};
    route({mapped(subject), std::string(reply_to), std::string(bytes), with});
    return {};
  }

  result<reply> request(std::string_view subject, std::string_view bytes,
                        std::chrono::milliseconds timeout,
                        const header_list& with) override;

  result<std::unique_ptr<subscription>> subscribe(std::string_view pattern,
                                                  std::string_view group,
                                                  handler on_packet) override;

  result<stream_state> ensure_stream(const stream_config& want) override;

  result<std::unique_ptr<subscription>> consume(std::string_view name,
                                                std::string_view pattern,
                                                std::uint64_t offset,
                                                handler on_packet) override;

  void publish_stored(std::string_view subject, std::string_view bytes,
                      const header_list& with, on_ack on_stored) override;

  statistics stats() const override { return {true, 0, 0}; }

private:
  class membership;

  static std::optional<error> refuse(std::string_view subject,
                                     std::string_view bytes) {
    if (!is_subject(subject))
      return fail(errc::malformed, "'" + std::string(subject)
                                     + "' is not a subject to publish to");
    if (bytes.size() > packet_bytes_max)
      return fail(errc::too_large, "publishing: over 1 MB; send less");
    return std::nullopt;
  }

  // -- with mutex_ held
  // --------------------------------------------------------

  void post(std::function<void()> task) {
    tasks_.push_back(std::move(task));
    wake_.notify_all();
  }

  /// @returns how many will get it, streams included
  std::size_t route(parcel&& what);
  bool keep(const kept& what);
  std::size_t hand_out(const kept& what);

  // ------------------------------------------------------------------------------

  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::shared_ptr<listener>> listeners_;
  std::map<std::string, stream, std::less<>> streams_;
  std::uint64_t turn_ = 0; ///< Which member of a group is next.
  std::uint64_t made_ = 0; ///< Inboxes and streams.
  std::thread thread_;
};

class memory_bus::membership final : public subscription {
public:
  membership(memory_bus& owner, std::shared_ptr<listener> who)
    : owner_(owner), who_(std::move(who)) {
    // nop
  }

  ~membership() override {
    std::promise<void> done;
    {
      const std::lock_guard lock{owner_.mutex_};
      std::erase(owner_.listeners_, who_);
      for (auto& [name, one] : owner_.streams_)
        std::erase(one.readers, who_);
      // After everything that was on its way.
      owner_.post([&done] { done.set_value(); });
    }
    done.get_future().wait();
  }

private:
  memory_bus& owner_;
  std::shared_ptr<listener> who_;
};

void memory_bus::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty())
      return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

std::size_t memory_bus::route(parcel&& what) {
  const auto shared = std::make_shared<const parcel>(std::move(what));
  return hand_out(shared) + (keep(shared) ? 1 : 0);
}

std::size_t memory_bus::hand_out(const kept& what) {
  std::map<std::string, std::vector<std::shared_ptr<listener>>> groups;
  std::size_t count = 0;
  for (const auto& one : listeners_) {
    if (!fits(one->pattern, what->subject))
      continue;
    ++count;
    if (one->group.empty())
      post([one, what] { deliver(*one, *what); });
    else
      groups[one->group].push_back(one);
  }
  for (const auto& [name, members] : groups) {
    const auto one = members[turn_++ % members.size()];
    post([one, what] { deliver(*one, *what); });
  }
  return count;
}

bool memory_bus::keep(const kept& what) {
  for (auto& [name, into] : streams_) {
    const auto& subjects = into.config.subjects;
    if (std::none_of(subjects.begin(), subjects.end(),
                     [&](const auto& x) { return fits(x, what->subject); }))
      continue;
    const auto id = find_header(what->with, "Nats-Msg-Id");
    if (!id.empty() && !into.ids.insert(id).second)
      return true; // Kept already.
    auto numbered = *what;
    numbered.offset = into.packets.size() + 1;
    numbered.reply.clear();
    into.packets.push_back(std::make_shared<const parcel>(std::move(numbered)));
    for (const auto& one : into.readers)
      if (fits(one->pattern, what->subject))
        post([one, x = into.packets.back()] { deliver(*one, *x); });
    return true;
  }
  return false;
}

result<bus::reply> memory_bus::request(std::string_view subject,
                                       std::string_view bytes,
                                       std::chrono::milliseconds timeout,
                                       const header_list& with) {
  if (auto bad = refuse(subject, bytes))
    return std::move(*bad);
  const auto answer = std::make_shared<std::promise<reply>>();
  auto who = std::make_shared<listener>();
  std::optional<membership> inbox;
  {
    const std::lock_guard lock{mutex_};
    who->pattern = "_INBOX." + std::to_string(++made_);
    who->on_packet = [answer, first = true](const packet& x) mutable {
      if (std::exchange(first, false))
        answer->set_value(
          {std::string(x.bytes), *static_cast<const header_list*>(x.raw)});
    };
    listeners_.push_back(who);
    inbox.emplace(*this, who);
    if (hand_out(std::make_shared<const parcel>(
          parcel{mapped(subject), who->pattern, std::string(bytes), with}))
        == 0)
      timeout = std::chrono::milliseconds{-1};
  }
  auto arrived = answer->get_future();
  if (timeout.count() < 0)
    return fail(errc::unavailable,
                "asking " + std::string(subject)
                  + ": nobody serves this subject now, retry");
  if (arrived.wait_for(timeout) != std::future_status::ready)
    return fail(errc::unavailable, "asking " + std::string(subject)
                                     + ": no answer in time, retry with the "
                                       "same id");
  return arrived.get();
}

result<std::unique_ptr<bus::subscription>>
memory_bus::subscribe(std::string_view pattern, std::string_view group,
                      handler on_packet) {
  auto who = std::make_shared<listener>(
    listener{std::string(pattern), std::string(group), std::move(on_packet)});
  const std::lock_guard lock{mutex_};
  listeners_.push_back(who);
  return std::unique_ptr<subscription>{
    std::make_unique<membership>(*this, std::move(who))};
}

result<bus::stream_state> memory_bus::ensure_stream(const stream_config& want) {
  const std::lock_guard lock{mutex_};
  auto [at, is_new] = streams_.try_emplace(want.name);
  auto& x = at->second;
  if (is_new) {
    x.config = want;
    x.identity = std::to_string(++made_);
  }
  for (const auto& subject : want.subjects)
    if (std::find(x.config.subjects.begin(), x.config.subjects.end(), subject)
        == x.config.subjects.end())
      x.config.subjects.push_back(subject);
  return stream_state{x.identity, x.packets.empty() ? 0u : 1u,
                      x.packets.size()};
}

result<std::unique_ptr<bus::subscription>>
memory_bus::consume(std::string_view name, std::string_view pattern,
                    std::uint64_t offset, handler on_packet) {
  const std::lock_guard lock{mutex_};
  const auto at = streams_.find(name);
  if (at == streams_.end())
    return fail(errc::not_found, "reading stream " + std::string(name)
                                   + ": there is no such stream, make it "
                                     "first");
  auto who = std::make_shared<listener>(listener{
    pattern.empty() ? ">" : std::string(pattern), {}, std::move(on_packet)});
  for (const auto& x : at->second.packets)
    if (x->offset >= offset && fits(who->pattern, x->subject))
      post([who, x] { deliver(*who, *x); });
  at->second.readers.push_back(who);
  return std::unique_ptr<subscription>{
    std::make_unique<membership>(*this, std::move(who))};
}

void memory_bus::publish_stored(std::string_view subject,
                                std::string_view bytes, const header_list& with,
                                on_ack on_stored) {
  if (auto bad = refuse(subject, bytes)) {
    on_stored(std::move(*bad));
    return;
  }
  const std::lock_guard lock{mutex_};
  const auto what = std::make_shared<const parcel>(
    parcel{mapped(subject), {}, std::string(bytes), with});
  hand_out(what);
  result<void> stored;
  if (!keep(what))
    stored = fail(errc::unavailable, "no stream takes this subject; make the "
                                     "stream, or wait until JetStream is back");
  post([call = std::move(on_stored), stored] { call(stored); });
}

} // namespace

std::unique_ptr<bus> make_memory_bus() {
  return std::make_unique<memory_bus>();
}

} // namespace switchboard
