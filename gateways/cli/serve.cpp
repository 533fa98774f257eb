#include "gateways/cli/serve.hpp"

#include "actors/node.hpp"
#include "config/log_line.hpp"
#include "gateways/cli/cli.hpp"
#include "gateways/http/gateway.hpp"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace switchboard::cli {

namespace {

std::atomic<bool> stop_flag{false};
std::atomic<bool> reload_flag{false};

node::options node_of(const settings& s) {
  return {.name = {s.node.name},
          .postgres_url = s.postgres.url,
          .nats = nats_of(s, s.node.name),
          .batch_rows_max = static_cast<std::size_t>(s.postgres.batch_rows_max),
          .readers = static_cast<int>(s.postgres.readers),
          .threads = static_cast<int>(s.actors.threads),
          .in_flight_max = static_cast<std::size_t>(s.actors.in_flight_max),
          .stream_bytes_max = s.nats.stream_bytes_max,
          .stream_replicas = static_cast<int>(s.nats.stream_replicas),
          .stream_age_max = std::chrono::duration_cast<std::chrono::seconds>(
            s.nats.stream_age_max),
          .address = s.http.address + ':' + std::to_string(s.http.port),
          .persons = {.country = s.identity.country},
          .agent_grace = std::chrono::seconds{s.agents.grace_s},
          .give_up = stop_asked,
          .policy_file = s.routing.policy,
          .router_record = s.routing.record,
          .reload_asked = [] { return reload_flag.exchange(false); }};
}

class json_lines final : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& x,
              spdlog::memory_buf_t& to) override {
    const auto text =
      log_line(std::chrono::duration_cast<std::chrono::milliseconds>(
                 x.time.time_since_epoch()),
               {spdlog::level::to_string_view(x.level).data(),
                spdlog::level::to_string_view(x.level).size()},
               {x.payload.data(), x.payload.size()});
    to.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<json_lines>();
  }
};

} // namespace

void catch_signals() {
  struct sigaction how {};
  how.sa_handler = [](int) { stop_flag = true; };
  sigaction(SIGINT, &how, nullptr);
  sigaction(SIGTERM, &how, nullptr);
  how.sa_handler = [](int) { reload_flag = true; };
  sigaction(SIGHUP, &how, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_asked() {
  return stop_flag;
}

void set_up_log(const settings& s) {
  spdlog::set_level(spdlog::level::from_str(s.log.level));
  const auto lines =
    s.log.format == "json" || (s.log.format == "auto" && isatty(2) == 0);
  if (lines)
    spdlog::set_formatter(std::make_unique<json_lines>());
  else
    spdlog::set_pattern("%H:%M:%S.%e %^%l%$ %v");
}

int run_node(const settings& s, const std::function<void(int port)>& started,
             const std::function<bool()>& turn) {
  auto verifier = make_token_verifier(tokens_of(s));
  if (!verifier)
    throw failure{bad_configuration, verifier.error().detail
                                       + " (auth.secret or auth.public_key)"};
  auto running = node::start(node_of(s));
  if (!running) {
    if (stop_asked())
      return ok;
    throw failure{running.error().code == errc::unavailable ? dependency_down
                                                            : bad_configuration,
                  running.error().detail};
  }
  auto door = make_gateway(
    {.address = s.http.address,
     .port = static_cast<std::uint16_t>(s.http.port),
     .threads = static_cast<std::size_t>(s.http.threads),
     .origins = s.http.origins,
     .connections_max = static_cast<std::size_t>(s.http.connections_max),
     .verifier = verifier->get(),
     .actors = &(*running)->face()});
  if (!door)
    throw failure{bad_configuration, door.error().detail};
  started((*door)->port());
  while (!stop_asked() && (!turn || turn()))
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  spdlog::info("stopping: other nodes get the slots, screens reconnect");
  (*running)->drain();
  (*door)->stop();
  door->reset();
  running->reset();
  spdlog::info("stopped");
  return ok;
}

} // namespace switchboard::cli
