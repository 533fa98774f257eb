#include "persistence/writer.hpp"
#include "config/thread_name.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

namespace switchboard {

namespace {

constexpr auto retry_first = std::chrono::milliseconds{50};
constexpr auto retry_max = std::chrono::milliseconds{1000};
constexpr auto patience_at_end = std::chrono::seconds{5};

/// How long a mark in the outbox waits for a batch to ride along with. Nobody
/// waits for it: with a commit of its own it would only be in the way of the
/// next message.
constexpr auto marks_wait = std::chrono::milliseconds{50};

} // namespace

struct writer::impl {
  struct session_job {
    session_write what;
    on_outcome done;
  };
  struct letter_job {
    dead_letter what;
    on_done done;
  };

  /// What has gathered and is not under way yet.
  struct gathered {
    std::deque<session_job> sessions;
    std::vector<letter_job> letters;
    std::vector<presence_write> presences;
    std::map<slot_number, watermark> watermarks;
    std::vector<std::string> outbox_done;
    std::vector<std::string> outbox_dead;

    /// True if there is something that somebody waits for.
    [[nodiscard]] bool urgent() const {
      return !sessions.empty() || !letters.empty() || !presences.empty()
             || !watermarks.empty();
    }

    [[nodiscard]] bool empty() const {
      return !urgent() && outbox_done.empty() && outbox_dead.empty();
    }
  };

  /// A batch and who waits for its parts.
  struct commit {
    batch what;
    std::vector<on_outcome> sessions;
    std::vector<on_done> letters;
  };

  impl(std::unique_ptr<store> to, node_id name, std::size_t max)
    : store_(std::move(to)), node_(std::move(name)), rows_max_(max) {
    thread_ = std::thread{[this] {
      name_thread("writer");
      work();
    }};
  }

