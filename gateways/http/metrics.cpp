#include "gateways/http/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace switchboard {

using namespace prometheus;

namespace {

const Histogram::BucketBoundaries bounds{
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};

Counter& counter(Registry& of, const std::string& name,
                 const std::string& help) {
  return BuildCounter().Name(name).Help(help).Register(of).Add({});
}

Gauge& gauge(Registry& of, const std::string& name, const std::string& help) {
  return BuildGauge().Name(name).Help(help).Register(of).Add({});
}

} // namespace

struct gateway_metrics::impl {
  Registry all;
  Gauge& sockets = gauge(all, "switchboard_gateway_connections",
                         "Open sockets of this gateway.");
  Gauge& agents = gauge(all, "switchboard_gateway_agents",
                        "Sockets on which an agent is signed in.");
  Gauge& visitors = gauge(all, "switchboard_gateway_visitors",
                          "Sockets on which a customer is signed in.");
  Counter& opened = counter(all, "switchboard_gateway_connections_opened_total",
                            "Sockets accepted.");
  Counter& refused =
    counter(all, "switchboard_gateway_connections_refused_total",
            "Sockets refused because of the limit of connections.");
  Counter& frames = counter(all, "switchboard_gateway_frames_sent_total",
                            "WebSocket frames written.");
  Counter& bytes = counter(all, "switchboard_gateway_sent_bytes_total",
                           "Bytes of WebSocket frames written.");
  Counter& lost = counter(all, "switchboard_gateway_pushes_dropped_total",
                          "Typing and presence not sent to slow readers.");
  Family<Counter>& closes =
    BuildCounter()
      .Name("switchboard_gateway_closes_total")
      .Help("WebSocket connections that this side closed, by code.")
      .Register(all);
  Family<Counter>& commands =
    BuildCounter()
      .Name("switchboard_gateway_commands_total")
      .Help("Commands of agents and customers, by outcome.")
      .Register(all);
  Family<Histogram>& command_time =
    BuildHistogram()
      .Name("switchboard_gateway_command_duration_seconds")
      .Help("From a command's arrival to its answer.")
      .Register(all);
  Family<Counter>& requests = BuildCounter()
                                .Name("switchboard_http_requests_total")
                                .Help("HTTP requests, by route and status.")
                                .Register(all);
  Family<Histogram>& request_time =
    BuildHistogram()
      .Name("switchboard_http_request_duration_seconds")
      .Help("From an HTTP request's arrival to its answer.")
      .Register(all);
};

gateway_metrics::gateway_metrics() : impl_(std::make_unique<impl>()) {}
gateway_metrics::~gateway_metrics() = default;

void gateway_metrics::socket_opened() {
  impl_->sockets.Increment();
  impl_->opened.Increment();
}

void gateway_metrics::socket_closed() {
  impl_->sockets.Decrement();
}

void gateway_metrics::agent_came() {
  impl_->agents.Increment();
}

void gateway_metrics::agent_went() {
  impl_->agents.Decrement();
}

void gateway_metrics::visitor_came() {
  impl_->visitors.Increment();
}

void gateway_metrics::visitor_went() {
  impl_->visitors.Decrement();
}

void gateway_metrics::refused_socket() {
  impl_->refused.Increment();
}

void gateway_metrics::closed_with(std::uint16_t code) {
  impl_->closes.Add({{"code", std::to_string(code)}}).Increment();
}

void gateway_metrics::asked(std::string_view command, std::string_view outcome,
                            double seconds) {
  impl_->commands
    .Add({{"command", std::string(command)}, {"outcome", std::string(outcome)}})
    .Increment();
  impl_->command_time.Add({{"command", std::string(command)}}, bounds)
    .Observe(seconds);
}

void gateway_metrics::sent(std::size_t bytes) {
  impl_->frames.Increment();
  impl_->bytes.Increment(static_cast<double>(bytes));
}

void gateway_metrics::dropped(std::size_t pushes) {
  impl_->lost.Increment(static_cast<double>(pushes));
}

void gateway_metrics::answered(std::string_view route, int status,
                               double seconds) {
  impl_->requests
    .Add({{"route", std::string(route)}, {"status", std::to_string(status)}})
    .Increment();
  impl_->request_time.Add({{"route", std::string(route)}}, bounds)
    .Observe(seconds);
}

std::string gateway_metrics::text() const {
  return TextSerializer{}.Serialize(impl_->all.Collect());
}

} // namespace switchboard
