#pragma once

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard::test {

/// A text table: a line for each row, cells divided by '|'. Lines that are
/// empty or begin with '#' are for the reader.
inline std::vector<std::vector<std::string>> rows_of(std::string_view text) {
  const auto trimmed = [](const std::string& x) {
    const auto from = x.find_first_not_of(' ');
    return from == std::string::npos
             ? std::string{}
             : x.substr(from, x.find_last_not_of(' ') - from + 1);
  };
  std::vector<std::vector<std::string>> all;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (trimmed(line).empty() || trimmed(line)[0] == '#')
      continue;
    std::istringstream cells{line};
    auto& row = all.emplace_back();
    for (std::string cell; std::getline(cells, cell, '|');)
      row.push_back(trimmed(cell));
  }
  return all;
}

/// "a, b, c", or "-" if there is nothing to say.
inline std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& x : all)
    text += (text.empty() ? "" : ", ") + x;
  return text.empty() ? "-" : text;
}

} // namespace switchboard::test
