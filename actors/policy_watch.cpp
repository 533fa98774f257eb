#include "actors/policy_watch.hpp"

#include <spdlog/spdlog.h>

#include <system_error>
#include <utility>

namespace switchboard {

router::policy_choice choice_of(const policy_file& x) {
  return {x.acting, x.canary, x.canary_percent};
}

policy_watch::policy_watch(std::string file) : file_(std::move(file)) {
  if (file_.empty())
    return;
  now_ = load_policy(file_);
  seen_ = states();
}

std::optional<policy_file> policy_watch::look() {
  if (file_.empty())
    return std::nullopt;
  auto fresh = states();
  if (fresh == seen_)
    return std::nullopt;
  seen_ = std::move(fresh);
  try {
    now_ = load_policy(file_);
    seen_ = states(); // It may name other files by now.
    return now_;
  } catch (const policy_error& e) {
    spdlog::error("the policy stays as it was: {}", e.what());
    return std::nullopt;
  }
}

std::vector<policy_watch::state> policy_watch::states() const {
  std::vector<state> all;
  for (const auto& x : now_.files) {
    std::error_code ec;
    const auto at = std::filesystem::last_write_time(x, ec);
    const auto size = ec ? 0 : std::filesystem::file_size(x, ec);
    all.emplace_back(ec ? std::filesystem::file_time_type{} : at, size);
  }
  return all;
}

} // namespace switchboard
