#include "actors/services.hpp"

#include "actors/domain/explain.hpp"
#include "actors/domain/time.hpp"
#include "actors/intake.hpp"
#include "bus/discovery.hpp"
#include "bus/subject.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace switchboard {

namespace {

namespace json = boost::json;
using steady = std::chrono::steady_clock;

constexpr std::size_t question_bytes_max = 4096;
constexpr std::int32_t limit_max = 1000;
constexpr std::int32_t limit_usual = 100;

// -- questions ----------------------------------------------------------------

result<json::object> read_question(std::string_view bytes) {
  if (bytes.empty())
    return json::object{};
  if (bytes.size() > question_bytes_max)
    return fail(errc::too_large, "a question is at most 4096 bytes");
  boost::system::error_code ec;
  auto got = json::parse(bytes, ec);
  if (ec || !got.is_object())
    return fail(errc::malformed,
                R"(ask with a JSON object, such as {"session":"7"})");
  return std::move(got.get_object());
}

result<session_id> session_in(const json::object& from) {
  const auto* x = from.if_contains("session");
  if (x != nullptr && x->is_string())
    if (const auto id = parse_session_id(std::string(x->get_string())))
      return *id;
  return fail(errc::malformed,
              R"(name the session as a string, such as {"session":"7"})");
}

result<std::int32_t> number_in(const json::object& from, const char* name,
                               std::int32_t least, std::int32_t most,
                               std::int32_t otherwise) {
  const auto* x = from.if_contains(name);
  if (x == nullptr)
    return otherwise;
  if (x->is_int64() && x->get_int64() >= least && x->get_int64() <= most)
    return static_cast<std::int32_t>(x->get_int64());
  return fail(errc::malformed, std::string(name) + " must be a number from "
                                 + std::to_string(least) + " to "
                                 + std::to_string(most));
}

// -- answers ------------------------------------------------------------------

json::object to_object(const session_row& x) {
  json::object out{{"session", to_string(x.id)},
                   {"channel", x.who.channel},
                   {"user", x.who.user},
                   {"phase", x.phase},
                   {"queue", x.queue.text},
                   {"last_seq", x.last_seq},
                   {"opened_at", rfc3339(x.opened_at)}};
  if (!x.customer.empty())
    out["customer"] = x.customer.text;
  if (!x.agent.empty())
    out["agent"] = x.agent.text;
  return out;
}

json::object to_object(const entry& x) {
  json::object out{
    {"seq", x.seq}, {"kind", to_string(x.kind)}, {"at", rfc3339(x.at)}};
  if (!x.event.empty())
    out["event"] = x.event;
  if (!x.author.empty())
    out["author"] = x.author;
  if (!x.id.empty())
    out["id"] = x.id.text;
  out["body"] = x.body;
  return out;
}

json::object to_object(const std::vector<agent::ability>& all) {
  json::object out;
  for (const auto& x : all)
    out[x.name] = x.level;
  return out;
}

json::object to_object(const agent_row& x) {
  return {{"agent", x.id.text},
          {"name", x.who.display_name},
          {"presence", agent::to_string(x.now)},
          {"load", x.active / 1000.0},
          {"capacity", x.who.capacity / 1000.0},
          {"languages", to_object(x.who.languages)},
          {"skills", to_object(x.who.skills)}};
}

template <class Rows>
result<json::object> list(const char* name, const result<Rows>& rows) {
  if (!rows)
    return rows.error();
  json::array all;
  for (const auto& x : *rows)
    all.push_back(to_object(x));
  json::object out;
  out[name] = std::move(all);
  return out;
}

result<session_row> row_of(session_id which, store& from) {
  const auto row = from.session(which);
  if (!row)
    return row.error();
  if (!*row)
    return fail(errc::not_found, "there is no session " + to_string(which));
  return **row;
}

result<json::object> explain_choices(const json::object& question,
                                     store& from) {
  const auto which = session_in(question);
  if (!which)
    return which.error();
  if (const auto row = row_of(*which, from); !row)
    return row.error();
  const auto all = from.decisions(*which);
  if (!all)
    return all.error();
  json::array decisions;
  std::string text;
  for (const auto& x : *all) {
    const auto made = decision_from_json(x);
    if (!made)
      return made.error();
    decisions.push_back(json::parse(x));
    text += (text.empty() ? "" : "\n") + explain(*made);
  }
  json::object out{{"session", to_string(*which)}};
  out["decisions"] = std::move(decisions);
  out["text"] = text;
  return out;
}

result<json::object> get_session(const json::object& question, store& from) {
  const auto which = session_in(question);
  if (!which)
    return which.error();
  const auto after = number_in(question, "after", 0,
                               std::numeric_limits<std::int32_t>::max(), 0);
  if (!after)
    return after.error();
  const auto limit = number_in(question, "limit", 1, limit_max, limit_usual);
  if (!limit)
    return limit.error();
  const auto row = row_of(*which, from);
  if (!row)
    return row.error();
  const auto lines = list("entries", from.entries(*which, *after, *limit));
  if (!lines)
    return lines;
  auto out = to_object(*row);
  out["entries"] = lines->at("entries");
  return out;
}

result<json::object> list_sessions(const json::object& question, store& from) {
  const auto limit = number_in(question, "limit", 1, limit_max, limit_usual);
  if (!limit)
    return limit.error();
  const auto* closed = question.if_contains("closed");
  if (closed != nullptr && !closed->is_bool())
    return fail(errc::malformed, "closed must be true or false");
  const auto open_only = closed == nullptr || !closed->get_bool();
  return list("sessions", from.sessions(*limit, open_only));
}

result<json::object> list_agents(const json::object&, store& from) {
  return list("agents", from.agents());
}

using answerer = result<json::object> (*)(const json::object&, store&);

struct served {
  const char* service;
  const char* text;
  std::vector<std::pair<const char*, answerer>> endpoints;
};

const std::vector<served>& all_served() {
  static const std::vector<served> all{
    {"router",
     "Explains why an agent was chosen.",
     {{"explain", explain_choices}}},
    {"session",
     "Shows conversations.",
     {{"get", get_session}, {"list", list_sessions}}},
    {"agent", "Shows who answers.", {{"list", list_agents}}},
  };
  return all;
}

// -- serving ------------------------------------------------------------------

class bus_services final : public services {
public:
  bus_services(bus& on, query_pool& reads) : on_(on), reads_(reads) {}

