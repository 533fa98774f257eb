#pragma once

#include "actors/domain/result.hpp"

#include <catch2/catch.hpp>

#include <string>

/// Lets Catch print results: Boost's own printing asks more of the value.
template <class T>
struct Catch::StringMaker<boost::system::result<T, switchboard::error>> {
  static std::string
  convert(const boost::system::result<T, switchboard::error>& x) {
    if (x.has_value())
      return "a value";
    const auto e = x.error();
    return std::string(switchboard::to_string(e.code)) + ": " + e.detail;
  }
};
