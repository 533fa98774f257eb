#pragma once

#include "actors/domain/router.hpp"
#include "config/policy_file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace switchboard {

[[nodiscard]] router::policy_choice choice_of(const policy_file& x);

/// Notices when a policy file, or one that it names, was edited.
/// Thread safety: none.
class policy_watch {
public:
  /// Reads the file. An empty name: the default policy, which never changes.
  /// @throws policy_error
  explicit policy_watch(std::string file);

  const policy_file& current() const { return now_; }

  /// @returns what the files say now, if they have changed and can be used. A
  ///          file that cannot be used is logged once, and the former policy
  ///          stays.
  [[nodiscard]] std::optional<policy_file> look();

  /// The next `look` reads the files, edited or not.
  void look_again() { seen_.clear(); }

private:
  using state = std::pair<std::filesystem::file_time_type, std::uintmax_t>;

  [[nodiscard]] std::vector<state> states() const;

  std::string file_;
  policy_file now_;
  std::vector<state> seen_;
};

} // namespace switchboard
