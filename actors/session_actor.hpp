#pragma once

#include "actors/session_ties.hpp"
#include "actors/world.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace switchboard {

/// Keeps one conversation: takes its events, lets `session::apply` decide, puts
/// what is durable into one write, and after the commit carries out the rest.
///
/// At most one write is under way. What arrives meanwhile waits and goes into
/// the next one together: so the state in memory is always the committed one,
/// a refused write is simply forgotten, and order follows by itself.
class session_actor {
public:
  static constexpr const char* name = "session";
  using handle = session_ref;

  struct birth {
    session::state state;
    directory_ptr known;
    slot_number slot = 0;
    std::int64_t epoch = 0;
    bool from_store = false;
    std::shared_ptr<session_ties> with{};
  };

  session_actor(handle::pointer self, birth b, std::shared_ptr<const world> w);

  handle::behavior_type make_behavior();

private:
  /// One job and what is to be done for it once its write is committed.
  struct planned {
    job what;
    session::effects effects;
    std::optional<std::size_t> repeats{}; ///< The same message, earlier here.
  };

  struct flight {
    session::state next;
    std::vector<planned> jobs;
    std::vector<outbox_row> out{};
    std::chrono::steady_clock::time_point since;
  };

  // -- what it is told --------------------------------------------------------

  void told(const job& x);
  void told(const outcome& x);
  void told(const person_found& x);
  void told(const rules_changed& x);
  void told(const customer_signed& x);
  void told(const farewell&);
  void told(const neighbours_new& x);
  void told(const settle_asked&);
  void told(const evicted&);
  void told(const session_claimed& x);
  void told(const customer_came& x);
  void told(const person_wanted& x);

  // -- one write after the other ----------------------------------------------

  void take_up();
  flight plan();
  void submit();
  void finish();
  void without_known(const std::vector<known_message>& known);
  void without_grants();
  void give_up(errc code, const char* why);
  void without_refused();
  void end();
  void say_settled();

  // One overload for each effect: forgetting one does not compile. The durable
  // ones have happened when these are called.
  void perform(const planned&, const session::append&);
  void perform(const planned&, const session::save&) {}
  void perform(const planned&, const session::send_out&) {}
  void perform(const planned&, const session::record&);
  void perform(const planned&, const session::answer&);
  void perform(const planned&, const session::find_agent&);
  void perform(const planned&, const session::leave_queue&);
  void perform(const planned&, const session::offer&);
  void perform(const planned&, const session::end_offer&);
  void perform(const planned&, const session::assign&);
  void perform(const planned&, const session::unassign&);
  void perform(const planned&, const session::remind&);
  void perform(const planned&, const session::show&);
  void perform(const planned&, const session::wake&);
  void perform(const planned&, const session::ignore&);
  void perform(const planned&, const session::tell_place&);

  [[nodiscard]] const session::rules& rules() const {
    return known_->rules_of(state_.want.queue);
  }

  void show_change(const session::state& before);
  void show_customer(const session::state& before, const flight& done);
  [[nodiscard]] visit::standing standing() const;
  [[nodiscard]] std::string closed_now(const session::transfer_target& target,
                                       time_point at) const;
  void ask_router();
  void recognise(const flight& done);
  void look_up_person(query_pool::rank when = query_pool::rank::normal);
  [[nodiscard]] push::session_opened opened() const;

  handle::pointer self_;
  session::state state_; ///< As committed.
  directory_ptr known_;
  slot_number slot_;
  std::int64_t epoch_;
  bool stored_; ///< The session has at least one committed entry.
  bool affinity_known_ = false;
  bool looking_up_ = false;
  person::addresses proven_{};    ///< By what the customer sent so far.
  person::addresses looked_up_{}; ///< With these the store was asked.
  time_point previous_at_{};
  std::string last_line_{}; ///< What the customer said last, for offers.
  std::string why_{};       ///< Of the last decision, for offers.
  std::vector<job> inbox_;
  std::unique_ptr<flight> flight_; ///< Apart: most sessions have none.
  std::size_t alone_ = 0;          ///< So many jobs get a write of their own.
  bool ended_ = false;
  bool evicted_ = false;      ///< The slot does not know us any more.
  bool settle_asked_ = false; ///< The slot waits until nothing is under way.
  std::shared_ptr<session_ties> ties_;
  std::shared_ptr<const world> world_;
};

} // namespace switchboard
