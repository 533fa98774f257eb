#include "config/zone_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace switchboard {

namespace {

bool is_name(const std::string& x) {
  return !x.empty() && x.size() <= 64 && x.front() != '/'
         && x.find("..") == x.npos
         && std::all_of(x.begin(), x.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '/' || c == '_'
                     || c == '-' || c == '+';
            });
}

} // namespace

result<time_zone> load_zone(const std::string& name) {
  if (name == "UTC")
    return time_zone{};
  const auto* given = std::getenv("TZDIR");
  const std::filesystem::path folder{given ? given : "/usr/share/zoneinfo"};
  std::error_code ec;
  if (!is_name(name) || !std::filesystem::is_regular_file(folder / name, ec))
    return fail(errc::not_found,
                "there is no time zone '" + name + "' in " + folder.string()
                  + "; name one as 'Europe/Berlin' or 'Asia/Shanghai', and see "
                    "that tzdata is installed");
  std::ifstream from{folder / name, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{from}, {}};
  return time_zone::parse(bytes);
}

} // namespace switchboard
