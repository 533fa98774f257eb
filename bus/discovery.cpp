#include "bus/discovery.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <ctime>
#include <mutex>
#include <string_view>
#include <utility>

namespace switchboard {

namespace {

namespace json = boost::json;

bool is_name(std::string_view text) {
  return !text.empty()
         && std::all_of(text.begin(), text.end(), [](unsigned char c) {
              return std::isalnum(c) || c == '_' || c == '-';
            });
}

/// Now, as RFC 3339 in UTC.
std::string now_text() {
  const auto now =
    std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  const auto size =
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

struct counts {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::int64_t nanoseconds = 0;
  std::string last_error;
};

class bus_discovery final : public discovery {
public:
  bus_discovery(bus& on, description what)
    : on_(on),
      what_(std::move(what)),
      counts_(what_.endpoints.size()),
      started_(now_text()) {
    // nop
  }

  result<void> start() {
    for (const std::string verb : {"PING", "INFO", "STATS"})
      for (const auto& last : {std::string{}, "." + what_.name,
                               "." + what_.name + "." + what_.id}) {
        auto made = on_.subscribe(
          "$SRV." + verb + last, "", [this, verb](const bus::packet& x) {
            if (!x.reply.empty())
              static_cast<void>(on_.publish(x.reply, answer(verb)));
          });
        if (!made)
          return made.error();
        subscriptions_.push_back(std::move(*made));
      }
    return {};
  }

  void served(std::size_t at, std::chrono::nanoseconds took,
              const error* why_not) override {
    const std::lock_guard lock{mutex_};
    auto& x = counts_.at(at);
    ++x.requests;
    x.nanoseconds += took.count();
    if (why_not) {
      ++x.errors;
      x.last_error = std::to_string(http_status(why_not->code)) + ":"
                     + std::string(to_string(why_not->code));
    }
  }

private:
  std::string answer(std::string_view verb) {
    json::object x{{"name", what_.name},
                   {"id", what_.id},
                   {"version", what_.version},
                   {"metadata", json::object{}}};
    if (verb == "PING") {
      x["type"] = "io.nats.micro.v1.ping_response";
    } else if (verb == "INFO") {
      x["type"] = "io.nats.micro.v1.info_response";
      x["description"] = what_.text;
      x["endpoints"] = infos();
    } else {
      x["type"] = "io.nats.micro.v1.stats_response";
      x["started"] = started_;
      x["endpoints"] = stats();
    }
    return json::serialize(x);
  }

  static json::object base(const endpoint& of) {
    return {
      {"name", of.name}, {"subject", of.subject}, {"queue_group", of.group}};
  }

  json::array infos() const {
    json::array all;
    for (const auto& x : what_.endpoints) {
      auto one = base(x);
      one["metadata"] = json::object{};
      all.push_back(std::move(one));
    }
    return all;
  }

  json::array stats() {
    const std::lock_guard lock{mutex_};
    json::array all;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      auto one = base(what_.endpoints[i]);
      const auto& x = counts_[i];
      one["num_requests"] = x.requests;
      one["num_errors"] = x.errors;
      one["last_error"] = x.last_error;
      one["processing_time"] = x.nanoseconds;
      one["average_processing_time"] =
        x.requests == 0 ? 0
                        : x.nanoseconds / static_cast<std::int64_t>(x.requests);
      all.push_back(std::move(one));
    }
    return all;
  }

  bus& on_;
  const description what_;
  std::mutex mutex_;
  std::vector<counts> counts_;
  const std::string started_;
  std::vector<std::unique_ptr<bus::subscription>> subscriptions_;
};

} // namespace

result<std::unique_ptr<discovery>> make_discovery(bus& on,
                                                  discovery::description what) {
  if (!is_name(what.name) || !is_name(what.id))
    return fail(errc::malformed, "name and id of a service must be of letters, "
                                 "digits, '_' and '-'");
  auto made = std::make_unique<bus_discovery>(on, std::move(what));
  if (auto started = made->start(); !started)
    return started.error();
  return std::unique_ptr<discovery>{std::move(made)};
}

} // namespace switchboard
