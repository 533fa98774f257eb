// `simulate`: the product's routing beside others, on paper.
#include "bench/report.hpp"
#include "bench/simulation/print.hpp"
#include "bench/simulation/trace.hpp"
#include "gateways/cli/cli.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

namespace switchboard::cli {

namespace {

struct simulate_options {
  simulation::plan base{};
  int seeds = 10;
  std::string load = "all";
  std::string arrivals{};
  std::string staff{};
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

std::string contents_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    throw failure{failed, "cannot read " + path
                            + ": check that it exists and is not empty"};
  return std::move(text).str();
}

/// The value, or a failure that names the file.
template <class T>
T parsed(result<T> x, const std::string& path) {
  if (!x)
    throw failure{failed, path + ", " + x.error().detail};
  return std::move(*x);
}

/// The command without what does not change the figures.
std::string command_of(const simulate_options& o) {
  std::ostringstream out;
  out << "switchboard simulate --seed " << o.base.seed << " --seeds "
      << o.seeds;
  if (o.arrivals.empty())
    out << " --load " << o.load << " --hours " << o.base.hours;
  else
    out << " --arrivals " << o.arrivals;
  if (o.staff.empty())
    out << " --agents " << o.base.agents;
  else
    out << " --staff " << o.staff;
  if (o.skill_effect != 1)
    out << " --skill-effect " << o.skill_effect;
  if (o.affinity_effect != 1)
    out << " --affinity-effect " << o.affinity_effect;
  return std::move(out).str();
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();
  if (!file)
    throw failure{failed, "cannot write " + path
                            + ": check that its folder exists and has room"};
  std::cerr << "switchboard: wrote " << path << '\n';
}

int simulate(const context& c, const simulate_options& o) {
  std::vector<simulation::recorded_customer> customers;
  std::vector<simulation::recorded_agent> agents;
  auto loads = loads_of(o.load);
  auto p = plan_of(o);
  if (!o.arrivals.empty()) {
    customers =
      parsed(simulation::parse_customers(contents_of(o.arrivals)), o.arrivals);
    loads = {{"recorded", 0.}};
  }
  if (!o.staff.empty()) {
    agents = parsed(simulation::parse_agents(contents_of(o.staff)), o.staff);
    p.agents = static_cast<int>(agents.size());
  }
  bench::progress bar{"simulating"};
  auto s = simulation::run(
    p, o.seeds, loads,
    [&](const simulation::plan& x) {
      return simulation::make_recorded_world(x, customers, agents);
    },
    [&bar](double part) { bar.at(part); });
  s.command = command_of(o);
  std::cout << (c.json ? simulation::to_json(s) + '\n'
                       : simulation::to_text(s));
  if (!o.html.empty())
    write(o.html, simulation::to_html(s));
  return ok;
}

} // namespace

void add_simulate(CLI::App& to, context& c) {
  static simulate_options o;
  auto* made = add(to, "simulate", "Routing policies side by side, on paper",
                   "  switchboard simulate\n"
                   "  switchboard simulate --load high --html report.html\n"
                   "  switchboard simulate --arrivals monday.csv --agents 25\n"
                   "A line of arrivals: at_s,language,skills,urgency with "
                   "12.5,zh,billing|sales,vip\n"
                   "A line of staff:    id,languages,skills,capacity,shifts "
                   "with li,zh:5|en:3,billing:4,3,0-4|4.5-8\n",
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
  made->add_option("--arrivals", o.arrivals,
                   "Customers from a file (CSV or JSON lines) instead");
  made->add_option("--staff", o.staff,
                   "Agents from a file (CSV or JSON lines) instead");
  made->add_option("--html", o.html, "Write a page with pictures here, too");
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
