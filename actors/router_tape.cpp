#include "actors/router_tape.hpp"

#include "config/thread_name.hpp"
#include "persistence/router_log.hpp"

#include <stdexcept>
#include <utility>

namespace switchboard {

router_tape::router_tape(options how) : how_(std::move(how)) {
  if (!how_.file.empty()) {
    file_.open(how_.file, std::ios::trunc);
    if (!file_)
      throw std::runtime_error("cannot write the router's record to "
                               + how_.file);
  }
  start_shadows();
  thread_ = std::thread{[this] {
    name_thread("router-tape");
    run();
  }};
}

router_tape::~router_tape() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void router_tape::start_shadows() {
  shadows_.clear();
  for (const auto& p : how_.shadows) {
    shadows_.push_back(std::make_unique<router::matcher>());
    shadows_.back()->set_shadow(p);
  }
}

void router_tape::begin(time_point at) {
  put({.what = router::swept{}, .at = at, .begins = true});
}

void router_tape::add(const router::event& what, time_point at,
                      const router::effects& then) {
  put({.what = what, .at = at, .then = then});
}

void router_tape::put(item x) {
  {
    const std::lock_guard lock{mutex_};
    if (queue_.size() >= how_.queue_max) {
      ++lost_;
      ++lost_now_;
      return;
    }
    x.lost_before = std::exchange(lost_now_, 0);
    queue_.push_back(std::move(x));
  }
  changed_.notify_one();
}

void router_tape::drain() {
  std::unique_lock lock{mutex_};
  drained_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

std::uint64_t router_tape::lost() const {
  const std::lock_guard lock{mutex_};
  return lost_;
}

void router_tape::run() {
  for (;;) {
    std::vector<item> taken;
    {
      std::unique_lock lock{mutex_};
      busy_ = false;
      drained_.notify_all();
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty())
        return;
      std::swap(taken, queue_);
      busy_ = true;
    }
    for (const auto& x : taken)
      follow(x);
    if (file_.is_open())
      file_.flush();
  }
}

void router_tape::follow(const item& x) {
  if (x.lost_before > 0) {
    write(router_gap_json(x.lost_before, x.at));
    shadows_.clear(); // They do not know any more what the router knows.
  }
  if (x.begins) {
    write(router_start_json(x.at));
    start_shadows();
    return;
  }
  write(to_json(x.what, x.at));
  for (const auto& effect : x.then)
    write(to_json(effect, x.at));
  for (const auto& shadow : shadows_)
    for (const auto& effect : shadow->apply(x.what, x.at))
      if (const auto* d = std::get_if<router::disagreement>(&effect)) {
        write(to_json(effect, x.at));
        if (how_.on_disagreement)
          how_.on_disagreement(*d);
      }
}

void router_tape::write(const std::string& line) {
  if (!file_.is_open() || written_ > how_.file_bytes_max)
    return;
  written_ += line.size() + 1;
  file_ << (written_ > how_.file_bytes_max ? router_gap_json(1, time_point{})
                                           : line)
        << '\n';
}

} // namespace switchboard
