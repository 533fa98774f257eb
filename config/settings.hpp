#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace switchboard {

/// Everything that can be set. Names, defaults, units and help stand in one
/// table (settings.cpp), from which the default file, the documentation and the
/// checks are made. Later sources win: default, TOML file, environment
/// (SWITCHBOARD_NATS_URL for nats.url), flag.
struct settings {
  struct {
    std::string name; ///< Default: the host's name.
  } node;
  struct {
    std::string url = "nats://127.0.0.1:4222";
    std::string user;
    std::string password;
    std::int64_t stream_bytes_max = std::int64_t{1} << 30;
    std::int64_t stream_replicas = 1;
    std::chrono::milliseconds stream_age_max{std::chrono::hours{7 * 24}};
  } nats;
  struct {
    std::string url; ///< Empty: the PG* variables of libpq.
    std::int64_t batch_rows_max = 1024;
    std::int64_t readers = 2;
  } postgres;
  struct {
    std::string address = "127.0.0.1";
    std::int64_t port = 8080; ///< 0: any free one.
    std::vector<std::string> origins;
    std::int64_t threads = 1;
    std::int64_t connections_max = 15'000;
  } http;
  struct {
    std::string secret; ///< Of HS256 tokens, at least 32 bytes.
    std::string public_key;
    std::string issuer = "switchboard";
    std::string audience = "switchboard";
  } auth;
  struct {
    std::int64_t threads = 2;
    std::int64_t in_flight_max = 65'536;
  } actors;
  struct {
    std::int64_t grace_s = 30;
  } agents;
  struct {
    std::string policy; ///< A file; empty: the default policy.
    std::string record; ///< A folder; empty: nothing is recorded.
  } routing;
  struct {
    std::string country; ///< Calling code, "86".
  } identity;
  struct {
    std::string level = "info";
    std::string format = "auto";
  } log;
};

/// What is wrong with a setting, and where: "switchboard.toml:3:5: …".
class settings_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// One line of the table.
struct setting {
  std::string name; ///< "nats.stream_bytes_max"
  std::string kind; ///< "text", "number", "size", "duration", "list"
  std::string help;
  bool secret = false; ///< Not printed; also taken from a file (…_FILE).
  std::function<std::string(const settings&)> get;
  /// @throws settings_error, without a place, for a value that does not fit
  std::function<void(settings&, const std::string&)> set;

  /// "SWITCHBOARD_NATS_STREAM_BYTES_MAX"
  [[nodiscard]] std::string variable() const;
};

const std::vector<setting>& settings_table();

/// Reads all sources.
/// @param file  empty: no file
/// @param flags name=value pairs that win over everything
/// @throws settings_error for an unknown name (with the nearest known one), a
///         value that does not fit, a file that cannot be read
settings load_settings(const std::string& file,
                       const std::vector<std::string>& flags = {});

/// The default file, every setting with its help and its default commented out.
std::string default_settings_file();

/// The table as Markdown.
std::string settings_documentation();

/// The setting whose name is nearest to `text`; empty if none is near.
std::string nearest(std::string_view text,
                    const std::vector<std::string>& known);

} // namespace switchboard
