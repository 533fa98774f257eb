// `queue add|set|list|show`: waiting lines and what is done for who waits.
#include "config/zone_file.hpp"
#include "gateways/cli/cli.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>

namespace switchboard::cli {

namespace json = boost::json;

namespace {

using texts = std::vector<std::string>;

/// One thing that can be set of a queue: how it is called, written and shown.
struct knob {
  const char* flag; ///< Without the dashes; also its name in JSON.
  const char* help;
  std::function<void(queue_row&, const texts&)> set;
  std::function<json::value(const queue_row&)> get;
  bool many = false;    ///< May be given several times.
  bool is_flag = false; ///< Is given without a value.
};

[[noreturn]] void refuse(const std::string& flag, const std::string& why) {
  throw failure{usage, "--" + flag + ' ' + why};
}

// -- kinds of knobs -----------------------------------------------------------

/// Whole seconds, within bounds.
knob seconds(const char* flag, const char* help, std::int64_t least,
             std::int64_t most,
             std::function<duration&(session::rules&)> where) {
  const auto set = [=](queue_row& q, const texts& given) {
    const auto& text = given.front();
    std::int64_t n = 0;
    const auto [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size() || n < least
        || n > most)
      refuse(flag, "takes seconds from " + std::to_string(least) + " to "
                     + std::to_string(most) + ", not '" + text + "'");
    where(q.rules) = std::chrono::seconds{n};
  };
  const auto get = [=](const queue_row& q) {
    auto copy = q.rules;
    return json::value(
      std::chrono::duration_cast<std::chrono::seconds>(where(copy)).count());
  };
  return {.flag = flag, .help = help, .set = set, .get = get};
}

knob text(const char* flag, const char* help,
          std::function<std::string&(session::rules&)> where) {
  return {
    .flag = flag,
    .help = help,
    .set = [=](queue_row& q, const texts& x) { where(q.rules) = x.front(); },
    .get =
      [=](const queue_row& q) {
        auto copy = q.rules;
        return json::value(where(copy));
      }};
}

/// A name of something; '' for none.
template <class Id>
knob reference(const char* flag, const char* help,
               std::optional<Id> session::waiting_rules::*where) {
  return {.flag = flag,
          .help = help,
          .set =
            [=](queue_row& q, const texts& x) {
              auto& to = q.rules.waiting.*where;
              to = x.front().empty() ? std::nullopt : std::optional{Id{x[0]}};
            },
          .get =
            [=](const queue_row& q) {
              const auto& x = q.rules.waiting.*where;
              return json::value(x ? x->text : "");
            }};
}

/// Several; a single '' for none.
knob list(const char* flag, const char* help,
          std::function<texts&(session::rules&)> where) {
  return {.flag = flag,
          .help = help,
          .set =
            [=](queue_row& q, const texts& x) {
              where(q.rules) = x == texts{""} ? texts{} : x;
            },
          .get =
            [=](const queue_row& q) {
              auto copy = q.rules;
              const auto& all = where(copy);
              return json::value(json::array(all.begin(), all.end()));
            },
          .many = true};
}

/// One of some names.
template <class Enum, class ToText>
knob choice(const char* flag, const char* help, std::vector<Enum> all,
            ToText to_text, std::function<Enum&(session::rules&)> where) {
  const auto set = [=](queue_row& q, const texts& given) {
    std::string names;
    for (const auto x : all) {
      if (given.front() == to_text(x)) {
        where(q.rules) = x;
        return;
      }
      names += (names.empty() ? "" : ", ") + std::string(to_text(x));
    }
    refuse(flag, "is one of: " + names);
  };
  const auto get = [=](const queue_row& q) {
    auto copy = q.rules;
    return json::value(to_text(where(copy)));
  };
  return {.flag = flag, .help = help, .set = set, .get = get};
}

/// Times that are written as texts.
template <class Time, class Parse>
knob times(const char* flag, const char* help, Parse parse,
           std::vector<Time> opening_hours::*where) {
  const auto set = [=](queue_row& q, const texts& given) {
    auto& to = q.rules.waiting.hours.*where;
    to.clear();
    for (const auto& x : given) {
      if (x.empty())
        continue;
      const auto read = parse(x);
      if (!read)
        refuse(flag, read.error().detail);
      to.push_back(*read);
    }
  };
  const auto get = [=](const queue_row& q) {
    json::array out;
    for (const auto& x : q.rules.waiting.hours.*where)
      out.emplace_back(to_string(x));
    return json::value(std::move(out));
  };
  return {.flag = flag, .help = help, .set = set, .get = get, .many = true};
}

// -- the knobs ----------------------------------------------------------------

knob name_knob() {
  return {
    .flag = "name",
    .help = "Name to show",
    .set = [](queue_row& q, const texts& x) { q.display_name = x.front(); },
    .get = [](const queue_row& q) { return json::value(q.display_name); }};
}

knob offers_knob() {
  return {
    .flag = "offers",
    .help = "Agents asked at once, 1 to 3; the first to accept wins",
    .set =
      [](queue_row& q, const texts& x) {
        if (x.front().size() != 1 || x.front()[0] < '1'
            || x.front()[0] > '0' + session::offers_at_once_max)
          refuse("offers", "is a number from 1 to 3");
        q.rules.offers_at_once = x.front()[0] - '0';
      },
    .get =
      [](const queue_row& q) { return json::value(q.rules.offers_at_once); }};
}

knob automatic_knob() {
  return {.flag = "automatic",
          .help = "Assign without asking the agent",
          .set =
            [](queue_row& q, const texts& x) {
              q.rules.accept_automatically = x.front() == "true";
            },
          .get =
            [](const queue_row& q) {
              return json::value(q.rules.accept_automatically);
            },
          .is_flag = true};
}

knob zone_knob() {
  return {.flag = "zone",
          .help = "Time zone of the hours, such as Europe/Berlin",
          .set =
            [](queue_row& q, const texts& x) {
              if (const auto zone = load_zone(x.front()); !zone)
                refuse("zone", "is not known: " + zone.error().detail);
              q.rules.waiting.hours.zone = x.front();
            },
          .get =
            [](const queue_row& q) {
              return json::value(q.rules.waiting.hours.zone);
            }};
}

void add_offer_knobs(std::vector<knob>& to) {
  using session::rules;
  to.push_back(name_knob());
  to.push_back(seconds("offer", "Seconds that an offer lasts", 1, 3600,
                       [](rules& r) -> duration& { return r.offer_time; }));
  to.push_back(
    seconds("exclusion",
            "Seconds for which who declined is not asked again, unless nobody "
            "else is there",
            0, 86'400, [](rules& r) -> duration& { return r.exclusion_time; }));
  to.push_back(
    seconds("transfer", "Seconds until a transfer returns to its sender", 1,
            86'400, [](rules& r) -> duration& { return r.transfer_time; }));
  to.push_back(seconds("wrap-up", "Seconds for wrapping up after closing", 0,
                       3600,
                       [](rules& r) -> duration& { return r.wrap_up_time; }));
  to.push_back(
    seconds("first-reply",
            "Seconds until an agent is reminded of the first reply; 0: never",
            0, 3600, [](rules& r) -> duration& { return r.first_reply_time; }));
  to.push_back(seconds(
    "quiet", "Seconds until a silent customer takes less room; 0: never", 0,
    86'400, [](rules& r) -> duration& { return r.quiet_time; }));
  to.push_back(offers_knob());
  to.push_back(list("disposition",
                    "What a conversation may end as; repeat it for each",
                    [](rules& r) -> texts& { return r.dispositions; }));
  to.push_back(automatic_knob());
}

void add_need_knobs(std::vector<knob>& to) {
  using session::rules;
  to.push_back(
    text("language", "Language of those who do not say theirs, such as zh",
         [](rules& r) -> std::string& { return r.waiting.language; }));
  to.push_back(list("skill",
                    "A skill that its agents must have; repeat it for each",
                    [](rules& r) -> texts& { return r.waiting.skills; }));
  to.push_back(choice<urgency_class>(
    "urgency",
    "Class of those who do not say theirs: normal, vip, urgent, "
    "relaxed",
    {urgency_class::normal, urgency_class::vip, urgency_class::urgent,
     urgency_class::relaxed},
    [](urgency_class x) { return switchboard::to_string(x); },
    [](rules& r) -> urgency_class& { return r.waiting.urgency; }));
  to.push_back(
    seconds("target", "Seconds within which to answer; 0: as the policy says",
            0, 86'400, [](rules& r) -> duration& { return r.waiting.target; }));
}

void add_waiting_knobs(std::vector<knob>& to) {
  using session::closed_hours;
  using session::rules;
  to.push_back(zone_knob());
  to.push_back(times<opening_hours::weekly>(
    "open", "Hours, such as 'Mon-Fri 09:00-18:00'; repeat it for each",
    [](const auto& x) { return parse_weekly(x); }, &opening_hours::week));
  to.push_back(times<opening_hours::special>(
    "day", "A holiday '2026-12-25' or other hours '2026-12-24 09:00-13:00'",
    [](const auto& x) { return parse_special(x); }, &opening_hours::days));
  to.push_back(choice<closed_hours>(
    "when-closed",
    "Who comes while it is closed must: wait, overflow (to "
    "--overflow), receiver (to --receiver)",
    {closed_hours::wait, closed_hours::overflow, closed_hours::receiver},
    [](closed_hours x) { return session::to_string(x); },
    [](rules& r) -> closed_hours& { return r.waiting.when_closed; }));
  to.push_back(
    text("closed-text", "What they are told",
         [](rules& r) -> std::string& { return r.waiting.closed_text; }));
  to.push_back(seconds(
    "overflow-after",
    "Seconds after which who waits goes to --overflow, or --receiver "
    "may have them too; 0: never",
    0, 86'400, [](rules& r) -> duration& { return r.waiting.overflow_time; }));
  to.push_back(reference("overflow", "The queue for them",
                         &session::waiting_rules::overflow));
  to.push_back(reference("receiver",
                         "The agent for emergencies, whatever their skills",
                         &session::waiting_rules::receiver));
  to.push_back(seconds(
    "probe-after",
    "Seconds of silence until who waits in a live chat is asked "
    "whether they are still there; 0: never",
    0, 86'400, [](rules& r) -> duration& { return r.waiting.probe_time; }));
  to.push_back(seconds(
    "probe-answer", "Seconds to answer that; then the session is closed", 1,
    86'400, [](rules& r) -> duration& { return r.waiting.probe_answer_time; }));
  to.push_back(
    text("probe-text", "How they are asked",
         [](rules& r) -> std::string& { return r.waiting.probe_text; }));
}

const std::vector<knob>& knobs() {
  static const auto all = [] {
    std::vector<knob> made;
    add_offer_knobs(made);
    add_need_knobs(made);
    add_waiting_knobs(made);
    return made;
  }();
  return all;
}

// -- commands -----------------------------------------------------------------

struct request {
  std::string id;
  std::map<std::string, texts> given{}; ///< By flag.
};

std::optional<queue_row> find_queue(store& in, const std::string& id) {
  for (auto& x : must(in.queues()))
    if (x.id.text == id)
      return std::move(x);
  return std::nullopt;
}

/// What only the whole of it can tell.
void check(const queue_row& q, store& in) {
  const auto& w = q.rules.waiting;
  const auto needs = [&](bool missing, const char* why) {
    if (missing)
      throw failure{usage, why};
  };
  needs(w.when_closed == session::closed_hours::overflow && !w.overflow,
        "--when-closed overflow needs --overflow QUEUE");
  needs(w.when_closed == session::closed_hours::receiver && !w.receiver,
        "--when-closed receiver needs --receiver AGENT");
  needs(w.overflow_time > duration{0} && !w.overflow && !w.receiver,
        "--overflow-after needs --overflow QUEUE or --receiver AGENT");
  needs(w.overflow == q.id, "a queue cannot overflow into itself");
  if (w.overflow && !find_queue(in, w.overflow->text))
    throw failure{failed, "there is no queue '" + w.overflow->text
                            + "'; add it first: switchboard queue add "
                            + w.overflow->text};
  if (!w.receiver)
    return;
  const auto agents = must(in.agents());
  if (std::none_of(agents.begin(), agents.end(),
                   [&](const auto& x) { return x.id == *w.receiver; }))
    throw failure{failed, "there is no agent '" + w.receiver->text
                            + "'; add them first: switchboard agent add "
                            + w.receiver->text};
}

int put_queue(const context& c, const request& how, bool is_new) {
  const auto in = c.open_store();
  auto row = queue_row{.id = {how.id}, .display_name = how.id};
  if (!is_new) {
    auto known = find_queue(*in, how.id);
    if (!known)
      throw failure{failed, "there is no queue '" + how.id
                              + "'; add it: switchboard queue add " + how.id};
    row = std::move(*known);
  }
  for (const auto& x : knobs())
    if (const auto given = how.given.find(x.flag);
        given != how.given.end() && !given->second.empty())
      x.set(row, given->second);
  check(row, *in);
  must(in->put_queue(row));
  std::cerr << "queue " << how.id << " is known\n";
  return ok;
}

int list_queues(const context& c) {
  std::vector<std::vector<std::string>> rows;
  const auto seconds_of = [](duration x) {
    return std::to_string(x.count() / 1000) + " s";
  };
  for (const auto& x : must(c.open_store()->queues()))
    rows.push_back({x.id.text, x.display_name, seconds_of(x.rules.offer_time),
                    seconds_of(x.rules.wrap_up_time),
                    x.rules.accept_automatically ? "yes" : "no",
                    x.rules.waiting.hours.always() ? "always" : "by hours"});
  print_table(c.json,
              {"queue", "name", "offer", "wrap_up", "automatic", "open"}, rows);
  return ok;
}

std::string shown(const json::value& x) {
  if (x.is_string())
    return x.get_string().empty() ? "-" : std::string(x.get_string());
  if (!x.is_array())
    return json::serialize(x);
  std::string out;
  for (const auto& each : x.get_array())
    out += (out.empty() ? "" : "; ") + std::string(each.as_string());
  return out.empty() ? "-" : out;
}

/// "wrap-up" -> "wrap_up", as JSON has it.
std::string member(std::string flag) {
  std::replace(flag.begin(), flag.end(), '-', '_');
  return flag;
}

int show_queue(const context& c, const std::string& id) {
  const auto row = find_queue(*c.open_store(), id);
  if (!row)
    throw failure{failed, "there is no queue '" + id + "'"};
  if (c.json) {
    json::object out{{"queue", id}};
    for (const auto& x : knobs())
      out[member(x.flag)] = x.get(*row);
    std::cout << json::serialize(json::array{std::move(out)}) << '\n';
    return ok;
  }
  std::vector<std::vector<std::string>> rows{{"queue", id}};
  for (const auto& x : knobs())
    rows.push_back({x.flag, shown(x.get(*row))});
  print_table(false, {"setting", "value"}, rows);
  return ok;
}

void add_knobs(CLI::App& to, request& into) {
  to.add_option("id", into.id, "The queue's id")->required();
  for (const auto& x : knobs()) {
    const auto flag = std::string("--") + x.flag;
    auto& place = into.given[x.flag];
    if (x.is_flag)
      to.add_flag(flag + ",!--no-" + x.flag, place, x.help);
    else
      to.add_option(flag, place, x.help)
        ->expected(1)
        ->multi_option_policy(x.many ? CLI::MultiOptionPolicy::TakeAll
                                     : CLI::MultiOptionPolicy::TakeLast);
  }
}

} // namespace

void add_queues(CLI::App& to, context& c) {
  static request made;
  static request changed;
  static std::string name;
  auto* all = add(to, "queue", "Queues: add, set, list, show", "", nullptr);
  add_knobs(*add(*all, "add", "Adds a queue; one that is known begins anew",
                 "  switchboard queue add vip --urgency vip --offer 15\n"
                 "  switchboard queue add shop --zone Europe/Berlin --open "
                 "'Mon-Fri 09:00-18:00' \\\n"
                 "    --open 'Sat 10:00-14:00' --day 2026-12-25 --closed-text "
                 "'We are back at nine.'\n",
                 [&c] { return put_queue(c, made, true); }),
            made);
  add_knobs(*add(*all, "set", "Changes what is named, and nothing else",
                 "  switchboard queue set shop --overflow-after 120 --overflow "
                 "default\n"
                 "  switchboard queue set shop --day ''\n",
                 [&c] { return put_queue(c, changed, false); }),
            changed);
  add(*all, "list", "Lists queues", "", [&c] { return list_queues(c); });
  add(*all, "show", "Shows one queue with all that can be set",
      "  switchboard queue show vip --json\n",
      [&c] { return show_queue(c, name); })
    ->add_option("id", name, "The queue's id")
    ->required();
}

} // namespace switchboard::cli
