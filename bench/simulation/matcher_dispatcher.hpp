#pragma once

#include "bench/simulation/dispatcher.hpp"

namespace switchboard::simulation {

/// `router::matcher` as it runs in the product, unchanged.
[[nodiscard]] std::unique_ptr<dispatcher>
make_matcher_dispatcher(const policy& p);

} // namespace switchboard::simulation
