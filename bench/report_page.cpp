#include "bench/report_page.hpp"

#include "bench/compare.hpp"
#include "bench/page/html.hpp"
#include "bench/report_pictures.hpp"

namespace switchboard::bench {

namespace {

using page::element;
using page::escaped;

std::string ms(std::int64_t us) {
  return number(static_cast<double>(us) / 1000);
}

/// What the product that this one replaces promises, and what was measured.
struct promise {
  const char* what;
  const char* theirs;
  const char* bench; ///< Whose report answers it.
  std::string (*ours)(const report&);
};

std::string reached(const report& r) {
  return number(r.value) + ' ' + r.unit;
}

std::string slowest_of_a_thousand(const report& r) {
  return "99.9 % below " + ms(r.p999_us) + " ms";
}

const std::vector<promise>& promises() {
  static const std::vector<promise> all{
    {"Messages a second, durable", "23 000 on 8 cores, 20 000 on 4", "ingest",
     reached},
    {"Customer to agent and back", "99.9 % below 100 ms", "e2e",
     slowest_of_a_thousand},
    {"Connections", "100 000 in 1.8 GB, 18 kB each", "connections", reached},
    {"1 000 messages at once", "800 ms", "burst", reached},
    {"A node dies", "30 s", "failover", reached},
  };
  return all;
}

std::string claims(const std::vector<report>& all) {
  std::string out = "<h2>Beside the original</h2>\n<div class=\"card\"><table>"
                    "<tr><th></th><th>the original promises</th><th>measured "
                    "here</th></tr>\n";
  for (const auto& x : promises()) {
    const auto* r = find(all, x.bench);
    out += "<tr>" + element("td", x.what) + element("td", x.theirs)
           + element("td", !r           ? "not measured in this run"
                           : r->valid() ? x.ours(*r)
                                        : "void: the run lost something")
           + "</tr>\n";
  }
  return out + "</table></div>\n"
         + element(
           "p",
           "Promises are those of its papers, for its machines; figures "
           "are of this run, everything on the machine named above.",
           "soft");
}

std::string summary_row(const report& r) {
  const auto has_floor = r.floor > 0;
  return "<tr>" + element("td", r.name) + element("td", reached(r))
         + element("td", has_floor ? number(r.floor) : "")
         + element("td", r.ratio > 0 ? number(r.ratio) : "")
         + element("td", r.max_us > 0 ? ms(r.p50_us) + " / " + ms(r.p99_us)
                                          + " / " + ms(r.p999_us)
                                      : "")
         + element("td",
                   std::to_string(r.lost) + ", " + std::to_string(r.duplicated)
                     + ", " + std::to_string(r.reordered),
                   r.valid() ? "win" : "lose")
         + element("td", r.must) + "</tr>\n";
}

std::string summary(const std::vector<report>& all) {
  std::string out =
    "<h2>All figures</h2>\n<div class=\"card\"><table><tr><th></th>"
    "<th>reached</th><th>floor</th><th>ratio</th><th>p50 / p99 / p99.9 ms</th>"
    "<th>lost, doubled, reordered</th><th>must</th></tr>\n";
  for (const auto& r : all)
    out += summary_row(r);
  return out + "</table></div>\n";
}

std::string figure(const char* title, const std::string& picture) {
  return picture.empty() ? ""
                         : "<figure class=\"card\">" + element("h3", title)
                             + picture + "</figure>\n";
}

std::string details(const report& r) {
  std::string out = "<div class=\"card\"><table>\n";
  const auto row = [&](const std::string& name, const std::string& value) {
    if (!value.empty())
      out += "<tr>" + element("td", name) + element("td", value) + "</tr>\n";
  };
  row("reached", reached(r));
  if (r.floor > 0) {
    row("floor in the same run", number(r.floor) + ' ' + r.unit);
    row("the floor is", r.floor_is);
  }
  row("the original's claim", r.claim);
  row("must", r.must);
  for (const auto& [name, value] : r.more)
    row(name, value);
  return out + "</table></div>\n";
}

std::string section(const report& r) {
  const auto pictures =
    figure("Latency by share of all", latency_curve(r))
    + figure("Throughput over time",
             curve_over_time(r.throughput, "done in a second"))
    + figure("Memory over time", curve_over_time(r.memory, "KiB of the node"))
    + figure("CPU, us per message", cpu_bars(r));
  return element("h2", r.name) + '\n'
         + (r.valid() ? ""
                      : element("p",
                                "The figures are void: something was "
                                "lost, doubled or reordered.",
                                "lose"))
         + (pictures.empty() ? ""
                             : "<div class=\"row\">\n" + pictures + "</div>\n")
         + details(r);
}

} // namespace

std::string to_html(const std::vector<report>& all,
                    const std::string& command) {
  const auto where = all.empty() || all.front().machine.empty()
                       ? machine()
                       : all.front().machine;
  std::string body = element("h1", "Switchboard measured") + '\n'
                     + element("p", where + ", " + today(), "soft") + "\n<p>"
                     + element("code", command) + "</p>\n" + claims(all)
                     + summary(all);
  for (const auto& r : all)
    body += section(r);
  return page::document("Switchboard measured", body);
}

} // namespace switchboard::bench
