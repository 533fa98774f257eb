#include "bench/compare.hpp"
#include "bench/report.hpp"
#include "bench/report_page.hpp"
#include "bench/soak.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace switchboard::bench;

namespace {

report sample() {
  report r{.name = "ingest", .value = 24'000, .unit = "messages/s"};
  r.floor = 48'000;
  r.floor_is = "the same without us";
  r.ratio = .5;
  r.machine = "2 x <Quick & Sons>";
  r.at = "2026-11-21 14:05 UTC";
  r.cpu = {{"node", 30.5}, {"postgres", 20}};
  latencies l;
  for (int i = 1; i <= 1000; ++i)
    l.add(i * 10);
  l.write(r);
  r.throughput = {.step_s = .5, .values = {1000, 2000, 1500}};
  return r;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("a report survives JSON, alone and in an array", "[bench]") {
  const auto was = sample();
  for (const auto& text :
       {to_json(was), '[' + to_json(was) + ',' + to_json(was) + ']'}) {
    const auto got = reports_from_json(text);
    REQUIRE(got.has_value());
    const auto& r = got->front();
    CHECK(r.name == was.name);
    CHECK(r.value == was.value);
    CHECK(r.floor == was.floor);
    CHECK(r.ratio == was.ratio);
    CHECK(r.p50_us == 5000);
    CHECK(r.p999_us == 9990);
    CHECK(r.machine == was.machine);
    CHECK(r.at == was.at);
  }
  CHECK_FALSE(reports_from_json("{}").has_value());
  CHECK_FALSE(reports_from_json("[3]").has_value());
  CHECK_FALSE(reports_from_json("ingest: 3").has_value());
}

TEST_CASE("a comparison shows by how much everything changed", "[bench]") {
  const auto before = sample();
  auto now = sample();
  now.value = 30'000;
  now.ratio = .6;
  now.p99_us = before.p99_us * 2;
  const auto text = compare({before}, {now});
  INFO(text);
  CHECK(has(text, "+25.0 %"));
  CHECK(has(text, "+20.0 %"));
  CHECK(has(text, "+100.0 %"));
  CHECK_FALSE(has(text, "another machine"));
  now.machine = "1 x Other";
  CHECK(has(compare({before}, {now}), "another machine"));
  auto lossy = before;
  lossy.lost = 1;
  CHECK(has(compare({lossy}, {now}), "void"));
  now.name = "store";
  CHECK(has(compare({before}, {now}), "store: not in the file"));
}

TEST_CASE("the page needs nothing from elsewhere and shows all pictures",
          "[bench]") {
  const auto html = to_html({sample()}, "switchboard bench ingest");
  CHECK(has(html, "Latency of ingest"));
  CHECK(has(html, "done in a second over time"));
  CHECK(has(html, "CPU per message, ingest"));
  CHECK(has(html, "2 x &lt;Quick &amp; Sons&gt;"));
  CHECK(has(html, "23 000 on 8 cores"));
  CHECK(has(html, "100 000 in 1.8 GB"));
  CHECK(has(html, "99.9 % below 100 ms"));
  CHECK(has(html, "30 s"));
  CHECK(has(html, "not measured in this run"));
  for (const auto* outside : {"http:", "https:", "<script", "src=", "@import"})
    CHECK_FALSE(has(html, outside));
}

TEST_CASE("a void figure is not shown beside a claim", "[bench]") {
  const std::string row =
    "<td>23 000 on 8 cores, 20 000 on 4</td><td>24000 messages/s</td>";
  auto r = sample();
  CHECK(has(to_html({r}, ""), row));
  r.lost = 1;
  const auto html = to_html({r}, "");
  CHECK_FALSE(has(html, row));
  CHECK(has(html, "The figures are void"));
}

TEST_CASE("throughput is what was done in each sixtieth of the time",
          "[bench]") {
  using namespace std::chrono_literals;
  const std::chrono::steady_clock::time_point begin{};
  std::vector<std::chrono::steady_clock::time_point> done;
  for (int i = 0; i <= 6000; ++i)
    done.push_back(begin + i * 1ms);
  const auto s = rate_of(done);
  CHECK(s.step_s == Approx(.1));
  REQUIRE(s.values.size() == 60);
  for (const auto x : s.values)
    CHECK(x == Approx(1000).margin(15));
  CHECK(rate_of({begin}).values.empty());
}

TEST_CASE("a line through memory finds growth, and none where there is none",
          "[bench]") {
  std::vector<double> minutes;
  std::vector<double> growing;
  std::vector<double> flat;
  for (int i = 0; i < 100; ++i) {
    minutes.push_back(i / 10.);
    const auto noise = i % 2 == 0 ? 8. : -8.;
    growing.push_back(1000 + 50 * minutes.back() + noise);
    flat.push_back(1000 + noise);
  }
  CHECK(line_through(minutes, growing).slope == Approx(50).margin(1));
  CHECK(line_through(minutes, growing).scatter == Approx(8).margin(1));
  CHECK(line_through(minutes, flat).slope == Approx(0).margin(1));
  CHECK(line_through({1, 2}, {1, 2}).slope == 0);
}
