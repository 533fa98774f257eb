#include "bus/utf8.hpp"

#include <catch2/catch.hpp>

using namespace switchboard;
using namespace std::string_literals;

TEST_CASE("text stays as it is, and what is no text is replaced", "[utf8]") {
  const std::string mark = "\xEF\xBF\xBD";
  const auto [bytes, text] = GENERATE_COPY(table<std::string, std::string>({
    {"", ""},
    {"plain", "plain"},
    {"您好 \xF0\x9F\x98\x80", "您好 \xF0\x9F\x98\x80"},
    {"a\xff"
     "b",
     "a" + mark + "b"},
    {"cut \xE6\x82", "cut " + mark + mark},
    {"overlong \xC0\xAF", "overlong " + mark + mark},
    {"surrogate \xED\xA0\x80", "surrogate " + mark + mark + mark},
    {"before\0after"s, "before" + mark + "after"},
  }));
  CHECK(as_text(bytes) == text);
  CHECK(is_text(as_text(bytes)));
  CHECK(is_text(bytes) == (bytes == text));
}
