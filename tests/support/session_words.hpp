#pragma once

#include "actors/domain/session.hpp"

#include <chrono>
#include <map>
#include <string>
#include <vector>

/// Sessions, events and effects as short words, for tables and failures.
namespace switchboard::session::words {

using namespace std::chrono_literals;

/// The moment of all rows.
inline constexpr time_point noon{std::chrono::hours{500'000}};

inline const agent_id ann{"ann"}; ///< Has the session, or has it no more.
inline const agent_id bob{"bob"}; ///< Is asked.
inline const agent_id cas{"cas"}; ///< Has nothing to do with it.
inline const agent_id dan{"dan"}; ///< Is asked besides bob.

/// Every phase, and twice those in which an agent may be asked or not.
std::map<std::string, state> givens();

/// Every event, and twice those whose meaning depends on who sends them.
std::vector<std::pair<std::string, event>> events(const state& s);

std::string say(const effect& e);
std::string say(const effects& all);

/// "active ann", "transferring ann -> bob"
std::string say(const state& s);

} // namespace switchboard::session::words
