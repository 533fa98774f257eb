#pragma once

#include "persistence/store.hpp"

#include <string>
#include <string_view>

/// What the columns of type jsonb hold. What cannot be read defaults: an
/// operator may have edited it by hand.
namespace switchboard::postgres {

std::string profile_json(const agent::profile& x);
agent::profile profile_of(std::string_view text);

std::string rules_json(const session::rules& r);
session::rules rules_of(std::string_view text);

headers headers_of(std::string_view text);

} // namespace switchboard::postgres
