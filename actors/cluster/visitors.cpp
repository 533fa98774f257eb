#include "actors/cluster/visitors.hpp"

#include "bus/subject.hpp"
#include "persistence/store.hpp"

#include <algorithm>
#include <utility>

namespace switchboard {

namespace {

/// So many lines are read back at once.
constexpr std::int32_t fill_max = 100;

} // namespace

/// One customer's connection. Guarded by its shelf.
struct visitors::line {
  contact who;
  std::int64_t token;
  std::shared_ptr<visitor_screen> to; ///< Null: it has left.
  visit_feed feed;
  bool unproven; ///< Says that it had a conversation; the store knows.
  session_id named{};
  std::string name{}; ///< Of the agent, as shown for `named`.
  std::unique_ptr<visit::standing> later{}; ///< Shown after what is read back.

  /// @returns true if something must be read back first
  bool take(const visit_push& what) {
    return std::visit([this](const auto& x) { return taken(x); }, what);
  }

  void present(session_id session, const entry& x) {
    if (visible(x))
      to->show(visit::said{session, for_customer(x)});
    else if (x.kind == entry_kind::event && x.event == "closed")
      to->show(visit::closed{session});
  }

  void present_later() {
    if (!later || feed.filling() || later->session != feed.where().session)
      return;
    const auto now = std::exchange(later, nullptr);
    const auto known = named == now->session ? name : std::string{};
    named = now->session;
    name = now->agent;
    if (name != known)
      to->show(*now);
  }

private:
  bool taken(const visit::said& x) {
    const auto how = feed.live(x.session, x.what.seq);
    if (how == visit_feed::verdict::show)
      present(x.session, x.what);
    return how == visit_feed::verdict::fill;
  }

  bool taken(const visit::standing& x) {
    const auto how = feed.stands(x.session, x.last_seq);
    if (x.session.value != 0)
      later = std::make_unique<visit::standing>(x);
    present_later();
    return how == visit_feed::verdict::fill;
  }

