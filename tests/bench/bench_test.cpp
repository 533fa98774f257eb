// Every benchmark in its tiny form, through the command line.
#include "bench/suite.hpp"
#include "tests/cli/program.hpp"
#include "tests/support/servers.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <fstream>

using namespace switchboard;
namespace json = boost::json;

TEST_CASE("every benchmark works, and its report is whole", "[bench][live]") {
  std::vector<std::string> names;
  for (const auto& x : bench::suite())
    names.push_back(x.name);
  const auto name = GENERATE_COPY(from_range(names));
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto page = folder.path() + "/page.html";
  const auto got = switchboard.run(
    {"bench", "all", "--tiny", "--only", name, "--json", "--html", page});
  INFO(name << ": " << got.text);
  CHECK(got.code == 0);
  boost::system::error_code ec;
  const auto value = json::parse(got.text, ec);
  REQUIRE_FALSE(ec);
  REQUIRE(value.as_array().size() == 1);
  const auto& r = value.as_array().front().as_object();
  CHECK(r.at("name").as_string() == name);
  for (const auto* key : {"ratio", "floor", "value"})
    CHECK(r.at(key).is_number());
  for (const auto* key : {"p50_us", "p99_us", "p999_us"})
    CHECK(r.at(key).is_int64());
  for (const auto* key : {"lost", "duplicated", "reordered"})
    CHECK(r.at(key).as_int64() == 0);
  CHECK_FALSE(r.at("unit").as_string().empty());
  CHECK_FALSE(r.at("machine").as_string().empty());
  CHECK(r.at("p999_us").as_int64() >= r.at("p50_us").as_int64());
  std::ifstream file{page};
  const std::string html{std::istreambuf_iterator<char>{file}, {}};
  CHECK(html.find("<h2>" + name + "</h2>") != html.npos);
}

TEST_CASE("a benchmark that does not exist is answered with those that do",
          "[bench][cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto got = switchboard.all({"bench", "all", "--only", "ingets"});
  CHECK(got.code == 2);
  CHECK(got.text.find("'ingets'") != got.text.npos);
  CHECK(got.text.find("ingest") != got.text.npos);
}

TEST_CASE(
  "a comparison reads what --json wrote, and refuses anything else first",
  "[bench][cli]") {
  const test::scratch_folder folder;
  const test::program switchboard{folder.path(), {}};
  const auto save = [&](const std::string& name, const std::string& text) {
    std::ofstream{folder.path() + '/' + name} << text;
  };
  const std::vector<std::string> tiny{"bench", "all", "--tiny", "--only",
                                      "burst-match"};
  auto words = tiny;
  words.emplace_back("--json");
  save("old.json", switchboard.run(words).text);
  words = tiny;
  words.insert(words.end(), {"--compare", "old.json"});
  const auto good = switchboard.run(words);
  INFO(good.text);
  CHECK(good.code == 0);
  CHECK(good.text.find("compared with old.json") != good.text.npos);
  CHECK(good.text.find("+0.0 %") != good.text.npos); // The same seed.
  words.emplace_back("--json");
  const auto both = json::parse(switchboard.run(words).text);
  CHECK(both.as_array().front().at("before").at("value").as_double()
        == both.as_array().front().at("value").as_double());

  save("bad.json", R"({"name":"ingest"})");
  words = tiny;
  words.insert(words.end(), {"--compare", "bad.json"});
  const auto bad = switchboard.all(words);
  INFO(bad.text);
  CHECK(bad.code == 1);
  CHECK(bad.text.find("bad.json: a report must have") != bad.text.npos);
  words.back() = "none.json";
  CHECK(switchboard.all(words).text.find("cannot read none.json")
        != std::string::npos);
}
