#pragma once

#include "actors/front.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace switchboard::testing {

/// A scripted stand-in for the actors. It remembers what it was asked, answers
/// at once unless told to wait, and lets a test show things on screens.
class fake_front final : public front {
public:
  void sign_in(const agent_id& who, std::shared_ptr<agent_screen> screen,
               screen_position from, callback<std::int64_t> done) override {
    std::int64_t token = 0;
    {
      const std::lock_guard lock{mutex_};
      if (who.text == "stranger")
        token = -1;
      else
        token = ++tokens_;
      positions[who.text] = std::move(from);
      if (token > 0)
        screens_[who.text] = screen;
      changed_.notify_all();
    }
    if (token < 0)
      return done(fail(errc::not_found, "there is no such agent"));
    if (on_sign_in)
      on_sign_in(*screen);
    if (silent)
      return;
    done(token);
  }

  void sign_out(const agent_id& who, std::int64_t token) override {
    const std::lock_guard lock{mutex_};
    signed_out.emplace_back(who.text, token);
    changed_.notify_all();
  }

  void ask(const agent_id& who, agent_ask what,
           callback<receipt> done) override {
    {
      const std::lock_guard lock{mutex_};
      asked.emplace_back(who.text, std::move(what));
      if (silent) {
        held.push_back(std::move(done));
        changed_.notify_all();
        return;
      }
      changed_.notify_all();
    }
    // From another thread, as the real one does.
    std::thread([done = std::move(done), answer = answer] {
      done(answer);
    }).detach();
  }

  void post(inbound what, callback<receipt> done) override {
    const std::lock_guard lock{mutex_};
    posted.push_back(what);
    done(receipt{session_id{77}, 3, false});
  }

  std::int64_t come(const contact& who, std::shared_ptr<visitor_screen> screen,
                    visit::position from, callback<receipt> done) override {
    std::int64_t token = 0;
    {
      const std::lock_guard lock{mutex_};
      token = ++tokens_;
      came.emplace_back(who, from);
      visitors_[who.user] = screen;
      changed_.notify_all();
    }
    if (!silent)
      done(receipt{session_id{77}, 3, false});
    return token;
  }

  void leave(const contact& who, std::int64_t token) override {
    const std::lock_guard lock{mutex_};
    left.emplace_back(who.user, token);
    changed_.notify_all();
  }

  void sign(const contact& who, std::optional<std::int32_t> read) override {
    const std::lock_guard lock{mutex_};
    signs.emplace_back(who.user, read);
    changed_.notify_all();
  }

  void recall(const contact&, session_id of, std::int32_t before,
              std::int32_t count_max,
              callback<std::vector<entry>> done) override {
    history(agent_id{}, of, std::max(0, std::min(before, 11) - 1 - count_max),
            count_max, std::move(done));
  }

  void history(const agent_id& who, session_id of, std::int32_t after,
               std::int32_t count_max,
               callback<std::vector<entry>> done) override {
    history_reader = who.text;
    if (of.value == 404)
      return done(fail(errc::not_found, "there is no such session"));
    std::vector<entry> out;
    for (auto i = after + 1; i <= after + count_max && i <= 10; ++i) {
      entry line;
      line.seq = i;
      line.body = "line " + std::to_string(i);
      out.push_back(line);
    }
    done(out);
  }

  void person(const agent_id&, session_id of, time_point, std::int32_t,
              callback<std::vector<person_line>> done) override {
    person_line line;
    line.session = of;
    line.channel = "email";
    line.what.seq = 1;
    line.what.body = "from another channel";
    done(std::vector<person_line>{line});
  }

  std::vector<check> health() const override {
    return {{"database", healthy, healthy ? "" : "connection refused"},
            {"bus", true, ""}};
  }

  std::string metrics() const override {
    return "# HELP switchboard_sessions Sessions by state.\n"
           "# TYPE switchboard_sessions gauge\n"
           "switchboard_sessions{state=\"active\"} 2\n";
  }

  // -- for the test -----------------------------------------------------------

  /// Waits, bounded, until `that` holds; it is asked under the lock.
  bool eventually(const std::function<bool()>& that) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{5}, that);
  }

  std::shared_ptr<agent_screen> screen(const std::string& agent) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{5},
                      [&] { return screens_.contains(agent); });
    return screens_[agent];
  }

  std::shared_ptr<visitor_screen> visitor(const std::string& user) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{5},
                      [&] { return visitors_.contains(user); });
    return visitors_[user];
  }

  std::vector<std::pair<contact, visit::position>> came;
  std::vector<std::pair<std::string, std::int64_t>> left;
  std::vector<std::pair<std::string, std::optional<std::int32_t>>> signs;
  std::vector<std::pair<std::string, std::int64_t>> signed_out;
  std::vector<std::pair<std::string, agent_ask>> asked;
  std::vector<callback<receipt>> held;
  std::vector<inbound> posted;
  std::map<std::string, screen_position> positions;
  std::string history_reader;
  std::function<void(agent_screen&)> on_sign_in;
  result<receipt> answer = receipt{session_id{1}, 4, false};
  std::atomic<bool> healthy = true;
  std::atomic<bool> silent = false;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t tokens_ = 0;
  std::map<std::string, std::shared_ptr<agent_screen>> screens_;
  std::map<std::string, std::shared_ptr<visitor_screen>> visitors_;
};

} // namespace switchboard::testing
