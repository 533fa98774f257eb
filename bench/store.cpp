#include "bench/store.hpp"

#include "actors/domain/placement.hpp"
#include "bench/copy_floor.hpp"
#include "bench/payloads.hpp"
#include "bench/rig.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace switchboard::bench {

namespace {

constexpr int sessions = 1024;
using std::chrono::steady_clock;

template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error(x.error().detail);
  return std::move(*x);
}

/// Conversations that only ever grow, one line each a commit.
class conversations {
public:
  explicit conversations(rig& on) : store_(on.open_store()) {
    if (auto said = store_->announce(node_, "bench"); !said)
      throw std::runtime_error(said.error().detail);
    for (const auto& x : must(store_->claim(node_, "bench")))
      epochs_.emplace(x.slot, x.epoch);
    const auto now = std::chrono::time_point_cast<duration>(clock::now());
    for (int i = 0; i < sessions; ++i) {
      const contact who{"web", "store-" + std::to_string(i)};
      const auto slot = slot_of(who.channel, who.user);
      session::state s;
      s.id = make_session_id(now, slot, static_cast<std::uint16_t>(i));
      s.who = who;
      s.at = session::queued{};
      s.opened_at = now;
      s.waiting_since = now;
      states_.push_back(s);
    }
  }

  /// @returns entries a second
  double append(std::int64_t rows) {
    const auto begin = steady_clock::now();
    for (std::int64_t done = 0; done < rows; done += sessions)
      commit();
    return static_cast<double>(rows)
           / std::chrono::duration<double>(steady_clock::now() - begin).count();
  }

  [[nodiscard]] std::int64_t lines() const { return written_; }

private:
  void commit() {
    const auto now = std::chrono::time_point_cast<duration>(clock::now());
    batch all;
    for (auto& s : states_) {
      session_write w;
      w.slot = slot_of(s.id);
      w.epoch = epochs_.at(w.slot);
      w.base_seq = s.last_seq++;
      w.state_changed = w.base_seq == 0;
      entry line;
      line.seq = s.last_seq;
      line.kind = entry_kind::customer;
      line.id = {s.who.user + '-' + std::to_string(s.last_seq)};
      line.body = payload(static_cast<std::uint64_t>(written_++));
      line.at = now;
      w.state = s;
      w.entries.push_back(std::move(line));
      all.sessions.push_back(std::move(w));
    }
    for (const auto& x : must(store_->append(node_, all)))
      if (x.what != verdict::committed)
        throw std::runtime_error("an append was refused: "
                                 + std::string{to_string(x.what)});
  }

  node_id node_{"bench"};
  std::unique_ptr<store> store_;
  std::map<slot_number, std::int64_t> epochs_;
  std::vector<session::state> states_;
  std::int64_t written_ = 0;
};

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

std::string spread(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return std::to_string(static_cast<int>(x.front())) + " to "
         + std::to_string(static_cast<int>(x.back()));
}

} // namespace

report run_store(const store_options& how) {
  rig on;
  conversations ours{on};
  const auto& conninfo = on.postgres().conninfo();
  ours.append(sessions); // Sessions exist and plans are warm.
  copy_floor(conninfo, sessions);
  std::vector<double> append;
  std::vector<double> copy;
  std::vector<double> single;
  {
    progress bar{"store"};
    for (int i = 0; i < how.rounds; ++i) {
      bar.at(static_cast<double>(i) / how.rounds);
      const auto a = [&] { append.push_back(ours.append(how.rows)); };
      const auto b = [&] { copy.push_back(copy_floor(conninfo, how.rows)); };
      a(), b(), b(), a();
      single.push_back(row_by_row_floor(conninfo, how.rows / 25));
    }
  }
  report r{.name = "store", .unit = "entries/s"};
  r.value = median(append);
  r.floor = median(copy);
  r.ratio = r.value / r.floor;
  r.floor_is = "COPY of the same entries and ids, 1 000 a commit";
  r.must = ">= 0.5 of COPY, >= 20 times row by row";
  r.more.emplace_back("spread", spread(append) + "; COPY " + spread(copy));
  r.more.emplace_back(
    "row by row", std::to_string(static_cast<int>(median(single))) + "/s, a "
                    + std::to_string(static_cast<int>(r.value / median(single)))
                    + "th of ours");
  const auto stored = std::stoll(on.query("SELECT count(*) FROM entry"));
  r.lost = std::max<std::int64_t>(0, ours.lines() - stored);
  r.duplicated = std::max<std::int64_t>(0, stored - ours.lines());
  r.reordered = std::stoll(on.query(
    "SELECT count(*) FROM (SELECT seq, row_number() OVER (PARTITION BY "
    "session_id ORDER BY seq) AS n, source_id FROM entry) x WHERE seq <> n OR "
    "source_id NOT LIKE '%-' || seq"));
  return r;
}

} // namespace switchboard::bench
