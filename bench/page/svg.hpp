#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// The strokes that pictures are made of, as inline SVG. Pure.
namespace switchboard::page {

struct point {
  double x = 0;
  double y = 0;
};

/// With one decimal: a tenth of a pixel is enough.
[[nodiscard]] std::string decimal(double x);

/// ` name="value"`
[[nodiscard]] std::string attribute(std::string_view name, double value);

[[nodiscard]] std::string text_at(point at, std::string_view kind,
                                  std::string_view text);
[[nodiscard]] std::string line(point from, point to, std::string_view kind);

/// The class of curve or bar number `i`: "p0", "p1" ...
[[nodiscard]] std::string colour(std::size_t i);

/// The frame around `body`; `title` is read to those who do not see it.
[[nodiscard]] std::string picture(point size, std::string_view kind,
                                  const std::string& title,
                                  const std::string& body);

/// The next of 1, 2, 5, 10, 20 ... at which `parts` steps reach `max`.
[[nodiscard]] double step_for(double max, int parts);

} // namespace switchboard::page
