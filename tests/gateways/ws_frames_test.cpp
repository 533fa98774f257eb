#include "gateways/http/ws_frames.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace switchboard::ws;

namespace {

constexpr std::size_t roomy = 1 << 20;

/// A frame as a client sends it, masked.
std::string sent(unsigned first, const std::string& body, bool masked = true) {
  std::string out;
  append_frame(out, opcode::text, body);
  out[0] = static_cast<char>(first);
  if (!masked)
    return out;
  const auto at = out.size() - body.size();
  out[1] = static_cast<char>(out[1] | 0x80);
  const std::string mask{"\x37\xfa\x21\x3d"};
  for (std::size_t i = 0; i < body.size(); ++i)
    out[at + i] = static_cast<char>(out[at + i] ^ mask[i % 4]);
  return out.insert(at, mask);
}

std::uint16_t fault_of(const std::string& bytes, std::size_t most = roomy) {
  frame_reader x;
  x.add(bytes);
  while (x.next(most)) {
    // Until it is broken, or done.
  }
  return x.broken() ? x.broken()->code : 0;
}

} // namespace

TEST_CASE("frames of every length come out as they were", "[ws]") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; ++i)
      body[i] = static_cast<char>(i);
    frame_reader x;
    x.add(sent(0x81, body));
    const auto got = x.next(roomy);
    REQUIRE(got);
    CHECK(got->what == opcode::text);
    CHECK(got->bytes == body);
    CHECK_FALSE(x.next(roomy));
    CHECK_FALSE(x.broken());
    CHECK(x.kept() == 0);
  }
}

TEST_CASE("it does not matter where the network cuts", "[ws]") {
  std::mt19937 dice{7};
  std::string all;
  std::vector<std::string> bodies;
  for (int i = 0; i < 200; ++i) {
    bodies.emplace_back(dice() % 300, static_cast<char>('a' + i % 26));
    all += sent(0x81, bodies.back());
  }
  frame_reader x;
  std::size_t found = 0;
  for (std::size_t at = 0; at < all.size();) {
    const auto piece = std::min<std::size_t>(1 + dice() % 97, all.size() - at);
    x.add(std::string_view(all).substr(at, piece));
    at += piece;
    while (const auto got = x.next(roomy)) {
      REQUIRE(found < bodies.size());
      CHECK(got->bytes == bodies[found++]);
    }
  }
  CHECK(found == bodies.size());
  CHECK(x.kept() == 0);
}

TEST_CASE("fragments are put together, control frames come between", "[ws]") {
  frame_reader x;
  x.add(sent(0x01, "one ") + sent(0x89, "are you there?") + sent(0x00, "two ")
        + sent(0x80, "three"));
  const auto ping = x.next(roomy);
  REQUIRE(ping);
  CHECK(ping->what == opcode::ping);
  CHECK(ping->bytes == "are you there?");
  const auto whole = x.next(roomy);
  REQUIRE(whole);
  CHECK(whole->what == opcode::text);
  CHECK(whole->bytes == "one two three");
}

TEST_CASE("what is against the protocol breaks the connection", "[ws]") {
  CHECK(fault_of(sent(0x81, "not masked", false)) == 1002);
  CHECK(fault_of(sent(0xc1, "an extension")) == 1002);
  CHECK(fault_of(sent(0x83, "an unknown kind")) == 1002);
  CHECK(fault_of(sent(0x80, "the end of nothing")) == 1002);
  CHECK(fault_of(sent(0x01, "begun") + sent(0x81, "begun again")) == 1002);
  CHECK(fault_of(sent(0x09, "half a ping")) == 1002);
  CHECK(fault_of(sent(0x89, std::string(126, 'x'))) == 1002);
  // 5 bytes, written as if they needed 16 bits, or 64.
  CHECK(fault_of(std::string("\x81\xfe\x00\x05mask", 8)) == 1002);
  CHECK(
    fault_of(std::string("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05mask", 14))
    == 1002);
  CHECK(
    fault_of(std::string("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", 14))
    == 1002);
  CHECK(fault_of(sent(0x81, "fine")) == 0);
}

TEST_CASE("a frame that is too large is refused when it is announced", "[ws]") {
  const auto large = sent(0x81, std::string(1001, 'x'));
  CHECK(fault_of(large.substr(0, 8), 1000) == 4413);
  CHECK(fault_of(sent(0x81, std::string(1000, 'x')), 1000) == 0);
  CHECK(fault_of(sent(0x01, std::string(600, 'x'))
                   + sent(0x80, std::string(401, 'x')),
                 1000)
        == 4413);
}

TEST_CASE("any bytes are fine, none are kept for ever", "[ws]") {
  std::mt19937 dice{11};
  for (int round = 0; round < 2000; ++round) {
    frame_reader x;
    std::string bytes(dice() % 64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(dice());
    x.add(bytes);
    while (x.next(1000)) {
      // Whatever it is.
    }
    CHECK(x.kept() <= bytes.size());
  }
}

TEST_CASE("a close frame carries its code, and a reason that fits", "[ws]") {
  std::string out;
  append_close(out, 4401, std::string(200, 'y'));
  REQUIRE(out.size() == 2 + 125);
  CHECK(static_cast<unsigned char>(out[0]) == 0x88);
  CHECK(static_cast<unsigned char>(out[2]) == 4401 / 256);
  CHECK(static_cast<unsigned char>(out[3]) == 4401 % 256);
}
