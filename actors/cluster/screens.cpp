#include "actors/cluster/screens.hpp"

#include "config/child_process.hpp"

#include <set>
#include <utility>

namespace switchboard {

/// One screen: what it has been shown, so that nothing is shown twice.
class screens::line {
public:
  line(agent_id who, std::shared_ptr<agent_screen> to, screen_position from,
       std::int64_t key)
    : who_(std::move(who)), key_(key), to_(std::move(to)), last_(from) {
    for (const auto& [session, seq] : from)
      open_.insert(session);
  }

  [[nodiscard]] const agent_id& who() const { return who_; }
  [[nodiscard]] std::int64_t key() const { return key_; }

  /// What to sign in with: from now on only this binding may show anything.
  screen_in next_binding(const std::string& home) {
    const std::lock_guard lock{mutex_};
    screen_in x;
    x.key = key_;
    x.binding = ++binding_;
    x.home = home;
    for (const auto session : open_)
      x.from[session] = last_[session];
    for (const auto& [session, number] : offers_)
      x.offers.push_back(session);
    x.shown = presence_;
    lacks_ = false;
    return x;
  }

  /// @param far from another node, which cannot see that the screen lags: what
  /// it lacks is asked for once it has caught up
  void show(std::int64_t binding, const agent_push& what, bool far) {
    const std::lock_guard lock{mutex_};
    if (binding != binding_)
      return;
    if (far && std::holds_alternative<push::entry_added>(what) && to_->lags()) {
      lacks_ = true;
      return;
    }
    if (std::visit([this](const auto& x) { return is_new(x); }, what))
      to_->show(what);
  }

  void end(std::int64_t binding, std::string_view reason) {
    const std::lock_guard lock{mutex_};
    if (binding == binding_)
      to_->end(reason);
  }

  /// Whatever it is bound to.
  void give_up(std::string_view reason) {
    const std::lock_guard lock{mutex_};
    to_->end(reason);
  }

  void doubt() {
    const std::lock_guard lock{mutex_};
    lacks_ = true;
  }

  [[nodiscard]] bool lags() const {
    const std::lock_guard lock{mutex_};
    return to_->lags();
  }

  /// True when it is time to sign in again.
  [[nodiscard]] bool lacks() const {
    const std::lock_guard lock{mutex_};
    return lacks_ && !to_->lags();
  }

private:
  bool is_new(const push::entry_added& x) {
    auto& last = last_[x.session];
    if (x.line.seq == last + 1) {
      last = x.line.seq;
      return true;
    }
    lacks_ = lacks_ || x.line.seq > last; // A push was lost on its way.
    return false;
  }

  bool is_new(const push::session_opened& x) {
    // If it was here before, its feed goes on where it ended.
    offers_.erase(x.session);
    open_.insert(x.session);
    return true;
  }

  bool is_new(const push::session_ended& x) {
    return open_.erase(x.session) > 0;
  }

  bool is_new(const push::offer& x) {
    const auto [at, fresh] = offers_.try_emplace(x.session, x.number);
    return fresh || std::exchange(at->second, x.number) != x.number;
  }

  bool is_new(const push::offer_ended& x) {
    return offers_.erase(x.session) > 0;
  }

  bool is_new(const push::presence& x) {
    presence_ = x;
    return true;
  }

  template <class T>
  bool is_new(const T&) {
    return true;
  }

  const agent_id who_;
  const std::int64_t key_;
  mutable std::mutex mutex_;
  std::shared_ptr<agent_screen> to_;
  std::int64_t binding_ = 0;
  screen_position last_;
  std::set<session_id> open_;
  std::map<session_id, std::int64_t> offers_;
  std::optional<push::presence> presence_;
  bool lacks_ = false;
};

namespace {

/// What an actor of this node shows on a screen of this node.
template <class Line>
class local_screen final : public agent_screen {
public:
  local_screen(std::shared_ptr<Line> to, std::int64_t binding)
    : to_(std::move(to)), binding_(binding) {}

