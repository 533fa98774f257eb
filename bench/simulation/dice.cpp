#include "bench/simulation/dice.hpp"

#include <cmath>
#include <numbers>

namespace switchboard::simulation {

namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

constexpr std::uint64_t step = 0x9e3779b97f4a7c15u;

} // namespace

dice::dice(std::uint64_t seed, std::uint64_t stream)
  : state_(scramble(scramble(seed + step) + stream * step)) {}

std::uint64_t dice::bits() {
  state_ += step;
  return scramble(state_);
}

double dice::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

double dice::exponential(double mean) {
  return -mean * std::log(1 - uniform());
}

double dice::lognormal(double mean, double spread) {
  const auto radius = std::sqrt(-2 * std::log(1 - uniform()));
  const auto normal = radius * std::cos(2 * std::numbers::pi * uniform());
  return mean * std::exp(spread * normal - spread * spread / 2);
}

std::uint64_t dice::below(std::uint64_t n) {
  return bits() % n;
}

} // namespace switchboard::simulation
