// Reports as JSON, and back.
#include "bench/report.hpp"

#include <boost/json.hpp>

namespace switchboard::bench {

namespace {

namespace json = boost::json;

json::array pairs_of(const std::vector<report::quantile>& curve) {
  json::array all;
  for (const auto& x : curve)
    all.push_back(json::array{x.part, x.us});
  return all;
}

json::object series_of(const report::series& x, std::string_view unit) {
  return {{"step_s", x.step_s},
          {unit, json::array(x.values.begin(), x.values.end())}};
}

/// What of an earlier report is worth keeping beside a newer one.
json::object summary_of(const report& r) {
  return {{"value", r.value},   {"floor", r.floor},     {"ratio", r.ratio},
          {"p50_us", r.p50_us}, {"p99_us", r.p99_us},   {"p999_us", r.p999_us},
          {"valid", r.valid()}, {"machine", r.machine}, {"at", r.at}};
}

// -- and back -----------------------------------------------------------------

void read(const json::object& from, std::string_view key, std::string& to) {
  if (const auto* x = from.if_contains(key); x && x->is_string())
    to = x->get_string();
}

void read(const json::object& from, std::string_view key, double& to) {
  if (const auto* x = from.if_contains(key); x && x->is_number())
    to = x->to_number<double>();
}

void read(const json::object& from, std::string_view key, std::int64_t& to) {
  if (const auto* x = from.if_contains(key); x && x->is_int64())
    to = x->get_int64();
}

result<report> report_from(const json::value& value) {
  if (!value.is_object())
    return fail(errc::malformed, "a report is a JSON object");
  const auto& o = value.get_object();
  for (const auto* key : {"name", "value", "unit", "ratio"})
    if (!o.contains(key))
      return fail(errc::malformed,
                  std::string{"a report must have \""} + key
                    + "\": give a file that `switchboard bench NAME --json` "
                      "has written");
  report r;
  read(o, "name", r.name);
  read(o, "value", r.value);
  read(o, "unit", r.unit);
  read(o, "floor", r.floor);
  read(o, "floor_is", r.floor_is);
  read(o, "ratio", r.ratio);
  read(o, "p50_us", r.p50_us);
  read(o, "p99_us", r.p99_us);
  read(o, "p999_us", r.p999_us);
  read(o, "max_us", r.max_us);
  read(o, "lost", r.lost);
  read(o, "duplicated", r.duplicated);
  read(o, "reordered", r.reordered);
  read(o, "claim", r.claim);
  read(o, "must", r.must);
  read(o, "machine", r.machine);
  read(o, "at", r.at);
  return r;
}

} // namespace

std::string to_json(const report& r, const report* before) {
  json::object more;
  for (const auto& [name, value] : r.more)
    more[name] = value;
  json::object cpu;
  for (const auto& [name, us] : r.cpu)
    cpu[name] = us;
  json::object all{
    {"name", r.name},
    {"ratio", r.ratio},
    {"floor", r.floor},
    {"floor_is", r.floor_is},
    {"value", r.value},
    {"unit", r.unit},
    {"p50_ms", static_cast<double>(r.p50_us) / 1000},
    {"p99_ms", static_cast<double>(r.p99_us) / 1000},
    {"max_ms", static_cast<double>(r.max_us) / 1000},
    {"p50_us", r.p50_us},
    {"p99_us", r.p99_us},
    {"p999_us", r.p999_us},
    {"max_us", r.max_us},
    {"lost", r.lost},
    {"duplicated", r.duplicated},
    {"reordered", r.reordered},
    {"valid", r.valid()},
    {"claim", r.claim},
    {"must", r.must},
    {"machine", r.machine.empty() ? machine() : r.machine},
    {"at", r.at.empty() ? today() : r.at},
    {"cpu_us_per_message", std::move(cpu)},
    {"curve", pairs_of(r.curve)},
    {"throughput", series_of(r.throughput, "per_second")},
    {"memory", series_of(r.memory, "kib")},
    {"more", std::move(more)},
  };
  if (before)
    all["before"] = summary_of(*before);
  return json::serialize(all);
}

result<std::vector<report>> reports_from_json(std::string_view text) {
  boost::system::error_code ec;
  const auto value = json::parse(text, ec);
  if (ec)
    return fail(errc::malformed, "this is not JSON: " + ec.message());
  std::vector<report> all;
  const auto take = [&](const json::value& x) -> result<void> {
    auto one = report_from(x);
    if (!one)
      return one.error();
    all.push_back(std::move(*one));
    return {};
  };
  if (!value.is_array()) {
    if (const auto taken = take(value); !taken)
      return taken.error();
    return all;
  }
  for (const auto& x : value.get_array())
    if (const auto taken = take(x); !taken)
      return taken.error();
  return all;
}

} // namespace switchboard::bench
