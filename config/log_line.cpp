#include "config/log_line.hpp"

#include <boost/json.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace switchboard {

namespace {

std::string time_text(std::chrono::milliseconds since_1970) {
  const auto seconds =
    std::chrono::duration_cast<std::chrono::seconds>(since_1970);
  const auto whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 40> text{};
  const auto size =
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> end{};
  std::snprintf(end.data(), end.size(), ".%03dZ",
                static_cast<int>((since_1970 - seconds).count()));
  return std::string{text.data(), size} + end.data();
}

/// How many bytes the character at the front takes; 0: it is no UTF-8.
std::size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xC2 && first < 0xE0 ? 2
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xF0 && first < 0xF5 ? 4
                                                           : 0;
  if (size == 0 || size > text.size())
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
      return 0;
  if (size < 3)
    return size;
  // Overlong forms, surrogates, and what is beyond U+10FFFF.
  const auto second = static_cast<unsigned char>(text[1]);
  const auto wrong =
    (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)
    || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : size;
}

std::string valid(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto size = character(text);
    if (size == 0)
      out += "\uFFFD";
    else
      out += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

} // namespace

std::string log_line(std::chrono::milliseconds since_1970,
                     std::string_view level, std::string_view message) {
  boost::json::object to{{"time", time_text(since_1970)}, {"level", level}};
  for (const std::string_view about : {"session", "agent", "slot", "node"}) {
    if (!message.starts_with(about) || message.size() <= about.size() + 1
        || message[about.size()] != ' ')
      continue;
    const auto rest = message.substr(about.size() + 1);
    const auto end = rest.find(": ");
    if (end != rest.npos && end > 0 && rest.find(' ') > end)
      to[about] = valid(rest.substr(0, end));
  }
  to["message"] = valid(message);
  return boost::json::serialize(to) + '\n';
}

} // namespace switchboard
