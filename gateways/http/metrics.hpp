#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace switchboard {

/// The gateway's own numbers. Thread safety: full.
class gateway_metrics {
public:
  gateway_metrics();
  ~gateway_metrics();
  gateway_metrics(const gateway_metrics&) = delete;
  gateway_metrics& operator=(const gateway_metrics&) = delete;

  void socket_opened();
  void socket_closed();
  void agent_came();
  void agent_went();
  void visitor_came();
  void visitor_went();
  void refused_socket();
  void closed_with(std::uint16_t code);
  void asked(std::string_view command, std::string_view outcome,
             double seconds);
  void sent(std::size_t bytes);
  void dropped(std::size_t pushes);
  void answered(std::string_view route, int status, double seconds);

  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string text() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard
