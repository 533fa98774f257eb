#include "bus/nats/stored_publisher.hpp"

#include <boost/json.hpp>

#include <charconv>
#include <utility>

namespace switchboard::nats {

namespace {

/// `{"stream":"SB_OUT","seq":7}` or `{"error":{"code":503,"description":…}}`.
result<void> read_answer(natsMsg* raw) {
  if (natsMsg_IsNoResponders(raw))
    return fail(errc::unavailable, "no stream takes this subject; make the "
                                   "stream, or wait until JetStream is back");
  const auto bytes = view(raw).bytes;
  if (bytes.find("\"error\"") == std::string_view::npos)
    return {};
  boost::system::error_code ec;
  const auto answer = boost::json::parse(bytes, ec);
  if (ec)
    return fail(errc::unavailable, "the broker's answer is not JSON");
  const auto* problem =
    answer.is_object() ? answer.get_object().if_contains("error") : nullptr;
  if (!problem || !problem->is_object())
    return {};
  const auto* text = problem->get_object().if_contains("description");
  const std::string why =
    text && text->is_string() ? text->get_string().c_str() : "no reason given";
  const bool full = why.find("maximum") != std::string::npos
                    || why.find("resource") != std::string::npos;
  return fail(full ? errc::overloaded : errc::unavailable,
              "the broker did not store the packet: " + why);
}

} // namespace

stored_publisher::stored_publisher(natsConnection* on)
  : on_(on), inbox_(make_inbox()) {
  // nop
}

stored_publisher::~stored_publisher() {
  answers_.reset();
  fail_all(fail(errc::unavailable, "the bus is closed; publish again with the "
                                   "same id"));
}

result<void> stored_publisher::start() {
  auto made = listener::start(on_, inbox_ + ".*", "", listener::ending::cut,
                              [this](natsMsg* raw) { on_answer(raw); });
  if (!made)
    return made.error();
  answers_ = std::move(*made);
  return {};
}

void stored_publisher::publish(std::string_view subject, std::string_view bytes,
                               const bus::header_list& with,
                               bus::on_ack on_stored) {
  std::uint64_t number = 0;
  {
    std::unique_lock lock{mutex_};
    if (waiting_.size() >= pending_max) {
      lock.unlock();
      on_stored(fail(errc::overloaded, "too many packets wait to be stored; "
                                       "publish more slowly"));
      return;
    }
    number = ++last_;
    waiting_.emplace(number,
                     waiting{std::move(on_stored),
                             std::chrono::steady_clock::now() + answer_max});
  }
  auto made =
    make_message(subject, inbox_ + "." + std::to_string(number), bytes, with);
  result<void> sent;
  if (!made)
    sent = made.error();
  else if (const auto status = natsConnection_PublishMsg(on_, made->get());
           status != NATS_OK)
    sent = translate(status, "publishing to a stream");
  if (!sent)
    if (const auto call = take(number))
      call(sent);
}

void stored_publisher::expire(time now) {
  for (;;) {
    bus::on_ack call;
    {
      const std::lock_guard lock{mutex_};
      if (waiting_.empty() || waiting_.begin()->second.until > now)
        return;
      call = std::move(waiting_.begin()->second.on_stored);
      waiting_.erase(waiting_.begin());
    }
    call(fail(errc::unavailable, "the broker did not answer in time; publish "
                                 "again with the same id"));
  }
}

void stored_publisher::fail_all(const error& why) {
  std::map<std::uint64_t, waiting> all;
  {
    const std::lock_guard lock{mutex_};
    all.swap(waiting_);
  }
  for (const auto& [number, one] : all)
    one.on_stored(why);
}

void stored_publisher::on_answer(natsMsg* raw) {
  const auto subject = view(raw).subject;
  std::uint64_t number = 0;
  const auto digits = subject.substr(subject.rfind('.') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (const auto call = take(number))
    call(read_answer(raw));
}

bus::on_ack stored_publisher::take(std::uint64_t number) {
  const std::lock_guard lock{mutex_};
  const auto found = waiting_.find(number);
  if (found == waiting_.end())
    return {};
  auto call = std::move(found->second.on_stored);
  waiting_.erase(found);
  return call;
}

} // namespace switchboard::nats
