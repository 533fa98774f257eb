#include "tests/faults/out_log.hpp"

#include <boost/json.hpp>

#include <stdexcept>

namespace switchboard::faults {

namespace {

std::string text_at(const boost::json::value& from, std::string_view key) {
  const auto* x =
    from.is_object() ? from.get_object().if_contains(key) : nullptr;
  return x && x->is_string() ? std::string(x->get_string()) : std::string{};
}

} // namespace

out_log::out_log(bus& wire) {
  auto made = wire.consume("SB_OUT", "sb.v1.out.>", 1,
                           [this](const bus::packet& x) { take(x); });
  if (!made)
    throw std::runtime_error("SB_OUT: " + made.error().detail);
  reading_ = std::move(*made);
}

void out_log::take(const bus::packet& x) {
  boost::system::error_code ec;
  const auto payload = boost::json::parse(x.bytes, ec);
  line l{text_at(payload, "userId"), x.header("Nats-Msg-Id"),
         text_at(payload, "content")};
  const std::lock_guard lock{mutex_};
  const auto [at, fresh] = body_of_.emplace(l.id, l.body);
  if (l.id.empty() || l.user.empty() || at->second != l.body)
    ++broken_;
  if (!fresh) {
    ++repeats_;
    return;
  }
  bodies_.insert(l.body);
  lines_.push_back(std::move(l));
  changed_.notify_all();
}

bool out_log::wait(const std::string& body,
                   std::chrono::milliseconds patience) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience,
                           [&] { return bodies_.contains(body); });
}

std::vector<out_log::line> out_log::lines() const {
  const std::lock_guard lock{mutex_};
  return lines_;
}

int out_log::repeats() const {
  const std::lock_guard lock{mutex_};
  return repeats_;
}

int out_log::broken() const {
  const std::lock_guard lock{mutex_};
  return broken_;
}

} // namespace switchboard::faults
