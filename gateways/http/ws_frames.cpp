#include "gateways/http/ws_frames.hpp"

#include "actors/domain/message.hpp"

#include <utility>

namespace switchboard::ws {

namespace {

constexpr std::size_t control_bytes_max = 125;

bool is_control(opcode x) {
  return static_cast<unsigned>(x) >= 8;
}

bool is_known(unsigned x) {
  return x <= 2 || (x >= 8 && x <= 10);
}

} // namespace

struct frame_reader::header {
  opcode what = opcode::more;
  bool last = false;
  std::uint64_t size = 0;
  std::size_t header_bytes = 0; ///< With the mask, which is its last 4 bytes.
};

void frame_reader::add(std::string_view bytes) {
  if (!broken_)
    rest_ += bytes;
}

void frame_reader::break_off(std::uint16_t code, std::string_view why) {
  broken_ = fault{code, why};
  std::string{}.swap(rest_);
  begun_.reset();
  used_ = 0;
}

/// @returns nothing while the header is not complete, or when it is wrong
std::optional<frame_reader::header> frame_reader::look() {
  const auto left = std::string_view(rest_).substr(used_);
  if (left.size() < 2)
    return std::nullopt;
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint8_t>(left[i]);
  };
  header x;
  x.last = (byte(0) & 0x80) != 0;
  if ((byte(0) & 0x70) != 0)
    return break_off(1002, "no extension was agreed on"), std::nullopt;
  if (!is_known(byte(0) & 15))
    return break_off(1002, "unknown kind of frame"), std::nullopt;
  x.what = static_cast<opcode>(byte(0) & 15);
  if ((byte(1) & 0x80) == 0)
    return break_off(1002, "a client masks its frames"), std::nullopt;
  x.size = byte(1) & 127;
  const std::size_t wide = x.size == 126 ? 2 : x.size == 127 ? 8 : 0;
  if (is_control(x.what) && (wide > 0 || !x.last))
    return break_off(1002, "control frames are short and whole"), std::nullopt;
  x.header_bytes = 2 + wide + 4;
  if (left.size() < x.header_bytes)
    return std::nullopt;
  if (wide > 0) {
    x.size = 0;
    for (std::size_t i = 0; i < wide; ++i)
      x.size = x.size << 8 | byte(2 + i);
    if (x.size < (wide == 2 ? 126U : 65536U) || x.size >> 63 != 0)
      return break_off(1002, "the length is written wrongly"), std::nullopt;
  }
  return x;
}

bool frame_reader::fits(const header& x, std::size_t bytes_max) {
  if (is_control(x.what))
    return x.size <= control_bytes_max;
  if ((x.what == opcode::more) != (begun_ != nullptr)) {
    break_off(1002, "fragments out of order");
    return false;
  }
  if (x.size > bytes_max - (begun_ ? begun_->bytes.size() : 0)) {
    break_off(4413, "the frame is too large");
    return false;
  }
  return true;
}

std::optional<message> frame_reader::next(std::size_t bytes_max) {
  while (!broken_) {
    const auto x = look();
    if (broken_ || (x && !fits(*x, bytes_max)))
      return std::nullopt;
    if (!x || rest_.size() - used_ < x->header_bytes + x->size) {
      // What is done with goes, and so does the memory if nothing is left.
      if (used_ == rest_.size())
        std::string{}.swap(rest_);
      else
        rest_.erase(0, used_);
      used_ = 0;
      return std::nullopt;
    }
    const auto mask = rest_.substr(used_ + x->header_bytes - 4, 4);
    auto bytes = rest_.substr(used_ + x->header_bytes, x->size);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(bytes[i] ^ mask[i % 4]);
    used_ += x->header_bytes + x->size;
    if (is_control(x->what) || (x->last && !begun_))
      return message{x->what, std::move(bytes)};
    if (!begun_)
      begun_ = std::make_unique<message>(message{x->what, {}});
    begun_->bytes += bytes;
    if (x->last)
      return std::move(*std::exchange(begun_, nullptr));
  }
  return std::nullopt;
}

void append_frame(std::string& to, opcode what, std::string_view bytes) {
  to += static_cast<char>(0x80 | static_cast<unsigned>(what));
  const auto size = bytes.size();
  if (size < 126) {
    to += static_cast<char>(size);
  } else {
    const int wide = size < 65536 ? 2 : 8;
    to += static_cast<char>(wide == 2 ? 126 : 127);
    for (int i = wide - 1; i >= 0; --i)
      to += static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i));
  }
  to += bytes;
}

void append_close(std::string& to, std::uint16_t code, std::string_view why) {
  std::string body{static_cast<char>(code >> 8), static_cast<char>(code)};
  body += prefix(why, control_bytes_max - 2);
  append_frame(to, opcode::close, body);
}

} // namespace switchboard::ws
