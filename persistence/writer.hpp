#pragma once

#include "persistence/store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <variant>

namespace switchboard {

/// Group commit: everything that was submitted while the previous commit ran
/// goes into the next one. No timer, no waiting for more: an idle writer
/// commits a single write at once. Only marks of the outbox, for which nobody
/// waits, wait up to 50 ms for a batch to ride along with.
///
/// When the database cannot keep something in a batch, its parts are committed
/// one by one, and only the one at fault is refused.
///
/// When the database is away the writer keeps its batch and repeats it until
/// the outcome is known; meanwhile `depth` grows, and callers push back on
/// theirs.
///
/// Thread safety: all members may be called from any thread. `done` callbacks
/// run on the writer's thread, after the commit, in the order of submission;
/// they only hand over and return.
class writer {
public:
  using on_outcome = std::function<void(const outcome&)>;
  using on_done = std::function<void()>;

  struct statistics {
    std::uint64_t commits = 0;
    std::uint64_t rows = 0;
    std::uint64_t repeats = 0; ///< Batches sent again, their outcome unknown.
    std::uint64_t fenced = 0;
    bool connected = false;
    std::int64_t last_commit_us = 0;
  };

  /// Starts the thread.
  /// @param batch_rows_max splits what has gathered into commits of this size
  writer(std::unique_ptr<store> to, node_id node, std::size_t batch_rows_max);

  /// Commits what was submitted (giving up after 5 s if the database is away)
  /// and ends the thread.
  ~writer();

  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  void submit(session_write what, on_outcome done);
  void submit(presence_write what);
  void submit(dead_letter what, on_done done);
  void submit(watermark what); ///< A later one of the same slot replaces it.
  void outbox_done(std::string dedupe_id);
  void outbox_dead(std::string dedupe_id);

  /// Session writes submitted and not yet answered.
  [[nodiscard]] std::size_t depth() const;

  [[nodiscard]] statistics stats() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard
