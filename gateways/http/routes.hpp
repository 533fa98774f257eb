#pragma once

#include "gateways/http/gateway.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchboard {

class gateway_metrics;

/// One request, as far as we look at it. Free of any HTTP library.
struct http_request {
  std::string method;
  std::string target;
  std::string body{};
  std::string authorization{};
  std::string idempotency_key{};
  std::string request_id{}; ///< The caller's if it gave a sane one, else ours.
  std::string trace_id{};   ///< Of `traceparent`, else empty.
};

struct http_reply {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string_view route{}; ///< For metrics: no ids in it.
};

using http_answer = std::function<void(http_reply)>;

/// What the gateway says to each request.
class routes {
public:
  routes(const gateway_options& how, const gateway_metrics& numbers,
         const std::atomic<bool>& draining)
    : how_(how), numbers_(numbers), draining_(draining) {}

  /// `done` is called once, perhaps later and on another thread.
  void answer(const http_request& what, const http_answer& done) const;

private:
  http_reply ready(bool verbose) const;
  http_reply desk() const;
  void post_message(const http_request& what, const http_answer& done) const;
  void entries(const http_request& what, std::string_view id,
               const http_answer& done) const;
  result<identity> identify(const http_request& what) const;

  const gateway_options& how_;
  const gateway_metrics& numbers_;
  const std::atomic<bool>& draining_;
};

/// An error as a reply. `status` 0: the one that belongs to the code.
[[nodiscard]] http_reply problem_reply(const http_request& what, error why,
                                       int status = 0);

/// May a page of this origin talk to us? No origin: not a browser.
[[nodiscard]] bool origin_allowed(std::string_view origin,
                                  std::string_view host,
                                  const std::vector<std::string>& allowed);

/// The text if it is a sane id ([A-Za-z0-9._-]{1,64}), else nothing.
[[nodiscard]] std::string_view sane_id(std::string_view text) noexcept;

/// The trace id of a W3C `traceparent`, or nothing.
[[nodiscard]] std::string_view
trace_id_of(std::string_view traceparent) noexcept;

} // namespace switchboard
