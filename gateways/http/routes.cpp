#include "gateways/http/routes.hpp"

#include "config/child_process.hpp"
#include "gateways/agent/protocol.hpp"
#include "gateways/console/desk.hpp"
#include "gateways/http/metrics.hpp"
#include "gateways/http/problem.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace switchboard {

namespace {

namespace json = boost::json;

time_point now() {
  return std::chrono::time_point_cast<duration>(clock::now());
}

struct split_target {
  std::string_view path;
  std::string_view query;
};

split_target split(std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  return {target.substr(0, mark),
          target.substr(std::min(mark + 1, target.size()))};
}

/// @returns the value of `name` in a query, empty if it has none; nothing if it
///          is not there
std::optional<std::string_view> parameter(std::string_view query,
                                          std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name)
      return pair.substr(std::min(equals + 1, pair.size()));
  }
  return std::nullopt;
}

/// @returns nothing unless the parameter is a number in the range
std::optional<std::int32_t> number(std::string_view query,
                                   std::string_view name, std::int32_t least,
                                   std::int32_t most, std::int32_t otherwise) {
  const auto text = parameter(query, name);
  if (!text)
    return otherwise;
  std::int32_t value = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, ec] = std::from_chars(text->data(), end, value);
  if (ec != std::errc{} || stop != end || value < least || value > most)
    return std::nullopt;
  return value;
}

http_reply json_reply(int status, std::string body) {
  return {status, "application/json", std::move(body)};
}

void replace_all(std::string& in, std::string_view what,
                 std::string_view with) {
  for (auto at = in.find(what); at != std::string::npos;
       at = in.find(what, at + with.size()))
    in.replace(at, what.size(), with);
}

bool is_channel(std::string_view x) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !x.empty() && x.size() <= 32 && letter(x[0])
         && std::all_of(x.begin(), x.end(), [&](char c) {
              return letter(c) || (c >= '0' && c <= '9') || c == '-';
            });
}

bool printable(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 32;
  });
}

std::string text_of(const json::object& from, std::string_view name) {
  const auto* x = from.if_contains(name);
  return x != nullptr && x->is_string() ? std::string(x->get_string())
                                        : std::string();
}

result<void> read_metadata(const json::object& from, inbound& out) {
  const auto* found = from.if_contains("metadata");
  if (found == nullptr)
    return {};
  if (!found->is_object())
    return fail(errc::malformed, "metadata must be an object of strings");
  if (found->get_object().size() > metadata_fields_max)
    return fail(errc::too_large, "metadata has more than 64 fields");
  for (const auto& [name, value] : found->get_object()) {
    if (!value.is_string())
      return fail(errc::malformed, "metadata must be an object of strings");
    out.metadata.emplace_back(std::string(name),
                              std::string(value.get_string()));
  }
  return {};
}

/// {"channel":"web","user":"u1","text":"hi"}, and optionally "metadata".
result<inbound> read_message(const http_request& what) {
  boost::system::error_code ec;
  const auto body = json::parse(what.body, ec);
  if (ec || !body.is_object())
    return fail(errc::malformed, "the body must be a JSON object such as "
                                 "{\"channel\":\"web\",\"user\":\"u1\","
                                 "\"text\":\"hi\"}");
  const auto& fields = body.get_object();
  inbound out;
  out.from = {text_of(fields, "channel"), text_of(fields, "user")};
  out.content = text_of(fields, "text");
  out.sent_at = now();
  if (!is_channel(out.from.channel))
    return fail(errc::malformed, "channel must match [a-z][a-z0-9-]{0,31}");
  if (out.from.user.empty() || out.from.user.size() > 255
      || !printable(out.from.user))
    return fail(errc::malformed, "user must be 1 to 255 printable bytes");
  if (out.content.empty() || out.content.find('\0') != std::string::npos)
    return fail(errc::malformed,
                "text must be a string, not empty and without U+0000");
  if (out.content.size() > content_bytes_max)
    return fail(errc::too_large, "text is longer than 65536 bytes");
  if (what.idempotency_key.size() > message_id_bytes_max
      || !printable(what.idempotency_key))
    return fail(errc::malformed,
                "Idempotency-Key must be 1 to 128 printable bytes");
  out.id.text =
    what.idempotency_key.empty() ? random_secret(16) : what.idempotency_key;
  if (auto ok = read_metadata(fields, out); !ok)
    return ok.error();
  return out;
}

