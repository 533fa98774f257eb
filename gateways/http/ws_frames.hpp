#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// WebSocket frames (RFC 6455, section 5), the server's side, as bytes and as
/// values. Pure. For connections that are idle nearly always: nothing is kept
/// between two messages, where a stream object would keep its buffers.
namespace switchboard::ws {

enum class opcode : std::uint8_t {
  more = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Why the connection cannot go on.
struct fault {
  std::uint16_t code; ///< Of the close frame: 1002, or 4413 if too large.
  std::string_view why;
};

struct message {
  opcode what;
  std::string bytes;
};

/// Takes bytes as they arrive and makes messages of them.
class frame_reader {
public:
  /// Adds what has arrived.
  void add(std::string_view bytes);

  /// The next message, put together from its fragments; control frames come
  /// between them. Call it until it gives nothing.
  /// @param bytes_max of one message; more is a fault as soon as it is
  /// announced
  [[nodiscard]] std::optional<message> next(std::size_t bytes_max);

  /// Once it is set nothing more is read.
  [[nodiscard]] const std::optional<fault>& broken() const { return broken_; }

  /// Bytes that are kept until more arrive.
  [[nodiscard]] std::size_t kept() const {
    return rest_.size() + (begun_ ? begun_->bytes.size() : 0);
  }

private:
  struct header;

  [[nodiscard]] std::optional<header> look();
  [[nodiscard]] bool fits(const header& x, std::size_t bytes_max);
  void break_off(std::uint16_t code, std::string_view why);

  std::string rest_;
  std::size_t used_ = 0;           ///< So many bytes of `rest_` are done with.
  std::unique_ptr<message> begun_; ///< A message whose end has not come.
  std::optional<fault> broken_;
};

/// Appends one unmasked frame.
void append_frame(std::string& to, opcode what, std::string_view bytes);

/// Appends a close frame; the reason is cut to what fits.
void append_close(std::string& to, std::uint16_t code, std::string_view why);

} // namespace switchboard::ws