  ~impl() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
      give_up_at_ = std::chrono::steady_clock::now() + patience_at_end;
    }
    filled_.notify_all();
    thread_.join();
  }

  template <class Put>
  void submit(Put put) {
    bool wake = false;
    {
      const std::lock_guard lock{mutex_};
      const auto empty = next_.empty();
      const auto urgent = next_.urgent();
      put(next_);
      wake = empty || urgent != next_.urgent();
    }
    if (wake)
      filled_.notify_one();
  }

  void work() {
    for (;;) {
      commit c;
      {
        std::unique_lock lock{mutex_};
        filled_.wait(lock, [this] { return stopping_ || !next_.empty(); });
        filled_.wait_for(lock, marks_wait,
                         [this] { return stopping_ || next_.urgent(); });
        if (next_.empty())
          return;
        c = take();
      }
      auto got = insist(c.what);
      if (!got && got.error().code == errc::malformed)
        got = one_by_one(c.what);
      if (!got)
        return; // Only at the end, with the database away.
      account(c, *got);
      for (std::size_t i = 0; i < c.sessions.size(); ++i)
        c.sessions[i]((*got)[i]);
      for (auto& done : c.letters)
        if (done)
          done();
    }
  }

  /// Takes what has gathered, up to `rows_max_` entries. A session has never
  /// more than one write under way, unless its slot went and came back: so a
  /// batch has each at most once.
  /// @pre the mutex is held
  commit take() {
    commit c;
    std::size_t rows = 0;
    std::unordered_set<session_id> taken;
    while (!next_.sessions.empty() && rows < rows_max_) {
      auto& job = next_.sessions.front();
      if (!taken.insert(job.what.state.id).second)
        break;
      rows += job.what.entries.size();
      c.what.sessions.push_back(std::move(job.what));
      c.sessions.push_back(std::move(job.done));
      next_.sessions.pop_front();
    }
    for (auto& job : std::exchange(next_.letters, {})) {
      c.what.dead.push_back(std::move(job.what));
      c.letters.push_back(std::move(job.done));
    }
    c.what.presences = latest(std::exchange(next_.presences, {}));
    for (auto& [slot, mark] : std::exchange(next_.watermarks, {}))
      c.what.watermarks.push_back(std::move(mark));
    c.what.outbox_done = std::exchange(next_.outbox_done, {});
    c.what.outbox_dead = std::exchange(next_.outbox_dead, {});
    return c;
  }

  /// Of each agent only the last presence: an UPDATE changes a row once.
  static std::vector<presence_write> latest(std::vector<presence_write> all) {
    std::map<agent_id, presence_write> last;
    for (auto& x : all)
      last.insert_or_assign(x.agent, std::move(x));
    std::vector<presence_write> kept;
    for (auto& [id, x] : last)
      kept.push_back(std::move(x));
    return kept;
  }

  /// Sends the batch until its outcome is known. The same batch again is
  /// harmless: what was written is recognised.
  result<std::vector<outcome>> insist(const batch& what) {
    auto wait = retry_first;
    for (int attempt = 0;; ++attempt) {
      const auto begin = std::chrono::steady_clock::now();
      auto got = store_->append(node_, what);
      const auto took = std::chrono::steady_clock::now() - begin;
      {
        const std::lock_guard lock{mutex_};
        stats_.connected = got.has_value();
        stats_.repeats += attempt > 0 ? 1 : 0;
        stats_.last_commit_us =
          std::chrono::duration_cast<std::chrono::microseconds>(took).count();
      }
      if (got || got.error().code == errc::malformed)
        return got;
      if (attempt == 0 || got.error().code != errc::unavailable)
        spdlog::error("writer: batch not committed, it will be sent again: {}",
                      got.error().detail);
      std::this_thread::sleep_for(wait);
      const std::lock_guard lock{mutex_};
      if (stopping_ && std::chrono::steady_clock::now() > give_up_at_)
        return got;
      wait = std::min(wait * 2, retry_max);
    }
  }

  /// The parts of a batch that cannot be kept as a whole, each for itself. What
  /// is at fault and has nobody to be told is dropped.
  result<std::vector<outcome>> one_by_one(const batch& all) {
    std::vector<outcome> told;
    for (const auto& x : all.sessions) {
      const auto got = insist({.sessions = {x}});
      if (got)
        told.push_back(got->front());
      else if (got.error().code != errc::malformed)
        return got;
      else
        told.push_back({verdict::refused});
      if (!got)
        spdlog::error("writer: session {} cannot be written: {}",
                      x.state.id.value, got.error().detail);
    }
    std::vector<batch> rest;
    for (const auto& x : all.dead)
      rest.push_back({.dead = {x}});
    for (const auto& x : all.presences)
      rest.push_back({.presences = {x}});
    rest.push_back({.watermarks = all.watermarks,
                    .outbox_done = all.outbox_done,
                    .outbox_dead = all.outbox_dead});
    for (const auto& x : rest) {
      const auto got = insist(x);
      if (!got && got.error().code != errc::malformed)
        return got;
      if (!got)
        spdlog::error("writer: dropped what cannot be written: {}",
                      got.error().detail);
    }
    return told;
  }

  void account(const commit& c, const std::vector<outcome>& got) {
    const std::lock_guard lock{mutex_};
    ++stats_.commits;
    depth_ -= c.sessions.size();
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (got[i].what == verdict::committed)
        stats_.rows += c.what.sessions[i].entries.size();
      if (got[i].what == verdict::fenced)
        ++stats_.fenced;
    }
  }

  std::unique_ptr<store> store_;
  node_id node_;
  std::size_t rows_max_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  gathered next_;
  std::size_t depth_ = 0;
  statistics stats_{.connected = true};
  bool stopping_ = false;
  std::chrono::steady_clock::time_point give_up_at_{};
  std::thread thread_;
};

writer::writer(std::unique_ptr<store> to, node_id node,
               std::size_t batch_rows_max)
  : impl_(
    std::make_unique<impl>(std::move(to), std::move(node), batch_rows_max)) {
  // nop
}

writer::~writer() = default;

void writer::submit(session_write what, on_outcome done) {
  impl_->submit([&](impl::gathered& to) {
    ++impl_->depth_;
    to.sessions.push_back({std::move(what), std::move(done)});
  });
}

void writer::submit(presence_write what) {
  impl_->submit(
    [&](impl::gathered& to) { to.presences.push_back(std::move(what)); });
}

void writer::submit(dead_letter what, on_done done) {
  impl_->submit([&](impl::gathered& to) {
    to.letters.push_back({std::move(what), std::move(done)});
  });
}

void writer::submit(watermark what) {
  impl_->submit([&](impl::gathered& to) {
    to.watermarks.insert_or_assign(what.slot, std::move(what));
  });
}

void writer::outbox_done(std::string dedupe_id) {
  impl_->submit([&](impl::gathered& to) {
    to.outbox_done.push_back(std::move(dedupe_id));
  });
}

void writer::outbox_dead(std::string dedupe_id) {
  impl_->submit([&](impl::gathered& to) {
    to.outbox_dead.push_back(std::move(dedupe_id));
  });
}

std::size_t writer::depth() const {
  const std::lock_guard lock{impl_->mutex_};
  return impl_->depth_;
}

writer::statistics writer::stats() const {
  const std::lock_guard lock{impl_->mutex_};
  return impl_->stats_;
}

} // namespace switchboard
