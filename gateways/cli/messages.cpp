// `send` and `watch`: the bus from a terminal.
#include "bus/codec.hpp"
#include "bus/subject.hpp"
#include "config/child_process.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/cli/serve.hpp"

#include <boost/json.hpp>

#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

namespace switchboard::cli {

namespace {

struct send_options {
  std::string channel = "web";
  std::string user;
  std::string text;
  std::string id;
  std::string queue = "default";
  std::string language;
  bool buffered = false;
};

int send(const context& c, const send_options& how) {
  if (!subject::is_channel(how.channel))
    throw failure{usage, "'" + how.channel
                           + "' is no channel: lower-case letters, digits and "
                             "'-', beginning with a letter"};
  const contact from{how.channel, how.user};
  const inbound what{
    .id = {how.id.empty() ? "cli-" + random_secret(8) : how.id},
    .from = from,
    .content = how.text,
    .want = {.queue = {how.queue}, .language = how.language}};
  const auto wire = c.open_bus();
  if (how.buffered) {
    std::mutex mutex;
    std::condition_variable told;
    std::optional<result<void>> outcome;
    wire->publish_stored(subject::in(from), codec::encode(what),
                         {{"Nats-Msg-Id", how.channel + ':' + what.id.text}},
                         [&](const result<void>& x) {
                           const std::lock_guard lock{mutex};
                           outcome = x;
                           told.notify_one();
                         });
    std::unique_lock lock{mutex};
    told.wait(lock, [&] { return outcome.has_value(); });
    must(*outcome);
    std::cout << (c.json ? R"({"stored":true})" : "stored on the buffered lane")
              << '\n';
    return ok;
  }
  const auto got = must(wire->request(subject::post(from), codec::encode(what),
                                      std::chrono::seconds{10}));
  const auto told = codec::decode_receipt(got.bytes);
  if (!told) {
    boost::system::error_code ec;
    const auto problem = boost::json::parse(got.bytes, ec);
    const auto* detail = !ec && problem.is_object()
                           ? problem.get_object().if_contains("detail")
                           : nullptr;
    throw failure{failed, detail && detail->is_string()
                            ? std::string(detail->get_string())
                            : got.bytes};
  }
  if (c.json)
    std::cout << got.bytes << '\n';
  else
    std::cout << "session " << told->session << ", line " << told->seq
              << (told->duplicate ? " (was there already)" : "") << '\n';
  return ok;
}

int watch(const context& c) {
  catch_signals();
  const auto wire = c.open_bus();
  std::mutex printing;
  const auto print = [&](const bus::packet& x) {
    const std::lock_guard lock{printing};
    if (c.json)
      std::cout << R"({"subject":)"
                << boost::json::serialize(boost::json::value(x.subject))
                << R"(,"data":)" << x.bytes << "}\n"
                << std::flush;
    else
      std::cout << x.subject << "  " << x.bytes << '\n' << std::flush;
  };
  const auto out = must(wire->subscribe("sb.v1.out.>", "", print));
  const auto events = must(wire->subscribe("sb.v1.evt.>", "", print));
  std::cerr << "watching replies (sb.v1.out.>) and events (sb.v1.evt.>); "
               "Ctrl-C ends\n";
  while (!stop_asked())
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  return ok;
}

} // namespace

void add_messages(CLI::App& to, context& c) {
  static send_options how;
  auto* made = add(to, "send", "Writes one message as a customer",
                   "  switchboard send --user u1 \"where is my order?\"\n"
                   "  switchboard send --channel app --user 42 --id m-7 hi\n",
                   [&c] { return send(c, how); });
  made->add_option("--channel", how.channel, "Channel")->capture_default_str();
  made->add_option("--user", how.user, "User of the channel")->required();
  made->add_option("--id", how.id, "Message id; the same on every retry");
  made->add_option("--queue", how.queue, "Waiting line")->capture_default_str();
  made->add_option("--language", how.language, "Language, for example zh");
  made->add_flag("--buffered", how.buffered,
                 "Use the buffered lane: JetStream keeps it until it is read");
  made->add_option("text", how.text, "What the customer says")->required();
  add(to, "watch", "Prints replies and events as they happen",
      "  switchboard watch --json | jq .\n", [&c] { return watch(c); });
}

} // namespace switchboard::cli
