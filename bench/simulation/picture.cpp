#include "bench/simulation/picture.hpp"

#include "bench/page/html.hpp"
#include "bench/page/svg.hpp"
#include "bench/simulation/print.hpp"

#include <algorithm>
#include <cmath>

namespace switchboard::simulation {

namespace {

using namespace page;

// -- bars ---------------------------------------------------------------------

constexpr double names_width = 102;
constexpr double panel_width = 266;
constexpr double bar_room = 62; ///< Beside the longest bar, for its value.
constexpr double bar_height = 15;
constexpr double bar_step = 21;
constexpr double bars_top = 24;

double top_of(const study& s, figure f) {
  double top = 0;
  for (const auto& t : s.tables)
    for (const auto& r : t.rows)
      top = std::max(top, r.value(f).mean + r.value(f).margin);
  return top > 0 ? top : 1;
}

/// The value alone; its interval is drawn.
std::string value_text(figure f, const estimate& x) {
  return written(f, {x.mean, 0});
}

std::string bar(std::size_t policy, point at, double scale, figure f,
                const row& r) {
  const auto& x = r.value(f);
  const auto length = std::max(x.mean * scale, 0.);
  auto out = "<g><title>" + escaped(to_string(r.by)) + ": "
             + escaped(written(f, x)) + "</title><rect" + attribute("x", at.x)
             + attribute("y", at.y) + attribute("width", std::max(length, 1.))
             + attribute("height", bar_height) + " rx=\"2\" class=\""
             + colour(policy) + " bar\"/>\n";
  const auto middle = at.y + bar_height / 2;
  const auto half = x.margin * scale;
  if (half >= 1)
    out += line({at.x + std::max(length - half, 0.), middle},
                {at.x + length + half, middle}, "interval");
  out += text_at({at.x + length + half + 5, middle + 4},
                 policy == 0 ? "value ours" : "value", value_text(f, x));
  return out + "</g>\n";
}

// -- curve --------------------------------------------------------------------

constexpr point curve_size{360, 256};
constexpr double left = 48;
constexpr double right = 338;
constexpr double upper = 14;
constexpr double lower = 214;

struct axes {
  double seconds = 1; ///< At the right end.
  double share = 1;   ///< At the upper end.

  point at(double s, double part) const {
    return {left + (right - left) * s / seconds,
            lower - (lower - upper) * part / share};
  }
};

axes axes_of(const table& t) {
  axes a{60, .05};
  for (const auto& r : t.rows) {
    a.seconds = std::max(a.seconds, r.waits[98]);
    const auto at_once = std::count(r.waits.begin(), r.waits.end(), 0.);
    a.share = std::max(a.share, 1 - static_cast<double>(at_once) / 101);
  }
  const auto seconds_step = step_for(a.seconds, 5);
  const auto share_step = step_for(a.share, 5);
  a.seconds = std::ceil(a.seconds / seconds_step) * seconds_step;
  a.share = std::min(std::ceil(a.share / share_step) * share_step, 1.);
  return a;
}

std::string grid(const axes& a) {
  std::string out;
  const auto share_step = step_for(a.share, 5);
  for (double y = 0; y <= a.share + share_step / 10; y += share_step) {
    const auto at = a.at(0, y);
    out += line(at, {right, at.y}, y > 0 ? "grid" : "axis");
    out += text_at({left - 6, at.y + 4}, "tick end",
                   std::to_string(std::lround(y * 100)) + " %");
  }
  const auto step = step_for(a.seconds, 5);
  for (double x = 0; x <= a.seconds + step / 10; x += step)
    out += text_at({a.at(x, 0).x, lower + 17}, "tick middle",
                   std::to_string(std::lround(x)) + " s");
  return out
         + text_at({(left + right) / 2, lower + 36}, "tick middle",
                   "waited longer than");
}

/// `waits` are percentiles, so 1 - percent is the share that waits longer.
std::string curve(const axes& a, std::size_t policy, const row& r) {
  std::string points;
  for (std::size_t percent = 0; percent < r.waits.size(); ++percent) {
    const auto next = percent + 1 < r.waits.size() ? r.waits[percent + 1] : 1;
    if (r.waits[percent] > a.seconds || next <= 0)
      continue; // Of those who did not wait at all only the last is shown.
    const auto x =
      a.at(r.waits[percent], 1 - static_cast<double>(percent) / 100);
    points += decimal(x.x) + ',' + decimal(x.y) + ' ';
  }
  return "<polyline points=\"" + points + "\" class=\"" + colour(policy)
         + " curve\"><title>" + escaped(to_string(r.by))
         + "</title></polyline>\n";
}

} // namespace

std::string bars(const study& s, figure f) {
  const auto scale = (panel_width - bar_room - 14) / top_of(s, f);
  std::string body;
  for (std::size_t panel = 0; panel < s.tables.size(); ++panel) {
    const auto& t = s.tables[panel];
    const auto x = names_width + static_cast<double>(panel) * panel_width;
    body += text_at({x, 13}, "load", t.name + (t.load > 0 ? " load" : ""));
    for (std::size_t i = 0; i < t.rows.size(); ++i) {
      const auto y = bars_top + static_cast<double>(i) * bar_step;
      if (panel == 0)
        body += text_at({names_width - 7, y + bar_height / 2 + 4},
                        i == 0 ? "name end ours" : "name end",
                        to_string(t.rows[i].by));
      body += bar(i, {x, y}, scale, f, t.rows[i]);
    }
  }
  const auto width =
    names_width + panel_width * static_cast<double>(s.tables.size());
  return picture({width, bars_top + bar_step * rules.size()}, "bars",
                 std::string(to_string(f)) + " of every policy", body);
}

std::string waiting_curve(const table& t) {
  const auto a = axes_of(t);
  auto body = grid(a);
  // The product last, so that nothing hides it.
  for (auto i = t.rows.size(); i-- > 0;)
    body += curve(a, i, t.rows[i]);
  return picture(curve_size, "waits",
                 "Share of customers who waited longer, " + t.name, body);
}

} // namespace switchboard::simulation
