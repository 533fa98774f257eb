#include "bench/page/html.hpp"
#include "bench/simulation/picture.hpp"
#include "bench/simulation/print.hpp"

#include <string>

namespace switchboard::simulation {

namespace {

using page::element;
using page::escaped;

std::string_view explain(figure f) {
  switch (f) {
    case figure::wait_mean:
      return "Mean time until served or gone; shorter is better.";
    case figure::wait_p50: return "Half wait no longer; shorter is better.";
    case figure::wait_p95:
      return "95 of 100 wait no longer; shorter is better.";
    case figure::in_target:
      return "Served within 60 s, of all who came; more is better.";
    case figure::abandoned:
      return "Left before anybody answered, of all who came; fewer is better.";
    case figure::resolved:
      return "Served and the matter settled, of all who came; more is better.";
    case figure::affinity:
      return "Met the agent they know, of those served who know one; more is "
             "better.";
    case figure::fairness:
      return "Jain's index over the agents' share of places in use: 1 when all "
             "are equally busy.";
    case figure::occupancy:
      return "Places in use, of all places on duty. Neither good nor bad: the "
             "same customers with fewer places means faster work.";
  }
  return "";
}

std::string legend() {
  std::string out = "<ul class=\"legend\">\n";
  for (std::size_t i = 0; i < rules.size(); ++i)
    out += "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line x1=\"0\" "
           "y1=\"5\" x2=\"26\" y2=\"5\" stroke-width=\"4\" class=\"p"
           + std::to_string(i) + "\"/></svg>" + escaped(to_string(rules[i]))
           + "</li>\n";
  return out + "</ul>\n";
}

std::string curves(const study& s) {
  std::string out =
    "<h2>How long customers wait</h2>\n" + legend() + "<div class=\"row\">\n";
  for (const auto& t : s.tables)
    out += "<figure class=\"card\" style=\"margin:0\">"
           + element("h3", t.name + (t.load > 0 ? " load" : ""))
           + waiting_curve(t) + "</figure>\n";
  return out + "</div>\n"
         + element("p",
                   "A point of a curve says what share of all customers waited "
                   "longer than that, whether they were served in the end or "
                   "left. Lower is better.",
                   "soft")
         + '\n';
}

std::string all_bars(const study& s) {
  std::string out =
    "<h2>Figure by figure</h2>\n"
    + element("p",
              "Thin lines are 95 % intervals of the mean. They are wide "
              "because days differ; all policies meet the same days, so "
              "their differences, further down, are far surer.",
              "soft");
  for (const auto f : figures)
    out += "<figure class=\"card\" style=\"margin:12px 0\">"
           + element("h3", to_string(f)) + bars(s, f)
           + element("figcaption", explain(f)) + "</figure>\n";
  return out;
}

std::string figures_table(const study& s, const table& t) {
  std::string out =
    element("h3", title_of(s, t)) + "<table><tr><th>policy</th>";
  for (const auto f : figures)
    out += element("th", to_string(f));
  out += "</tr>\n";
  for (const auto& r : t.rows) {
    out += r.by == rule::switchboard ? "<tr class=\"ours\">" : "<tr>";
    out += element("td", to_string(r.by));
    for (const auto f : figures)
      out += element("td", written(f, r.value(f)));
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

/// Green: the product is better; red: the baseline is.
std::string difference(const row& r, figure f) {
  const auto& x = r.behind[static_cast<std::size_t>(f)];
  const auto who = judge(r, f);
  const auto sign = x.mean > 0 ? "+" : "";
  return element("td", sign + written(f, x),
                 who == verdict::product    ? "win"
                 : who == verdict::baseline ? "lose"
                                            : "");
}

std::string winners_table(const table& t) {
  std::string out = element("h3", t.name + (t.load > 0 ? " load" : ""))
                    + "<table><tr><th>baseline minus switchboard</th>";
  for (const auto f : figures)
    if (sense_of(f) != sense::neither)
      out += element("th", to_string(f));
  out += "</tr>\n";
  for (const auto& r : t.rows) {
    if (r.by == rule::switchboard)
      continue;
    out += "<tr>" + element("td", to_string(r.by));
    for (const auto f : figures)
      if (sense_of(f) != sense::neither)
        out += difference(r, f);
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::string tables(const study& s) {
  std::string out =
    "<h2>Who won where</h2>\n"
    + element("p",
              "Differences on the same customers, seed by seed. Green: "
              "Switchboard is better; orange: the baseline is; no colour: "
              "the interval contains zero, so these seeds cannot tell.",
              "soft");
  for (const auto& t : s.tables)
    out += "<div class=\"card\">" + winners_table(t) + "</div>\n";
  out += "<h2>All figures</h2>\n";
  for (const auto& t : s.tables)
    out += "<div class=\"card\">" + figures_table(s, t) + "</div>\n";
  return out;
}

std::string model(const study& s) {
  std::string out = "<h2>The policies</h2>\n<ul class=\"card\" "
                    "style=\"padding-left:34px\">\n";
  for (const auto r : rules)
    out += "<li><b>" + escaped(to_string(r)) + "</b>: " + escaped(describe(r))
           + "</li>\n";
  out += "</ul>\n<h2>What the model takes for granted</h2>\n<ul class=\"card\" "
         "style=\"padding-left:34px\">\n";
  for (const auto& x : assumptions(s))
    out += element("li", x) + '\n';
  return out + "</ul>\n";
}

/// "62 of 105 comparisons": the whole study in one sentence.
std::string summary(const study& s) {
  int ours = 0;
  int theirs = 0;
  int all = 0;
  for (const auto& t : s.tables)
    for (const auto& r : t.rows)
      for (const auto f : figures) {
        if (r.by == rule::switchboard || sense_of(f) == sense::neither)
          continue;
        ++all;
        ours += judge(r, f) == verdict::product;
        theirs += judge(r, f) == verdict::baseline;
      }
  return "In " + std::to_string(all)
         + " comparisons with a baseline Switchboard is better in "
         + std::to_string(ours) + ", worse in " + std::to_string(theirs)
         + ", and in " + std::to_string(all - ours - theirs)
         + " the seeds cannot tell.";
}

} // namespace

std::string to_html(const study& s) {
  return page::document(
    "Switchboard: routing simulated",
    element("h1", "Routing simulated") + '\n'
      + element("p", "The product's own matcher beside five common policies, "
                     "each with the same customers, the same questions and "
                     "the same patience.")
      + element("p", summary(s)) + "<p>" + element("code", s.command) + "</p>\n"
      + curves(s) + all_bars(s) + tables(s) + model(s));
}

} // namespace switchboard::simulation