  template <class Sign>
  bool taken(const Sign& x) {
    if (x.session == feed.where().session)
      to->show(x);
    return false;
  }
};

visitors::visitors(std::string home, handlers to)
  : home_(std::move(home)), to_(std::move(to)) {
  // nop
}

visitors::~visitors() = default;

// -- sockets of this node -----------------------------------------------------

std::int64_t visitors::come(const contact& who,
                            std::shared_ptr<visitor_screen> screen,
                            visit::position from,
                            front::callback<receipt> done) {
  const auto token = ++made_;
  auto& at = shelves_.at(subject::slot_of(who));
  {
    const std::lock_guard lock{at.mutex};
    at.all[who].here.push_back(
      std::make_shared<line>(line{who, token, std::move(screen),
                                  visit_feed{from}, from.session.value != 0}));
    ++count_;
  }
  ask_owner(who, [this, who, token, from,
                  done = std::move(done)](const result<receipt>& x) {
    if (!x) {
      leave(who, token);
      done(x.error());
      return;
    }
    if (x->session == from.session && from.seq > x->seq) {
      leave(who, token);
      done(fail(errc::malformed,
                "resume: the conversation has only " + std::to_string(x->seq)
                  + " lines; resume with a seq that was received, or without"));
      return;
    }
    done(*x);
    settle(who, *x);
  });
  return token;
}

void visitors::ask_owner(const contact& who, reply_to done) {
  to_.tell(subject::slot_of(who), visitor_here{who, home_, std::move(done), 0});
}

void visitors::end_all(std::string_view reason) {
  for (auto& at : shelves_) {
    const std::lock_guard lock{at.mutex};
    for (auto& [who, x] : at.all)
      for (auto& one : x.here)
        if (one->to)
          one->to->end(reason);
  }
}

void visitors::leave(const contact& who, std::int64_t token) {
  const auto slot = subject::slot_of(who);
  auto& at = shelves_.at(slot);
  std::shared_ptr<visitor_screen> left;
  {
    const std::lock_guard lock{at.mutex};
    const auto found = at.all.find(who);
    if (found == at.all.end())
      return;
    auto& here = found->second.here;
    const auto mine =
      std::find_if(here.begin(), here.end(),
                   [&](const auto& x) { return x->token == token; });
    if (mine == here.end())
      return;
    left = std::move((*mine)->to);
    here.erase(mine);
    --count_;
    if (!here.empty())
      return;
    if (found->second.there.empty())
      at.all.erase(found);
  }
  to_.tell(slot, visitor_gone{who, home_, 0});
}

bool visitors::show_here(
  const contact& who, const visit_push& what,
  std::vector<std::shared_ptr<const std::string>>& there) {
  auto& at = shelves_.at(subject::slot_of(who));
  std::vector<std::shared_ptr<line>> lacking;
  {
    const std::lock_guard lock{at.mutex};
    const auto found = at.all.find(who);
    if (found == at.all.end())
      return false;
    for (const auto& x : found->second.here)
      if (x->take(what))
        lacking.push_back(x);
    there = found->second.there;
    if (nobody(found->second))
      return false;
  }
  for (const auto& x : lacking)
    fill(x);
  return true;
}

void visitors::show(const contact& who, const visit_push& what) {
  std::vector<std::shared_ptr<const std::string>> there;
  show_here(who, what, there);
  for (const auto& home : there)
    to_.pass_on(*home, {who, what});
}

void visitors::on_visited(const wire::visited& x) {
  std::vector<std::shared_ptr<const std::string>> there;
  if (!show_here(x.who, x.what, there))
    // Our farewell was lost.
    to_.tell(subject::slot_of(x.who), visitor_gone{x.who, home_, 0});
}

/// The owner has said how the contact's conversation stands.
void visitors::settle(const contact& who, const receipt& now) {
  auto& at = shelves_.at(subject::slot_of(who));
  std::vector<std::shared_ptr<line>> lacking;
  {
    const std::lock_guard lock{at.mutex};
    const auto found = at.all.find(who);
    if (found == at.all.end())
      return;
    for (const auto& x : found->second.here) {
      auto how = x->feed.stands(now.session, now.seq);
      if (x->feed.where().session == now.session)
        x->unproven = false;
      else if (x->unproven && how == visit_feed::verdict::drop)
        how = x->feed.doubt();
      if (how == visit_feed::verdict::fill)
        lacking.push_back(x);
    }
  }
  for (const auto& x : lacking)
    fill(x);
}

void visitors::look_again(const std::bitset<slots + 1>& which) {
  for (slot_number k = 0; k < slots; ++k) {
    if (!which.test(k))
      continue;
    std::vector<contact> some;
    {
      const std::lock_guard lock{shelves_.at(k).mutex};
      for (const auto& [who, x] : shelves_.at(k).all)
        if (!x.here.empty())
          some.push_back(who);
    }
    for (const auto& who : some)
      doubt(who);
  }
  tick();
}

/// Asks the owner again, as soon as possible.
void visitors::doubt(const contact& who) {
  const std::lock_guard lock{mutex_};
  doubted_.push_back(who);
}

void visitors::tick() {
  std::vector<contact> ask;
  std::vector<std::weak_ptr<line>> waited;
  {
    const std::lock_guard lock{mutex_};
    ask.swap(doubted_);
    waited.swap(waiting_);
  }
  for (const auto& who : ask)
    ask_owner(who, [this, who](const result<receipt>& x) {
      x ? settle(who, *x) : doubt(who);
    });
  for (const auto& x : waited)
    if (const auto self = x.lock())
      fill(self);
}

// -- what a screen lacks ------------------------------------------------------

void visitors::wait(const std::shared_ptr<line>& x) {
  const std::lock_guard lock{mutex_};
  waiting_.push_back(x);
}

/// Reads back from where the screen stands, a little at a time.
void visitors::fill(const std::shared_ptr<line>& x) {
  visit::position from;
  bool prove = false;
  {
    const std::lock_guard lock{shelves_.at(subject::slot_of(x->who)).mutex};
    if (!x->to)
      return;
    if (x->to->lags())
      return wait(x); // More than it can take would only end it.
    from = x->feed.where();
    prove = x->unproven;
  }
  const auto asked = to_.read([this, x, from, prove](store& with) {
    if (prove) {
      const auto row = with.session(from.session);
      if (!row)
        return filled(x, row.error());
      if (!*row || (*row)->who != x->who)
        return filled(
          x, fail(errc::forbidden, "the conversation to resume is not yours"));
    }
    filled(x, with.entries(from.session, from.seq, fill_max));
  });
  if (!asked)
    wait(x);
}

void visitors::filled(const std::shared_ptr<line>& x,
                      const result<std::vector<entry>>& lines) {
  {
    const std::lock_guard lock{shelves_.at(subject::slot_of(x->who)).mutex};
    if (!x->to)
      return;
    if (!lines) {
      // It would have a hole. Let it come back: it resumes by seq.
      x->to->end(lines.error().code == errc::forbidden
                   ? "forbidden: " + lines.error().detail
                   : "unavailable: come back, and resume");
      return;
    }
    x->unproven = false;
    const auto of = x->feed.where().session;
    for (const auto& each : *lines)
      if (x->feed.take(each.seq))
        x->present(of, each);
    const auto more = lines->size() == static_cast<std::size_t>(fill_max);
    if (!x->feed.end_fill(more)) {
      x->present_later();
      return;
    }
  }
  fill(x);
}

// -- slots of this node -------------------------------------------------------

std::shared_ptr<const std::string> visitors::same(const std::string& home) {
  const std::lock_guard lock{mutex_};
  for (const auto& x : homes_)
    if (*x == home)
      return x;
  return homes_.emplace_back(std::make_shared<const std::string>(home));
}

void visitors::here(const contact& who, const std::string& home) {
  if (home == home_)
    return;
  const auto from = same(home);
  auto& at = shelves_.at(subject::slot_of(who));
  const std::lock_guard lock{at.mutex};
  auto& there = at.all[who].there;
  if (std::find(there.begin(), there.end(), from) == there.end())
    there.push_back(from);
}

void visitors::gone(const contact& who, const std::string& home) {
  auto& at = shelves_.at(subject::slot_of(who));
  const std::lock_guard lock{at.mutex};
  const auto found = at.all.find(who);
  if (found == at.all.end())
    return;
  std::erase_if(found->second.there, [&](const auto& x) { return *x == home; });
  if (nobody(found->second))
    at.all.erase(found);
}

void visitors::home_gone(const std::string& home) {
  for (auto& at : shelves_) {
    const std::lock_guard lock{at.mutex};
    for (auto& [who, x] : at.all)
      std::erase_if(x.there, [&](const auto& y) { return *y == home; });
    std::erase_if(at.all, [](const auto& x) { return nobody(x.second); });
  }
  const std::lock_guard lock{mutex_};
  std::erase_if(homes_, [&](const auto& x) { return *x == home; });
}

void visitors::forget(slot_number slot) {
  auto& at = shelves_.at(slot);
  const std::lock_guard lock{at.mutex};
  for (auto& [who, x] : at.all)
    x.there.clear();
  std::erase_if(at.all, [](const auto& x) { return nobody(x.second); });
}

bool visitors::watched(slot_number slot, const contact& who) const {
  const auto& at = shelves_.at(slot);
  const std::lock_guard lock{at.mutex};
  return !at.all.empty() && at.all.contains(who);
}

} // namespace switchboard
