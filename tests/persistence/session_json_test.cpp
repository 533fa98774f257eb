// What a session is as JSON: nothing of it may be lost on the way to the
// database or to another node.
#include "persistence/store.hpp"

#include "tests/support/session_words.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace switchboard::session;
using namespace switchboard::session::words;

namespace {

state again(const state& s) {
  const auto read = session_from_json(to_json(s));
  REQUIRE(read.has_value());
  return *read;
}

} // namespace

TEST_CASE("a session of every phase comes back as it was", "[store]") {
  for (auto& [name, s] : givens()) {
    INFO(name);
    auto expected = s;
    expected.look_at = {}; // Made anew when it is revived.
    CHECK(again(s) == expected);
  }
}

TEST_CASE("what a session has waited for comes back as it was", "[store]") {
  auto s = givens().at("queued");
  s.at = queued{.closed_until = noon + 1h, .probed_until = noon + 2h};
  s.heard_at = noon - 1min;
  s.counts_from = noon - 2min;
  s.queue_since = noon - 3min;
  s.told_closed = time_point::max();
  s.receiver_too = true;
  s.overflowed = {{"sales"}, {"night"}};
  s.place_told = 3;
  CHECK(again(s) == s);
}

TEST_CASE("a session written by an older program waits as it did", "[store]") {
  const auto read = session_from_json(
    R"({"id":"77","channel":"web","user":"u1","phase":"queued"})");
  REQUIRE(read.has_value());
  CHECK(waits(*read));
  CHECK(std::get<queued>(read->at) == queued{});
}
