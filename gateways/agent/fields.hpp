#pragma once

// Internal to the gateways: how the commands of a frame are read, whoever sends
// them.

#include "actors/domain/ids.hpp"
#include "actors/domain/result.hpp"
#include "gateways/agent/protocol.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace switchboard::agent_protocol {

namespace json = boost::json;

/// Reads the fields of one command. The first thing wrong is remembered, and
/// everything after it reads as empty, so a command's reader is a plain list.
class fields {
public:
  fields(const json::object& from, std::string_view command)
    : from_(from), command_(command) {}

  std::string text(std::string_view name, std::size_t bytes_max,
                   bool needed = false) {
    const auto* found = from_.if_contains(name);
    if (found == nullptr || found->is_null()) {
      if (needed)
        wrong(name, "is missing");
      return {};
    }
    if (!found->is_string())
      return wrong(name, "must be a string"), std::string{};
    const std::string_view value = found->get_string();
    if (needed && value.empty())
      wrong(name, "must not be empty");
    // PostgreSQL's text holds every character but this one.
    if (value.find('\0') != std::string_view::npos)
      wrong(name, "must not contain the character U+0000");
    if (value.size() > bytes_max)
      wrong(name, "is longer than " + std::to_string(bytes_max) + " bytes",
            errc::too_large);
    return std::string(value);
  }

  session_id session() {
    const auto found = parse_session_id(text("session", 32, true));
    if (!found)
      wrong("session", "must be a session's number, written as a string");
    return found.value_or(session_id{});
  }

  /// A number, or the same as a string.
  std::int64_t number(std::string_view name, std::int64_t least,
                      std::int64_t most,
                      std::optional<std::int64_t> otherwise = {}) {
    const auto* found = from_.if_contains(name);
    if (found == nullptr || found->is_null()) {
      if (!otherwise)
        wrong(name, "is missing");
      return otherwise.value_or(least);
    }
    const auto value = whole_number(*found);
    if (!value || *value < least || *value > most) {
      wrong(name, "must be a whole number from " + std::to_string(least)
                    + " to " + std::to_string(most));
      return least;
    }
    return *value;
  }

  std::int64_t ownership() {
    return number("ownership", 0, std::numeric_limits<std::int64_t>::max());
  }

  std::int32_t seq(std::string_view name,
                   std::optional<std::int64_t> otherwise = {}) {
    return static_cast<std::int32_t>(
      number(name, 0, std::numeric_limits<std::int32_t>::max(), otherwise));
  }

  const json::value* any(std::string_view name) const {
    const auto* found = from_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }

  void wrong(std::string_view name, const std::string& how,
             errc code = errc::malformed) {
    if (!error_)
      error_ = fail(code, std::string(command_) + ": " + std::string(name) + " "
                            + how);
  }

  const std::optional<error>& problem() const { return error_; }

  static std::optional<std::int64_t> whole_number(const json::value& x) {
    if (x.is_int64())
      return x.get_int64();
    if (!x.is_string())
      return std::nullopt;
    const std::string_view text = x.get_string();
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, value);
    if (ec != std::errc{} || stop != end)
      return std::nullopt;
    return value;
  }

private:
  const json::object& from_;
  std::string_view command_;
  std::optional<error> error_;
};

/// How one command is read into one alternative of `Request`.
template <class Request>
struct command_reader {
  std::string_view name;
  Request (*read)(fields&);
};

/// JavaScript's numbers are exact up to here.
inline constexpr std::int64_t command_id_max = (std::int64_t{1} << 53) - 1;

inline refusal refuse(std::optional<std::int64_t> id, std::string detail) {
  return refusal{id, fail(errc::malformed, std::move(detail))};
}

/// @returns a `Command` {id, what}, or the refusal
template <class Command, class Readers>
std::variant<Command, refusal> read_command(const json::object& from,
                                            const Readers& readers) {
  std::optional<std::int64_t> id;
  if (const auto* x = from.if_contains("id"))
    if (x->is_int64() && x->get_int64() >= 0
        && x->get_int64() <= command_id_max)
      id = x->get_int64();
  // The answer to a ping needs no number, since nobody answers it.
  if (!id && !from.contains("pong"))
    return refuse({}, "a command needs an id: a whole number from 0 to 2^53-1");
  const json::object::value_type* body = nullptr;
  for (const auto& pair : from) {
    if (pair.key() == "id")
      continue;
    if (body != nullptr)
      return refuse(id, "an object holds one command, not several");
    body = &pair;
  }
  if (body == nullptr)
    return refuse(id, "the object holds no command");
  const auto how =
    std::find_if(readers.begin(), readers.end(), [&](const auto& x) {
      return x.name == std::string_view(body->key());
    });
  if (how == readers.end())
    return refuse(id, "there is no command of this name");
  if (!body->value().is_object())
    return refuse(id, std::string(how->name) + " must be an object");
  fields f{body->value().get_object(), how->name};
  auto what = how->read(f);
  if (f.problem())
    return refusal{id, *f.problem()};
  return Command{id.value_or(0), std::move(what)};
}

template <class Command, class Readers>
std::variant<Command, refusal> parse_command(std::string_view text,
                                             const Readers& readers) {
  boost::system::error_code ec;
  json::monotonic_resource memory;
  const auto value = json::parse(json::string_view(text), ec, &memory);
  if (ec)
    return refuse({}, "not JSON: " + ec.message());
  if (!value.is_object())
    return refuse({}, "a frame holds JSON objects, one a line");
  return read_command<Command>(value.get_object(), readers);
}

/// Every object of a frame; at least one answer.
template <class Command, class Readers>
std::vector<std::variant<Command, refusal>>
parse_commands(std::string_view frame, const Readers& readers,
               std::size_t bytes_max) {
  std::vector<std::variant<Command, refusal>> out;
  if (frame.size() > bytes_max) {
    out.push_back(refusal{
      {},
      fail(errc::too_large,
           "a frame is at most " + std::to_string(bytes_max / 1024) + " KiB")});
    return out;
  }
  while (!frame.empty()) {
    const auto end = std::min(frame.find('\n'), frame.size());
    const auto line = frame.substr(0, end);
    frame.remove_prefix(std::min(end + 1, frame.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    if (out.size() == commands_per_frame_max) {
      out.push_back(refuse({}, "a frame holds at most 256 commands"));
      return out;
    }
    out.push_back(parse_command<Command>(line, readers));
  }
  if (out.empty())
    out.push_back(refuse({}, "the frame is empty"));
  return out;
}

} // namespace switchboard::agent_protocol
