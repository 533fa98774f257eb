#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace switchboard {

/// Everything that can be set. Names, defaults, units and help stand in one
/// table (settings.cpp), from which the default file, the documentation and the
/// checks are made. Later sources win: default, TOML file, environment
/// (SWITCHBOARD_NATS_URL for nats.url), flag.
struct settings {
  struct {
    std::string name;              ///< node.name; default: the host's name
    std::string data = "";         ///< node.data
  } node;
  struct {
    std::string url = "nats://127.0.0.1:4222"; ///< nats.url (or NATS_URL)
    std::string user;                          ///< nats.user
    std::string password;                      ///< nats.password (or _FILE)
    std::int64_t stream_bytes_max = 1 << 30;   ///< nats.stream_bytes_max
    int stream_replicas = 1;                   ///< nats.stream_replicas
    std::chrono::seconds stream_age_max{7 * 86400}; ///< nats.stream_age_max
  } nats;
  struct {
    std::string url;              ///< postgres.url (or PG* variables)
    std::int64_t batch_rows_max = 1024; ///< postgres.batch_rows_max
    std::int64_t readers = 2;           ///< postgres.readers
  } postgres;
  struct {
    std::string address = "127.0.0.1"; ///< http.address
    std::uint16_t port = 8080;         ///< http.port; 0: any free one
    std::vector<std::string> origins;  ///< http.origins allowed in browsers
    std::int64_t threads = 1;          ///< http.threads
    std::int64_t connections_max = 15000;
  } http;
  struct {
    std::string secret;                ///< auth.secret of HS256 (or _FILE)
    std::string issuer = "switchboard";
    std::string audience = "switchboard";
  } auth;
  struct {
    std::int64_t threads = 2;          ///< actors.threads
    std::int64_t in_flight_max = 65536; ///< actors.in_flight_max
  } actors;
  struct {
    std::string level = "info";        ///< log.level
    std::string format = "auto";       ///< log.format: auto, text, json
  } log;
};

} // namespace switchboard
