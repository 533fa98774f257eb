#pragma once

#include "actors/domain/agent.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Agents, events and effects as short words, for tables and failures.
namespace switchboard::agent::words {

using namespace std::chrono_literals;

/// The moment of all rows.
inline constexpr time_point noon{std::chrono::hours{500'000}};

inline const session_id served{1};  ///< Is the agent's.
inline const session_id ringing{2}; ///< Is offered to the agent.
inline const session_id kept{3};    ///< A place is kept free for it.
inline const session_id other{9};   ///< Is nowhere near the agent.

std::map<std::string, state> givens();
std::vector<std::pair<std::string, event>> events(const state& s);

std::string say(const effect& e);
std::string say(const effects& all);

/// "busy +2 100" : presence, devices, load; then the places by session:
/// '=' assigned, '?' offered, '.' granted.
std::string say(const state& s);

} // namespace switchboard::agent::words
