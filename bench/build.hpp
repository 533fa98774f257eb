#pragma once

#include "bench/report.hpp"

#include <string>

namespace switchboard::bench {

struct build_options {
  std::string source = "."; ///< The folder with CMakeLists.txt.
  int jobs = 0;             ///< 0: as many as processors.
};

/// A clean release build of the program from nothing, ccache off: configure,
/// compile, link. Floor: the sum of all steps over the processors, as if they
/// could be shared out without a gap. Lost: the built program does not run.
/// @throws std::runtime_error with the end of the log when it does not build
report run_build(const build_options& how);

} // namespace switchboard::bench