  result<void> start(const std::string& id) {
    for (const auto& x : all_served()) {
      discovery::description what{
        .name = x.service, .id = id, .text = x.text, .endpoints = {}};
      for (const auto& [name, answer] : x.endpoints)
        what.endpoints.push_back({name, subject::service(x.service, name)});
      auto made = make_discovery(on_, std::move(what));
      if (!made)
        return made.error();
      // Shared with the reads under way, which count themselves when done.
      const std::shared_ptr<discovery> counts{std::move(*made)};
      for (std::size_t i = 0; i < x.endpoints.size(); ++i)
        if (const auto ok = serve(x, i, counts); !ok)
          return ok;
    }
    return {};
  }

private:
  result<void> serve(const served& what, std::size_t at,
                     const std::shared_ptr<discovery>& counts) {
    const auto& [name, answer] = what.endpoints.at(at);
    auto made = on_.subscribe(
      subject::service(what.service, name), "q",
      [this, at, counts, answer = answer](const bus::packet& x) {
        take(x, answer, [counts, at, since = steady::now()](const error* why) {
          counts->served(at, steady::now() - since, why);
        });
      });
    if (!made)
      return made.error();
    subscriptions_.push_back(std::move(*made));
    return {};
  }

  /// On the bus' thread: copies the question and leaves it to a reader.
  void take(const bus::packet& x, answerer answer,
            const std::function<void(const error*)>& count) {
    const auto say = [&on = on_, to = std::string(x.reply),
                      count](const result<json::object>& got) {
      if (!got) {
        const auto why = got.error();
        count(&why);
        reply_problem(on, to, why);
        return;
      }
      count(nullptr);
      if (!to.empty())
        static_cast<void>(on.publish(to, json::serialize(*got)));
    };
    auto question = read_question(x.bytes);
    if (!question)
      return say(question.error());
    if (!reads_.run([say, answer, q = std::move(*question)](store& from) {
          say(answer(q, from));
        }))
      say(fail(errc::overloaded, "too many reads are under way; ask later"));
  }

  bus& on_;
  query_pool& reads_;
  std::vector<std::unique_ptr<bus::subscription>> subscriptions_;
};

} // namespace

result<std::unique_ptr<services>> make_services(bus& on, query_pool& reads,
                                                const std::string& id) {
  auto made = std::make_unique<bus_services>(on, reads);
  if (const auto ok = made->start(id); !ok)
    return ok.error();
  return std::unique_ptr<services>{std::move(made)};
}

} // namespace switchboard
