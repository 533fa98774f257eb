#include "bus/codec.hpp"

#include <cassert>
#include <cstddef>
#include <cstdint>

/// Whatever is accepted can be written in both formats and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace switchboard;
  const contact from{"web", "u1"};
  const auto got = codec::decode_inbound(
    {reinterpret_cast<const char*>(data), size}, from, "");
  if (!got) {
    assert(!got.error().detail.empty());
    return 0;
  }
  assert(got->from == from);
  assert(got->content.size() <= content_bytes_max);
  const auto same = [&](const std::string& bytes) {
    // Escapes can make a payload grow beyond the limit of one.
    if (bytes.size() > payload_bytes_max)
      return true;
    const auto again = codec::decode_inbound(bytes, from, "");
    return again.has_value() && *again == *got;
  };
  assert(same(codec::encode(*got)));
  assert(same(codec::encode_json(*got)));
  return 0;
}
