#include "bus/subject.hpp"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Whatever is accepted is written back as it was: one user has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace switchboard;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto user = subject::parse_user_token(text))
    assert(subject::user_token(*user) == text);
  if (const auto got = subject::parse_ingress(text)) {
    assert(got->slot < slots);
    assert(subject::is_channel(got->from.channel));
    assert(text.ends_with(subject::user_token(got->from.user)));
  }
  return 0;
}
