#include "bench/page/svg.hpp"

#include "bench/page/html.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace switchboard::page {

std::string decimal(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", x);
  return text.data();
}

std::string attribute(std::string_view name, double value) {
  return ' ' + std::string(name) + "=\"" + decimal(value) + '"';
}

std::string text_at(point at, std::string_view kind, std::string_view text) {
  return "<text" + attribute("x", at.x) + attribute("y", at.y) + " class=\""
         + std::string(kind) + "\">" + escaped(text) + "</text>\n";
}

std::string line(point from, point to, std::string_view kind) {
  return "<line" + attribute("x1", from.x) + attribute("y1", from.y)
         + attribute("x2", to.x) + attribute("y2", to.y) + " class=\""
         + std::string(kind) + "\"/>\n";
}

std::string picture(point size, std::string_view kind, const std::string& title,
                    const std::string& body) {
  return "<svg viewBox=\"0 0 " + decimal(size.x) + ' ' + decimal(size.y)
         + "\" class=\"" + std::string(kind) + "\" role=\"img\"><title>"
         + escaped(title) + "</title>\n" + body + "</svg>\n";
}

std::string colour(std::size_t i) {
  return "p" + std::to_string(i);
}

double step_for(double max, int parts) {
  auto step = std::pow(10, std::floor(std::log10(std::max(max, 1e-9) / parts)));
  for (const auto factor : {2., 2.5, 2.})
    if (step * parts < max)
      step *= factor;
  return step;
}

} // namespace switchboard::page
