// `simulate`: the product's routing beside others, on paper.
#include "bench/report.hpp"
#include "bench/simulation/print.hpp"
#include "gateways/cli/cli.hpp"

#include <fstream>
#include <iostream>

namespace switchboard::cli {

namespace {

struct simulate_options {
  simulation::plan base{};
  int seeds = 10;
  std::string load = "all";
  std::string arrivals{};
  std::string html{};
  double skill_effect = 1;
  double affinity_effect = 1;
};

std::vector<simulation::level> loads_of(const std::string& text) {
  if (text == "all")
    return simulation::levels;
  for (const auto& x : simulation::levels)
    if (x.first == text)
      return {x};
  std::size_t end = 0;
  double number = 0;
  try {
    number = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end == 0 || end != text.size() || !(number > 0 && number <= 5))
    throw failure{usage, "--load is low, medium, high, all or a number up to "
                         "5, not '"
                           + text + "'"};
  return {{"given", number}};
}

simulation::plan plan_of(const simulate_options& o) {
  auto p = o.base;
  auto& n = p.laws;
  n.skill_slows *= o.skill_effect;
  n.skill_resolves *= o.skill_effect;
  n.affinity_saves *= o.affinity_effect;
  n.affinity_resolves *= o.affinity_effect;
  return p;
}

int simulate(const context& c, const simulate_options& o) {
  const auto loads = loads_of(o.load);
  bench::progress bar{"simulating"};
  const auto s =
    simulation::run(plan_of(o), o.seeds, loads, simulation::make_world,
                    [&bar](double part) { bar.at(part); });
  std::cout << (c.json ? simulation::to_json(s) + '\n'
                       : simulation::to_text(s));
  return ok;
}

} // namespace

void add_simulate(CLI::App& to, context& c) {
  static simulate_options o;
  auto* made = add(to, "simulate", "Routing policies side by side, on paper",
                   "  switchboard simulate\n"
                   "  switchboard simulate --load high --html report.html\n"
                   "  switchboard simulate --arrivals monday.csv --agents 25\n",
                   [&c] { return simulate(c, o); });
  made->add_option("--seed", o.base.seed, "The first seed")
    ->capture_default_str();
  made->add_option("--seeds", o.seeds, "How many days, each with its own seed")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  made->add_option("--agents", o.base.agents, "How many agents")
    ->check(CLI::Range(1, 2000))
    ->capture_default_str();
  made->add_option("--hours", o.base.hours, "Length of a day")
    ->check(CLI::Range(0.5, 24.0))
    ->capture_default_str();
  made->add_option("--load", o.load, "low, medium, high, all or a number")
    ->capture_default_str();
  made
    ->add_option("--skill-effect", o.skill_effect,
                 "How much skill matters in the model; 0: not at all")
    ->check(CLI::Range(0.0, 1.5))
    ->capture_default_str();
  made
    ->add_option("--affinity-effect", o.affinity_effect,
                 "How much acquaintance matters in the model")
    ->check(CLI::Range(0.0, 2.0))
    ->capture_default_str();
}

} // namespace switchboard::cli
