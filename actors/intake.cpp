#include "actors/intake.hpp"

#include "actors/lane_reader.hpp"
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "bus/utf8.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace switchboard {

namespace {

/// True for what no repetition can mend.
bool is_final(errc code) {
  return code == errc::malformed || code == errc::too_large
         || code == errc::conflict || code == errc::forbidden
         || code == errc::not_found;
}

class pending_answer {
public:
  pending_answer(arrived what, slot_number slot, std::int64_t epoch,
                 std::shared_ptr<const world> w)
    : what_(std::move(what)), slot_(slot), epoch_(epoch), world_(std::move(w)) {
    // nop
  }

  ~pending_answer() {
    if (!answered_)
      answer(fail(errc::unavailable, "not done; repeat with the same id"));
    --world_->counted->in_flight;
  }

  pending_answer(const pending_answer&) = delete;
  pending_answer& operator=(const pending_answer&) = delete;

  void answer(const result<receipt>& x) {
    if (std::exchange(answered_, true))
      return;
    if (!x)
      ++world_->counted->refused;
    world_->counted->end_to_end.add(
      std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - what_.at));
    if (what_.offset > 0)
      buffered(x);
    else
      direct(x);
  }

private:
  void direct(const result<receipt>& x) const {
    if (what_.reply.empty())
      return; // A publish on the direct lane: nobody asked for a receipt.
    if (!x) {
      reply_problem(*world_->wire, what_.reply, x.error());
      return;
    }
    static_cast<void>(
      world_->wire->publish(what_.reply, codec::encode_receipt(*x)));
  }

  void buffered(const result<receipt>& x) {
    if (x) {
      world_->lane->finish(slot_, what_.offset);
      return;
    }
    if (!is_final(x.error().code)) {
      world_->lane->undone(slot_, what_.offset);
      return;
    }
    bury(x.error());
  }

  /// Puts the message aside with its reason, and only then lets the offset go.
  /// What stands in the letter as text must be text, whatever was sent: else
  /// the database would refuse the letter for ever.
  void bury(const error& why) {
    ++world_->counted->dead_letters;
    dead_letter letter{
      .slot = slot_,
      .epoch = epoch_,
      .subject = as_text(what_.subject),
      .reason = as_text(std::string(to_string(why.code)) + ": " + why.detail),
      .with = {{"Nats-Msg-Id", as_text(what_.id)}},
      .payload = what_.bytes,
      .offset = what_.offset};
    auto with = letter.with;
    with.emplace_back("Switchboard-Error", letter.reason);
    with.emplace_back("Switchboard-Subject", letter.subject);
    world_->log->submit(std::move(letter), [w = world_, slot = slot_,
                                            offset = what_.offset,
                                            bytes = what_.bytes,
                                            with = std::move(with),
                                            code = why.code] {
      w->lane->finish(slot, offset);
      // The row is what counts; the copy on the bus is for who listens.
      w->wire->publish_stored(subject::dead_letter("SB_IN", to_string(code)),
                              bytes, with, [](const result<void>& stored) {
                                if (!stored)
                                  spdlog::warn("dead letter not published: {}",
                                               stored.error().detail);
                              });
    });
  }

  arrived what_;
  slot_number slot_;
  std::int64_t epoch_;
  std::shared_ptr<const world> world_;
  bool answered_ = false;
};

} // namespace

reply_to answer_to(arrived what, slot_number slot, std::int64_t epoch,
                   std::shared_ptr<const world> w) {
  auto pending = std::make_shared<pending_answer>(std::move(what), slot, epoch,
                                                  std::move(w));
  return [pending](const result<receipt>& x) { pending->answer(x); };
}

void reply_problem(bus& wire, const std::string& to, const error& why) {
  if (to.empty())
    return;
  static_cast<void>(wire.publish(
    to, codec::encode_problem(why),
    {{"Nats-Service-Error", why.detail},
     {"Nats-Service-Error-Code", std::to_string(http_status(why.code))}}));
}

} // namespace switchboard
