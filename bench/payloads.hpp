#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// The one payload of all benchmarks: customers' lines in Chinese of 20, 93 and
/// 600 bytes of UTF-8, 60, 35 and 5 of a hundred.
namespace switchboard::bench {

[[nodiscard]] inline std::string line_of_bytes(std::size_t bytes) {
  constexpr std::string_view text =
    "您好，我昨天在你们店里买的手机还没有发货，订单页面一直显示等待出库，请帮我"
    "查一下现在"
    "到哪里了，如果今天不能发出的话我想申请退款，谢谢。";
  std::string line;
  while (line.size() < bytes)
    line += text;
  auto end = bytes;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
    --end; // Not inside a character.
  line.resize(end);
  line.append(bytes - end, '.');
  return line;
}

/// The payload of message number `n`; the same for everybody.
[[nodiscard]] inline const std::string& payload(std::uint64_t n) {
  static const std::array<std::string, 3> lines{
    line_of_bytes(20), line_of_bytes(93), line_of_bytes(600)};
  const auto draw = n * 2654435761u % 100;
  return lines[draw < 60 ? 0 : draw < 95 ? 1 : 2];
}

} // namespace switchboard::bench