  void show(const agent_push& what) override {
    to_->show(binding_, what, false);
  }
  [[nodiscard]] bool lags() override { return to_->lags(); }
  void end(std::string_view reason) override { to_->end(binding_, reason); }

private:
  std::shared_ptr<Line> to_;
  std::int64_t binding_;
};

class remote_screen final : public agent_screen {
public:
  remote_screen(peers& post, std::string home, std::int64_t key,
                std::int64_t binding)
    : post_(post), home_(std::move(home)), key_(key), binding_(binding) {}

  void show(const agent_push& what) override {
    post_.show(home_, {key_, binding_, what, {}});
  }
  void end(std::string_view reason) override {
    post_.show(home_, {key_, binding_, std::nullopt, std::string(reason)});
  }

private:
  peers& post_;
  std::string home_;
  std::int64_t key_;
  std::int64_t binding_;
};

} // namespace

screens::screens(std::string home, send to)
  : home_(std::move(home)),
    to_(std::move(to)),
    // 24 bits tell the nodes' screens apart, 32 count.
    made_(static_cast<std::int64_t>(std::stoul(random_secret(3), nullptr, 16))
          << 32) {
  // nop
}

screens::~screens() = default;

void screens::sign_in(const agent_id& who, std::shared_ptr<agent_screen> screen,
                      screen_position from,
                      front::callback<std::int64_t> done) {
  std::shared_ptr<line> made;
  {
    const std::lock_guard lock{mutex_};
    made =
      std::make_shared<line>(who, std::move(screen), std::move(from), ++made_);
    all_.emplace(made->key(), made);
  }
  const auto key = made->key();
  bind(made, [this, key, done = std::move(done)](const result<receipt>& x) {
    if (x) {
      done(key);
      return;
    }
    {
      const std::lock_guard lock{mutex_};
      all_.erase(key);
    }
    done(x.error());
  });
}

void screens::bind(const std::shared_ptr<line>& x, reply_to done) {
  auto what = x->next_binding(home_);
  what.screen = std::make_shared<local_screen<line>>(x, what.binding);
  what.done = std::move(done);
  to_(x->who(), std::move(what));
}

void screens::sign_out(const agent_id& who, std::int64_t key) {
  {
    const std::lock_guard lock{mutex_};
    all_.erase(key);
  }
  to_(who, screen_out{key});
}

void screens::show(const wire::shown& what) {
  std::shared_ptr<line> to;
  {
    const std::lock_guard lock{mutex_};
    const auto at = all_.find(what.key);
    if (at == all_.end())
      return;
    to = at->second;
  }
  if (what.what)
    to->show(what.binding, *what.what, true);
  else
    to->end(what.binding, what.reason);
}

void screens::sign_in_again(const std::bitset<slots + 1>& which) {
  std::vector<std::shared_ptr<line>> some;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, x] : all_)
      if (which.test(slot_of(x->who())))
        some.push_back(x);
  }
  for (const auto& x : some)
    bind(x, [x](const result<receipt>& got) {
      if (!got)
        x->doubt(); // `tick` tries again.
    });
}

void screens::end_all(std::string_view reason) {
  std::vector<std::shared_ptr<line>> all;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, x] : all_)
      all.push_back(x);
  }
  for (const auto& x : all)
    x->give_up(reason);
}

void screens::tick() {
  std::vector<std::shared_ptr<line>> some;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, x] : all_)
      if (x->lacks())
        some.push_back(x);
  }
  for (const auto& x : some)
    bind(x, [x](const result<receipt>& got) {
      if (!got)
        x->doubt();
    });
}

std::shared_ptr<agent_screen> make_remote_screen(peers& post, std::string home,
                                                 std::int64_t key,
                                                 std::int64_t binding) {
  return std::make_shared<remote_screen>(post, std::move(home), key, binding);
}

} // namespace switchboard
