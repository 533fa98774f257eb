#pragma once

#include "bench/simulation/experiment.hpp"

#include <string>

/// A study for people, for programs, and for people with a browser.
namespace switchboard::simulation {

[[nodiscard]] std::string to_text(const study& s);
[[nodiscard]] std::string to_json(const study& s);

/// One page that needs nothing else: styles and pictures are inside.
[[nodiscard]] std::string to_html(const study& s);

/// "12.3 s ± 0.4", "4.5 % ± 0.2"; without ± when there was one seed.
[[nodiscard]] std::string written(figure f, const estimate& x);

/// Who is better in this figure: "switchboard", the baseline's name, or "-".
[[nodiscard]] std::string winner(const row& baseline, figure f);

/// "high load (1.00): 2310 customers a day, 40 agents ..."
[[nodiscard]] std::string title_of(const study& s, const table& t);

/// What the model takes for granted, as sentences.
[[nodiscard]] std::vector<std::string> assumptions(const study& s);

} // namespace switchboard::simulation
