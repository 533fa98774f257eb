#pragma once

#include "actors/domain/result.hpp"

#include <catch2/catch.hpp>

#include <string>

/// Catch would print the value inside, which not every value can do.
template <class T>
struct Catch::StringMaker<boost::system::result<T, switchboard::error>> {
  static std::string
  convert(const boost::system::result<T, switchboard::error>& x) {
    return x ? "a value" : "error: " + x.error().detail;
  }
};
