#include "gateways/cli/cli.hpp"

#include "bus/nats/nats_bus.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace switchboard::cli {

settings context::load() const {
  auto from = file;
  for (const auto* usual :
       {".switchboard/dev.toml", "/etc/switchboard/switchboard.toml"})
    if (from.empty() && std::filesystem::exists(usual))
      from = usual;
  try {
    return load_settings(from, flags);
  } catch (const settings_error& e) {
    throw failure{bad_configuration, e.what()};
  }
}

std::unique_ptr<store> context::open_store() const {
  auto made = make_postgres_store(load().postgres.url, "switchboard/cli");
  const auto there = made->directory_version();
  if (there)
    return made;
  if (there.error().code == errc::unavailable)
    throw failure{dependency_down,
                  there.error().detail
                    + "\nIs `switchboard dev` running here, or is -c missing?"};
  throw failure{failed, there.error().detail
                          + "\nPerhaps `switchboard db migrate` comes first."};
}

std::unique_ptr<bus> context::open_bus() const {
  auto made = connect_nats(nats_of(load(), "switchboard-cli"));
  if (made)
    return std::move(*made);
  throw failure{dependency_down,
                "NATS: " + made.error().detail
                  + "\nIs `switchboard dev` running here, or is -c missing?"};
}

nats_options nats_of(const settings& s, const std::string& name) {
  return {.urls = s.nats.url,
          .name = name,
          .user = s.nats.user,
          .password = s.nats.password};
}

token_options tokens_of(const settings& s) {
  return {.secret = s.auth.secret,
          .public_key = s.auth.public_key,
          .issuer = s.auth.issuer,
          .audience = s.auth.audience};
}

namespace {

/// Columns of a terminal that a UTF-8 text takes, near enough: Chinese and
/// other wide characters (three bytes and more) take two.
std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80)
      width += byte >= 0xE0 ? 2 : 1;
  }
  return width;
}

} // namespace

void print_table(bool json, const std::vector<std::string>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
  if (json) {
    boost::json::array all;
    for (const auto& row : rows) {
      boost::json::object one;
      for (std::size_t i = 0; i < columns.size(); ++i)
        one[columns[i]] = row[i];
      all.push_back(std::move(one));
    }
    std::cout << boost::json::serialize(all) << '\n';
    return;
  }
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(width_of(columns[i]));
    for (const auto& row : rows)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto print = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::cout << row[i];
      if (i + 1 < row.size())
        std::cout << std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    std::cout << '\n';
  };
  print(columns);
  for (const auto& row : rows)
    print(row);
}

} // namespace switchboard::cli
