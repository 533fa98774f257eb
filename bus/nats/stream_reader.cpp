#include "bus/nats/stream_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

namespace switchboard::nats {

namespace {

constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
constexpr std::int64_t forgotten_after_ms = 5000;
constexpr std::int64_t answer_ms_max = 2000;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

std::uint64_t to_number(std::string_view text) {
  std::uint64_t x = 0;
  std::from_chars(text.data(), text.data() + text.size(), x);
  return x;
}

struct place {
  std::uint64_t offset = 0;    ///< In the stream.
  std::uint64_t delivered = 0; ///< By this consumer, 1, 2, 3 ...
};

/// The broker writes both into the reply subject:
/// $JS.ACK.<stream>.<consumer>.<times>.<offset>.<delivered>.<time>.<pending>,
/// newer ones with <domain>.<account> after ACK and a token at the end. Reading
/// it here spares the library's allocation of its metadata for each packet.
std::optional<place> read_place(std::string_view reply) {
  std::array<std::string_view, 12> tokens;
  std::size_t count = 0;
  for (std::size_t from = 0; from <= reply.size() && count < tokens.size();) {
    const auto dot = std::min(reply.find('.', from), reply.size());
    tokens[count++] = reply.substr(from, dot - from);
    from = dot + 1;
  }
  if (count < 9 || tokens[0] != "$JS" || tokens[1] != "ACK")
    return std::nullopt;
  const std::size_t shift = count == 9 ? 0 : 2;
  return place{to_number(tokens[5 + shift]), to_number(tokens[6 + shift])};
}

} // namespace

stream_reader::stream_reader(natsConnection* on, jsCtx* context,
                             std::string stream, std::string pattern,
                             std::uint64_t offset, bus::handler on_packet)
  : on_(on),
    context_(context),
    stream_(std::move(stream)),
    pattern_(std::move(pattern)),
    on_packet_(std::move(on_packet)),
    next_offset_(std::max<std::uint64_t>(offset, 1)) {
  // nop
}

result<void> stream_reader::start() {
  const std::lock_guard lock{mutex_};
  return open();
}

/// @pre no listener lives, `mutex_` is held
result<void> stream_reader::open() {
  broken_ = false;
  delivered_ = 0;
  heard_ms_ = now_ms();
  const auto inbox = make_inbox();
  auto made = listener::start(on_, inbox, "", listener::ending::cut,
                              [this](natsMsg* raw) { on_message(raw); });
  if (!made)
    return made.error();
  jsConsumerConfig want;
  jsConsumerConfig_Init(&want);
  want.DeliverSubject = inbox.c_str();
  want.DeliverPolicy = js_DeliverByStartSequence;
  want.OptStartSeq = next_offset_;
  want.AckPolicy = js_AckNone;
  want.MaxDeliver = 1;
  want.FilterSubject = pattern_.empty() ? nullptr : pattern_.c_str();
  want.FlowControl = true;
  want.Heartbeat = heartbeat.count() * nanoseconds_per_ms;
  want.InactiveThreshold = forgotten_after_ms * nanoseconds_per_ms;
  want.MemoryStorage = true;
  want.Replicas = 1;
  jsOptions patience;
  jsOptions_Init(&patience);
  patience.Wait = answer_ms_max;
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const auto status =
    js_AddConsumer(&raw, context_, stream_.c_str(), &want, &patience, &code);
  const consumer_info info{raw};
  if (status != NATS_OK)
    return translate(status, code, "reading stream " + stream_);
  listener_ = std::move(*made);
  return {};
}

void stream_reader::tend(time now) {
  const std::lock_guard lock{mutex_};
  const auto silent_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                           now.time_since_epoch())
                           .count()
                         - heard_ms_;
  if (stopped_ || (listener_ && !broken_ && silent_ms < silence_max.count()))
    return;
  if (natsConnection_Status(on_) != NATS_CONN_STATUS_CONNECTED)
    return;
  // Waits for the handler: from here on the place is ours.
  listener_.reset();
  static_cast<void>(
    open()); // Failed: there is no listener; the next call tries.
}

void stream_reader::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  listener_.reset();
}

void stream_reader::on_message(natsMsg* raw) {
  heard_ms_ = now_ms();
  if (broken_)
    return;
  auto packet = view(raw);
  const auto at = read_place(packet.reply);
  if (!at) {
    on_status(raw);
    return;
  }
  if (at->delivered != delivered_ + 1) {
    broken_ = true; // One is missing: begin again at `next_offset_`.
    return;
  }
  delivered_ = at->delivered;
  if (at->offset < next_offset_)
    return;
  packet.offset = at->offset;
  packet.reply = {};
  on_packet_(packet);
  next_offset_ = at->offset + 1;
  heard_ms_ = now_ms();
}

/// A heartbeat or a question whether we keep up.
void stream_reader::on_status(natsMsg* raw) {
  const auto last = header(raw, "Nats-Last-Consumer");
  if (!last.empty() && to_number(last) != delivered_)
    broken_ = true;
  const auto packet = view(raw);
  const auto stalled = header(raw, "Nats-Consumer-Stalled");
  const auto answer =
    packet.reply.empty() ? stalled : std::string(packet.reply);
  if (!answer.empty())
    natsConnection_Publish(on_, answer.c_str(), nullptr, 0);
}

} // namespace switchboard::nats
