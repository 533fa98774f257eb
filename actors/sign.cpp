#include "actors/sign.hpp"

#include "bus/subject.hpp"

#include <boost/json.hpp>

#include <limits>
#include <utility>

namespace switchboard {

namespace {

constexpr std::size_t sign_bytes_max = 1024;

result<std::int32_t> read_seq(std::string_view bytes) {
  const auto wrong =
    fail(errc::malformed, R"(tell the line as a number, such as {"seq":5})");
  boost::system::error_code ec;
  if (bytes.size() > sign_bytes_max)
    return wrong;
  const auto body = boost::json::parse(bytes, ec);
  if (ec || !body.is_object())
    return wrong;
  const auto* seq = body.get_object().if_contains("seq");
  if (seq == nullptr || !seq->is_int64() || seq->get_int64() < 1
      || seq->get_int64() > std::numeric_limits<std::int32_t>::max())
    return wrong;
  return static_cast<std::int32_t>(seq->get_int64());
}

} // namespace

result<sign_from> read_sign(std::string_view subject, std::string_view bytes) {
  auto who = subject::parse_sign(subject);
  if (!who)
    return who.error();
  sign_from sign{std::move(*who), {}};
  if (!subject.starts_with("sb.v1.read."))
    return sign;
  const auto seq = read_seq(bytes);
  if (!seq)
    return seq.error();
  sign.what.read = *seq;
  return sign;
}

} // namespace switchboard