http_reply wrong_method(const http_request& what, const std::string& allowed) {
  auto out = problem_reply(
    what, fail(errc::malformed, "this path allows only " + allowed), 405);
  out.headers.emplace_back("Allow", allowed);
  return out;
}

constexpr std::string_view sessions = "/v1/sessions/";
constexpr std::string_view entries_end = "/entries";

/// @returns the id of /v1/sessions/<id>/entries
std::optional<std::string_view> session_of(std::string_view path) {
  if (path.size() <= sessions.size() + entries_end.size()
      || !path.starts_with(sessions) || !path.ends_with(entries_end))
    return std::nullopt;
  path.remove_prefix(sessions.size());
  path.remove_suffix(entries_end.size());
  return path;
}

} // namespace

http_reply problem_reply(const http_request& what, error why, int status) {
  http_reply out;
  out.status = status != 0 ? status : http_status(why.code);
  out.type = "application/problem+json";
  if (out.status == 401)
    out.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (out.status == 429 || out.status == 503)
    out.headers.emplace_back("Retry-After", "1");
  out.body =
    to_json({std::move(why), out.status, what.request_id, what.trace_id});
  return out;
}

std::string_view sane_id(std::string_view text) noexcept {
  const auto ok = !text.empty() && text.size() <= 64
                  && std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
                              || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'
                              || c == '.';
                     });
  return ok ? text : std::string_view{};
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
  // 00-<32 hexadecimal digits>-<16>-<2>
  if (traceparent.size() < 55 || traceparent[2] != '-'
      || traceparent[35] != '-')
    return {};
  const auto found = traceparent.substr(3, 32);
  const auto hexadecimal = std::all_of(found.begin(), found.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  return hexadecimal ? found : std::string_view{};
}

bool origin_allowed(std::string_view origin, std::string_view host,
                    const std::vector<std::string>& allowed) {
  if (origin.empty())
    return true;
  if (!host.empty()
      && (origin == "http://" + std::string(host)
          || origin == "https://" + std::string(host)))
    return true;
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const auto& x) { return x == "*" || x == origin; });
}

http_reply routes::ready(bool verbose) const {
  auto checks = how_.actors->health();
  checks.push_back({"gateway", !draining_.load(),
                    draining_.load() ? "draining" : "accepting"});
  const auto all_ok =
    std::all_of(checks.begin(), checks.end(), [](auto& x) { return x.ok; });
  http_reply out;
  out.status = all_ok ? 200 : 503;
  for (const auto& x : checks)
    if (verbose || !x.ok)
      out.body += (x.ok ? "[+] " : "[-] ") + x.name + (x.ok ? " ok" : " failed")
                  + (x.detail.empty() ? "" : ": " + x.detail) + "\n";
  out.body += all_ok ? "ready\n" : "not ready\n";
  return out;
}

