#pragma once

#include "actors/domain/session.hpp"

#include <string>
#include <string_view>

/// The inside of the session machine; include session.hpp instead. It is
/// divided by concern: what customers do and what all share (session.cpp), the
/// wait in queues (session_queue.cpp), the agent who has the session
/// (session_owner.cpp), the agents who are asked (session_offers.cpp), and time
/// (session_time.cpp).
namespace switchboard::session {

/// One step of the machine: the state to change, and what is to be done.
struct step {
  state& s;
  const rules& r;
  time_point now;
  effects todo{};

  // -- customers (session.cpp) ------------------------------------------------

  void operator()(const customer_said& e);
  void operator()(const customer_left& e);

  // -- the line (session_queue.cpp) -------------------------------------------

  void operator()(const placed& e);

  // -- the agent who has it (session_owner.cpp) -------------------------------

  void operator()(const agent_said& e);
  void operator()(const agent_noted& e);
  void operator()(const hold_asked& e);
  void operator()(const resume_asked& e);
  void operator()(const transfer_asked& e);
  void operator()(const close_asked& e);
  void operator()(const wrapped_up& e);
  void operator()(const agent_lost& e);

  // -- agents who are asked (session_offers.cpp) ------------------------------

  void operator()(const granted& e);
  void operator()(const accepted& e);
  void operator()(const declined& e);
  void operator()(const withdrawn& e);

  // -- time and life (session_time.cpp) ---------------------------------------

  void operator()(const timer& e);
  void operator()(const revived& e);

  // -- building blocks (session.cpp) ------------------------------------------

  entry& append_line(entry_kind kind, std::string author, std::string body,
                     message_id id = {});
  /// A line of the log for every change of state; the state is saved with it.
  void note_event(std::string_view what, const agent_id& who = {},
                  std::string detail = {});
  void say_yes(std::int32_t seq);
  void say_no(errc code, std::string why);
  void start_timer(time_point at);
  void ignored(std::string_view what);
  /// @returns false, having said why, for a body that cannot be taken
  bool is_text(std::string_view body);
  /// From here on the customer waits, unless they did already.
  void start_waiting();
  void search_again();
  void give_to(const agent_id& who);
  /// Ends whatever is open, with everybody who has a part in it.
  void close(std::string_view reason, const agent_id& by, std::string detail);
  /// Tells all who are asked that it is over; the phase is left as it is.
  void end_offers(std::string_view reason);

  // -- of the line (session_queue.cpp) ----------------------------------------

  enum class standing { outside, in_line };

  /// Where a queued session belongs right now: in the line, in another queue's,
  /// or outside. @param was where the router believes it
  void line_up(standing was);
  /// The same, and the router is told even if it knows.
  void line_up_anew(standing was);
  void stay_outside(queued& at, standing was);
  void ask_still_there(queued& at, standing was);
  /// @returns false if there is no other queue to go to
  bool overflow();
  /// Lets the emergency receiver have it too. @returns whether that is new
  bool call_receiver();
  void say_to_customer(const std::string& text);
  [[nodiscard]] time_point silent_since() const;
  [[nodiscard]] time_point overflows_at() const;
  [[nodiscard]] time_point probes_at() const;

  // -- of the owner (session_owner.cpp) ---------------------------------------

  /// @returns true if `who` may act, else says why not
  bool may_act(const agent_id& who, std::int64_t ownership);
  /// @returns true if the queue knows this disposition, else says which it does
  bool is_disposition(std::string_view text);

  // -- of offers (session_offers.cpp) -----------------------------------------

  void exclude(const agent_id& who);
  [[nodiscard]] const reservation* asked_as(const agent_id& who,
                                            std::int64_t number) const;
  /// The session goes to this agent, from the line or from another agent.
  void take_over(const agent_id& who);
  /// The question to an agent came to nothing.
  /// @pre `was` is open
  void end_question(const reservation& was, std::string_view reason,
                    std::string detail = {});
  /// Nobody took the transfer: its sender has the session, as before.
  void return_to_sender(const agent_id& sender);
  /// The timer of open offers and of a transfer.
  void start_offer_timer();
  [[nodiscard]] bool has_place_for(const granted& e) const;
  void take_up(const granted& e);

  // -- of time (session_time.cpp) ---------------------------------------------

  /// Begins to look after an active session.
  void watch();
  void look_after(active& at);
  [[nodiscard]] bool owes_first_reply(const active& at) const;
  void wake_up(active& at);
  void end_unheard_offers();
  void pass(const transferring& at);
};

} // namespace switchboard::session
