#pragma once

#include "config/settings.hpp"

#include <memory>

namespace switchboard::cli {

/// Simulated customers (on NATS) and agents (on WebSocket) who use nothing but
/// the public interfaces, and a live table of what happens.
class demo {
public:
  /// @param rate customer messages a second
  demo(const settings& s, double rate);
  ~demo();

  /// Prints the table when it is due: redrawn on a terminal, else a line every
  /// 5 s.
  void show();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace switchboard::cli
