#include "bench/report_pictures.hpp"

#include "bench/page/html.hpp"
#include "bench/page/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace switchboard::bench {

namespace {

using namespace page;

constexpr point size{360, 240};
constexpr double left = 56;
constexpr double right = 344;
constexpr double upper = 14;
constexpr double lower = 198;

std::string polyline(const std::string& points) {
  return "<polyline points=\"" + points + "\" class=\"p0 curve\"/>\n";
}

std::string comma(point p) {
  return decimal(p.x) + ',' + decimal(p.y) + ' ';
}

// -- latency ------------------------------------------------------------------

/// Where a share stands: a step for each nine.
double nines(double part) {
  constexpr double most = 4; // 99.99 %
  return part >= 1 ? most : std::min(-std::log10(1 - part), most);
}

struct latency_axes {
  double low = 0; ///< Powers of ten of milliseconds.
  double high = 1;

  [[nodiscard]] point at(double part, std::int64_t us) const {
    const auto power =
      std::log10(static_cast<double>(std::max<std::int64_t>(us, 1)) / 1000);
    return {left + (right - left) * nines(part) / 4,
            lower - (lower - upper) * (power - low) / (high - low)};
  }
};

latency_axes axes_of(const report& r) {
  const auto power = [](std::int64_t us) {
    return std::log10(static_cast<double>(std::max<std::int64_t>(us, 1))
                      / 1000);
  };
  latency_axes a;
  a.low = std::floor(power(r.curve.front().us));
  a.high = std::max(std::ceil(power(r.curve.back().us)), a.low + 1);
  return a;
}

std::string latency_grid(const latency_axes& a) {
  std::string out;
  for (auto power = a.low; power <= a.high + .5; ++power) {
    const auto y = lower - (lower - upper) * (power - a.low) / (a.high - a.low);
    out += line({left, y}, {right, y}, power > a.low ? "grid" : "axis");
    std::array<char, 32> label{};
    std::snprintf(label.data(), label.size(), "%g ms", std::pow(10, power));
    out += text_at({left - 6, y + 4}, "tick end", label.data());
  }
  constexpr std::pair<double, const char*> shares[] = {
    {0, "0"}, {.9, "90 %"}, {.99, "99 %"}, {.999, "99.9 %"}, {1, "all"}};
  for (const auto& [part, name] : shares)
    out += text_at({left + (right - left) * nines(part) / 4, lower + 17},
                   "tick middle", name);
  return out
         + text_at({(left + right) / 2, lower + 36}, "tick middle",
                   "share that took no longer");
}

} // namespace

std::string latency_curve(const report& r) {
  if (r.curve.size() < 2 || r.curve.back().us <= 0)
    return "";
  const auto a = axes_of(r);
  std::string points;
  for (const auto& x : r.curve)
    points += comma(a.at(x.part, x.us));
  return picture(size, "latency", "Latency of " + r.name,
                 latency_grid(a) + polyline(points));
}

std::string curve_over_time(const report::series& of, const std::string& what) {
  const auto& all = of.values;
  if (all.size() < 2)
    return "";
  const auto most = std::max(*std::max_element(all.begin(), all.end()), 1.);
  const auto step = step_for(most, 5);
  const auto top = std::ceil(most / step) * step;
  std::string body;
  for (double y = 0; y <= top + step / 10; y += step) {
    const auto at = lower - (lower - upper) * y / top;
    body += line({left, at}, {right, at}, y > 0 ? "grid" : "axis");
    body +=
      text_at({left - 6, at + 4}, "tick end", std::to_string(std::lround(y)));
  }
  const auto seconds = of.step_s * static_cast<double>(all.size());
  const auto each = step_for(seconds, 5);
  for (double x = 0; x <= seconds; x += each)
    body += text_at({left + (right - left) * x / seconds, lower + 17},
                    "tick middle", number(x).substr(0, 5) + " s");
  std::string points;
  for (std::size_t i = 0; i < all.size(); ++i)
    points += comma({left
                       + (right - left) * (static_cast<double>(i) + .5)
                           / static_cast<double>(all.size()),
                     lower - (lower - upper) * all[i] / top});
  return picture(
    size, "throughput", what + " over time",
    body + polyline(points)
      + text_at({(left + right) / 2, lower + 36}, "tick middle", what));
}

std::string cpu_bars(const report& r) {
  if (r.cpu.empty())
    return "";
  double most = 1e-9;
  for (const auto& [name, us] : r.cpu)
    most = std::max(most, us);
  constexpr double names = 96;
  constexpr double step = 30;
  std::string body;
  double y = upper;
  for (const auto& [name, us] : r.cpu) {
    const auto width = std::max((right - names - 50) * us / most, 1.);
    body += text_at({names - 8, y + 15}, "name end", name);
    body += "<rect" + attribute("x", names) + attribute("y", y)
            + attribute("width", width) + attribute("height", 20)
            + " rx=\"2\" class=\"" + colour(name == "node" ? 0 : 5)
            + " bar\"/>\n";
    body += text_at({names + width + 6, y + 15}, "value", number(us));
    y += step;
  }
  return picture({size.x, y + 8}, "cpu", "CPU per message, " + r.name, body);
}

} // namespace switchboard::bench
