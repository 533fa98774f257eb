// `bench NAME`: the benchmarks of bench/.
#include "gateways/cli/cli.hpp"

namespace switchboard::cli {

void add_bench(CLI::App&, context&) {
  // nop
}

} // namespace switchboard::cli
