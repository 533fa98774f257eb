#include "bench/simulation/experiment.hpp"
#include "bench/simulation/print.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace switchboard::simulation;

namespace {

plan small() {
  plan p;
  p.agents = 12;
  p.hours = 2;
  return p;
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos;
       at = text.find(what, at + 1))
    ++n;
  return n;
}

} // namespace

TEST_CASE("Jain's index is 1 among equals and 1/n when one has all",
          "[simulation]") {
  CHECK(jain({3, 3, 3}) == Approx(1));
  CHECK(jain({0, 0, 0, 7}) == Approx(.25));
  CHECK(jain({1, 2, 3}) == Approx(36. / 42));
  CHECK(jain({0, 0}) == Approx(1));
}

TEST_CASE("A quantile is one of the values, and not exceeded by its part",
          "[simulation]") {
  CHECK(quantile({5, 1, 4, 2, 3}, .5) == 3);
  CHECK(quantile({5, 1, 4, 2, 3}, .95) == 5);
  CHECK(quantile({1, 2, 3, 4}, .5) == 2);
  CHECK(quantile({}, .5) == 0);
}

TEST_CASE("An interval is Student's", "[simulation]") {
  const auto x = estimate_of({1, 2, 3, 4, 5});
  CHECK(x.mean == Approx(3));
  CHECK(x.margin == Approx(2.776 * std::sqrt(2.5 / 5)));
  CHECK(estimate_of({7}) == estimate{7, 0});
}

TEST_CASE("A winner is named only when the interval leaves zero out",
          "[simulation]") {
  row r;
  r.by = rule::bullseye;
  auto& wait = r.behind[static_cast<std::size_t>(figure::wait_p95)];
  auto& good = r.behind[static_cast<std::size_t>(figure::resolved)];
  auto& use = r.behind[static_cast<std::size_t>(figure::occupancy)];
  wait = {2, 3};
  CHECK(judge(r, figure::wait_p95) == verdict::neither);
  wait = {4, 3}; // The baseline's customers wait longer.
  CHECK(judge(r, figure::wait_p95) == verdict::product);
  wait = {-4, 3};
  CHECK(judge(r, figure::wait_p95) == verdict::baseline);
  CHECK(winner(r, figure::wait_p95) == "bullseye");
  good = {-4, 3};
  CHECK(judge(r, figure::resolved) == verdict::product);
  use = {4, 3};
  CHECK(judge(r, figure::occupancy) == verdict::neither);
}

TEST_CASE("A study is repeated bit by bit, and all policies meet the same "
          "customers",
          "[simulation]") {
  const std::vector<level> loads{{"medium", .9}};
  const auto one = run(small(), 2, loads);
  const auto same = run(small(), 2, loads);
  REQUIRE(one.tables.size() == 1);
  REQUIRE(one.tables[0].rows.size() == rules.size());
  CHECK(to_json(one) == to_json(same));
  for (const auto& r : one.tables[0].rows) {
    INFO(to_string(r.by));
    CHECK(r.heads.arrived == one.tables[0].rows[0].heads.arrived);
    CHECK(r.lost_wakeups == 0);
    CHECK(r.waits.size() == 101);
  }
}

TEST_CASE("The product loses fewer customers than any baseline at high load",
          "[simulation]") {
  plan p;
  p.hours = 5;
  const auto s = run(p, 3, {{"high", 1.2}});
  const auto& ours = s.tables[0].rows.front();
  for (const auto& r : s.tables[0].rows) {
    if (r.by == rule::switchboard)
      continue;
    INFO(to_string(r.by));
    CHECK(r.value(figure::abandoned).mean > ours.value(figure::abandoned).mean);
    CHECK(r.value(figure::wait_mean).mean > ours.value(figure::wait_mean).mean);
    CHECK(r.value(figure::resolved).mean < ours.value(figure::resolved).mean);
  }
}

TEST_CASE("A page is complete in itself and states what it assumes",
          "[simulation]") {
  auto s = run(small(), 2, {{"low", .5}, {"high", 1.2}});
  s.command = "switchboard simulate --arrivals <me & you>.csv";
  const auto page = to_html(s);
  for (const auto* outside :
       {"http:", "https:", "src=", "<link", "<script", "@import", "url("})
    CHECK(page.find(outside) == std::string::npos);
  // A curve for each load, a row of bars for each figure, six in the legend.
  CHECK(occurrences(page, "<svg") == 2 + figures.size() + rules.size());
  CHECK(occurrences(page, "<svg") == occurrences(page, "</svg>"));
  CHECK(occurrences(page, "<polyline") == 2 * rules.size());
  CHECK(occurrences(page, "<rect") == 2 * rules.size() * figures.size());
  for (const auto& x : assumptions(s))
    CHECK(page.find(x) != std::string::npos);
  CHECK(page.find("&lt;me &amp; you&gt;") != std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
}
