#include "bus/codec.hpp"

#include <cassert>
#include <cstddef>
#include <cstdint>

/// Whatever is accepted is read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace switchboard;
  const auto got =
    codec::decode_receipt({reinterpret_cast<const char*>(data), size});
  if (got) {
    const auto again = codec::decode_receipt(codec::encode_receipt(*got));
    assert(again.has_value() && *again == *got);
  }
  return 0;
}
