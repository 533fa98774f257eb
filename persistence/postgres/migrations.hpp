#pragma once

#include <string>
#include <vector>

namespace switchboard {

/// A numbered file of persistence/migrations, as the program carries it.
struct migration {
  std::string name; ///< "0001_core"
  std::string sql;
};

/// All of them, ascending.
const std::vector<migration>& migrations();

} // namespace switchboard