http_reply routes::desk() const {
  const auto nonce = random_secret(16);
  http_reply out{200, "text/html; charset=utf-8", std::string(desk_page())};
  replace_all(out.body, "@NONCE@", nonce);
  out.headers = {
    {"Content-Security-Policy",
     "default-src 'none'; connect-src 'self'; script-src 'nonce-" + nonce
       + "'; style-src 'nonce-" + nonce
       + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
  };
  return out;
}

result<identity> routes::identify(const http_request& what) const {
  constexpr std::string_view scheme = "bearer ";
  const auto& text = what.authorization;
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const auto bearer =
    text.size() > scheme.size()
    && std::equal(scheme.begin(), scheme.end(), text.begin(),
                  [&](char a, char b) { return a == lower(b); });
  if (!bearer)
    return fail(errc::unauthorized,
                "send the header Authorization: Bearer <token>");
  return how_.verifier->verify(std::string_view(text).substr(scheme.size()),
                               now());
}

void routes::post_message(const http_request& what,
                          const http_answer& done) const {
  const auto who = identify(what);
  if (!who)
    return done(problem_reply(what, who.error()));
  if (who->as != role::operator_)
    return done(problem_reply(what, fail(errc::forbidden,
                                         "only an operator's token may post "
                                         "messages in a customer's name")));
  auto message = read_message(what);
  if (!message)
    return done(problem_reply(what, message.error()));
  const auto id = message->id.text;
  how_.actors->post(std::move(*message), [what, done, id](result<receipt> got) {
    if (!got)
      return done(problem_reply(what, got.error()));
    json::object out{{"session", to_string(got->session)},
                     {"seq", got->seq},
                     {"duplicate", got->duplicate},
                     {"id", id}};
    done(json_reply(got->duplicate ? 200 : 201, json::serialize(out)));
  });
}

void routes::entries(const http_request& what, std::string_view id,
                     const http_answer& done) const {
  const auto who = identify(what);
  if (!who)
    return done(problem_reply(what, who.error()));
  if (who->as == role::visitor)
    return done(problem_reply(
      what, fail(errc::forbidden, "a customer reads with the command history "
                                  "on /v1/ws")));
  const auto session = parse_session_id(id);
  if (!session)
    return done(problem_reply(
      what, fail(errc::not_found, "a session's id is a positive number")));
  const auto query = split(what.target).query;
  const auto after =
    number(query, "after", 0, std::numeric_limits<std::int32_t>::max(), 0);
  const auto limit =
    number(query, "limit", 1, agent_protocol::history_limit_max, 100);
  if (!after || !limit)
    return done(problem_reply(
      what, fail(errc::malformed, "after must be a seq, limit 1 to 500")));
  const agent_id reader{who->as == role::agent ? who->subject : ""};
  how_.actors->history(
    reader, *session, *after, *limit, [what, done, s = *session](auto got) {
      if (!got)
        return done(problem_reply(what, got.error()));
      done(json_reply(200, agent_protocol::format_entries(s, *got)));
    });
}

void routes::answer(const http_request& what, const http_answer& done) const {
  const auto [path, query] = split(what.target);
  const auto reading = what.method == "GET" || what.method == "HEAD";
  const auto say = [&](std::string_view route, auto make) {
    http_reply out = reading ? make() : wrong_method(what, "GET, HEAD");
    out.route = route;
    done(std::move(out));
  };
  const auto later = [&](std::string_view route) -> http_answer {
    return [done, route](http_reply out) {
      out.route = route;
      done(std::move(out));
    };
  };
  if (path == "/")
    return say("/", [&] { return desk(); });
  if (path == "/livez")
    return say("/livez", [] { return http_reply{200, "text/plain", "ok\n"}; });
  if (path == "/readyz")
    return say("/readyz", [&, q = query] {
      return ready(parameter(q, "verbose").has_value());
    });
  if (path == "/metrics")
    return say("/metrics", [&] {
      return http_reply{200, "text/plain; version=0.0.4; charset=utf-8",
                        how_.actors->metrics() + numbers_.text()
                          + (how_.on_metrics ? how_.on_metrics() : "")};
    });
  if (path == "/version")
    return say("/version", [&] {
      return json_reply(
        200, json::serialize(json::object{{"name", "switchboard"},
                                          {"version", how_.version}}));
    });
  if (path == "/v1/messages") {
    if (what.method != "POST")
      return later("/v1/messages")(wrong_method(what, "POST"));
    return post_message(what, later("/v1/messages"));
  }
  if (const auto id = session_of(path)) {
    const auto route = later("/v1/sessions/{id}/entries");
    return reading ? entries(what, *id, route)
                   : route(wrong_method(what, "GET, HEAD"));
  }
  if (path == "/v1/ws") {
    auto out = problem_reply(
      what, fail(errc::malformed, "this path speaks WebSocket only"), 426);
    out.headers.emplace_back("Upgrade", "websocket");
    return later("/v1/ws")(std::move(out));
  }
  later("other")(
    problem_reply(what, fail(errc::not_found, "there is nothing here")));
}

} // namespace switchboard
