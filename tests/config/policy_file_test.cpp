#include "config/policy_file.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace switchboard;
using namespace std::chrono_literals;

namespace {

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_policy(text, "p.toml"));
  } catch (const policy_error& e) {
    return e.what();
  }
  return "";
}

struct folder {
  std::filesystem::path path = std::filesystem::temp_directory_path()
                               / ("policy-" + std::to_string(getpid()));
  folder() { std::filesystem::create_directories(path); }
  ~folder() { std::filesystem::remove_all(path); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path / name} << text;
    return (path / name).string();
  }
};

} // namespace

TEST_CASE("an empty policy file is the default policy", "[policy]") {
  CHECK(parse_policy("", "p.toml") == policy{});
}

TEST_CASE("a policy written out and read again is the same", "[policy]") {
  policy p;
  p.version = 12;
  p.skill_weight = 123'456;
  p.services[1].target = 12s;
  p.hold_time = 15s;
  p.reply_windows = {{"wechat", 48h}};
  p.relaxations = {
    {30s, policy::relaxation::step::lower_skills, {}, {}},
    {60s, policy::relaxation::step::open_queue, {"over"}, queue_id{"sales"}}};
  CHECK(parse_policy(to_toml(p), "p.toml") == p);
  CHECK(parse_policy(to_toml(policy{}), "p.toml") == policy{});
}

TEST_CASE("numbers, times and levels are read exactly", "[policy]") {
  const auto p = parse_policy("version = 3\n"
                              "[weights]\nskill = 0.1\n"
                              "[class.vip]\ntarget = \"20s\"\nweight = 3.5\n",
                              "p.toml");
  CHECK(p.version == 3);
  CHECK(p.skill_weight == 100'000);
  CHECK(p.services[1].target == 20s);
  CHECK(p.services[1].weight == 3'500'000);
}

TEST_CASE("a wrong policy file says where and what", "[policy]") {
  CHECK(error_of("[weights]\nskil = 0.1\n")
        == "p.toml:2:1: there is no 'weights.skil' in a policy; did you mean "
           "'weights.skill'?");
  CHECK(error_of("version = 0\n")
        == "p.toml:1:11: must be a whole number from 1 to 2000000000");
  CHECK(error_of("[hold]\ntime = 5\n")
        == "p.toml:2:8: must be a time with a unit, for example \"30s\" or "
           "\"14d\"");
  CHECK(error_of("[weights]\nskill = -1\n")
        == "p.toml:2:9: must be a number from 0 to 1000");
  CHECK(error_of("[[relax]]\nexpires_after = \"1s\"\nstep = \"open_queue\"\n")
          .find("open_queue, and nothing else, needs a queue")
        != std::string::npos);
  CHECK(error_of("version = = 2").substr(0, 9) == "p.toml:1:");
  CHECK(error_of("[class.vip]\ntarget = \"0s\"\n")
        == "p.toml:2:10: must be at least \"1ms\"");
}

TEST_CASE("a policy file names a canary and shadows", "[policy]") {
  const folder f;
  f.write("b.toml", "version = 2\n");
  f.write("c.toml", "version = 3\n");
  const auto file = f.write("a.toml", "version = 1\n"
                                      "[canary]\nfile = \"b.toml\"\n"
                                      "percent = 5\n"
                                      "[shadow]\nfiles = [\"c.toml\"]\n");
  const auto all = load_policy(file);
  CHECK(all.acting.version == 1);
  REQUIRE(all.canary);
  CHECK(all.canary->version == 2);
  CHECK(all.canary_percent == 5);
  REQUIRE(all.shadows.size() == 1);
  CHECK(all.shadows[0].version == 3);
  CHECK(all.files.size() == 3);
}

TEST_CASE("lint finds what is allowed and hardly meant", "[policy]") {
  policy_file f;
  CHECK(lint(f, 20s).empty());
  f.acting = parse_policy("[[relax]]\nexpires_after = \"10s\"\n"
                          "step = \"drop_skills\"\n"
                          "[[relax]]\nexpires_after = \"30s\"\n"
                          "step = \"lower_skills\"\n",
                          "p.toml");
  const auto found = lint(f, 20s);
  REQUIRE(found.size() == 3);
  CHECK(found[0].find("sooner than an offer") != std::string::npos);
  CHECK(found[1].find("a dead rule") != std::string::npos);
  CHECK(found[2].find("no overflow") != std::string::npos);
}
