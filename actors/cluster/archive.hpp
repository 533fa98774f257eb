#pragma once

#include "actors/domain/ids.hpp"
#include "actors/domain/result.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// Values as bytes, for what nodes tell each other. A type is described once,
/// by `fields(a, x)`, which names its members in order and serves both ways.
///
/// A described value is written behind its length: a reader skips what a newer
/// writer has added at the end, and keeps the defaults of what an older one did
/// not write. So members are only ever added, at the end, and so are the
/// alternatives of a variant.
namespace switchboard::wire {

/// Writes.
class packer {
public:
  template <class... Ts>
  void operator()(const Ts&... xs) {
    (put(xs), ...);
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  void number(std::uint64_t x) {
    for (; x >= 128; x >>= 7)
      bytes_ += static_cast<char>(x | 128);
    bytes_ += static_cast<char>(x);
  }

  template <std::integral T>
  void put(T x) {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<std::int64_t>(x);
      number((static_cast<std::uint64_t>(wide) << 1)
             ^ static_cast<std::uint64_t>(wide >> 63));
    } else {
      number(static_cast<std::uint64_t>(x));
    }
  }

  template <class T>
  requires std::is_enum_v<T>
  void put(T x) { number(static_cast<std::uint64_t>(x)); }

  void put(const std::string& x) {
    number(x.size());
    bytes_ += x;
  }

  template <class Kind>
  void put(const id<Kind>& x) {
    put(x.text);
  }

  void put(const session_id& x) { put(x.value); }

  template <class Rep, class Period>
  void put(const std::chrono::duration<Rep, Period>& x) {
    put(static_cast<std::int64_t>(x.count()));
  }

  template <class Clock, class Duration>
  void put(const std::chrono::time_point<Clock, Duration>& x) {
    put(x.time_since_epoch());
  }

  template <class T>
  void put(const std::optional<T>& x) {
    put(x.has_value());
    if (x)
      put(*x);
  }

  template <class T>
  void put(const std::vector<T>& all) {
    number(all.size());
    for (const auto& x : all)
      put(x);
  }

  template <class A, class B>
  void put(const std::pair<A, B>& x) {
    put(x.first);
    put(x.second);
  }

  template <class K, class V>
  void put(const std::map<K, V>& all) {
    number(all.size());
    for (const auto& x : all)
      put(x);
  }

  template <class... Ts>
  void put(const std::variant<Ts...>& x) {
    number(x.index());
    std::visit([this](const auto& y) { put(y); }, x);
  }

  template <class T>
  requires requires(packer& a, T& x) { fields(a, x); }
  void put(const T& x) {
    packer inner;
    fields(inner, const_cast<T&>(x)); // Only read here.
    put(inner.bytes_);
  }

  std::string bytes_;
};

/// Reads. What does not fit makes `good` false, and leaves defaults.
class unpacker {
public:
  explicit unpacker(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  template <class... Ts>
  void operator()(Ts&... xs) {
    (get_if_there(xs), ...);
  }

private:
  /// A shorter value, of an older writer, ends between two members.
  template <class T>
  void get_if_there(T& x) {
    if (good_ && !rest_.empty())
      get(x);
  }

  std::uint64_t number() {
    std::uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty())
        break;
      const auto c = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      x |= static_cast<std::uint64_t>(c & 127) << shift;
      if (c < 128)
        return x;
    }
    good_ = false;
    return 0;
  }

  /// A count of things that take at least a byte each.
  std::size_t count() {
    const auto n = number();
    if (n > rest_.size())
      good_ = false;
    return good_ ? static_cast<std::size_t>(n) : 0;
  }

  template <std::integral T>
  void get(T& x) {
    const auto raw = number();
    if constexpr (std::is_signed_v<T>)
      x = static_cast<T>((raw >> 1) ^ (~(raw & 1) + 1));
    else
      x = static_cast<T>(raw);
  }

  template <class T>
  requires std::is_enum_v<T>
  void get(T& x) { x = static_cast<T>(number()); }

  void get(std::string& x) {
    const auto n = count();
    x.assign(rest_.substr(0, n));
    rest_.remove_prefix(n);
  }

  template <class Kind>
  void get(id<Kind>& x) {
    get(x.text);
  }

  void get(session_id& x) { get(x.value); }

  template <class Rep, class Period>
  void get(std::chrono::duration<Rep, Period>& x) {
    std::int64_t n = 0;
    get(n);
    x = std::chrono::duration<Rep, Period>{n};
  }

  template <class Clock, class Duration>
  void get(std::chrono::time_point<Clock, Duration>& x) {
    Duration since{};
    get(since);
    x = std::chrono::time_point<Clock, Duration>{since};
  }

  template <class T>
  void get(std::optional<T>& x) {
    bool there = false;
    get(there);
    if (!there || !good_)
      return;
    x.emplace();
    get(*x);
  }

  template <class T>
  void get(std::vector<T>& all) {
    const auto n = count();
    for (std::size_t i = 0; i < n && good_; ++i) {
      T x{};
      get(x);
      all.push_back(std::move(x));
    }
  }

  template <class A, class B>
  void get(std::pair<A, B>& x) {
    get(x.first);
    get(x.second);
  }

  template <class K, class V>
  void get(std::map<K, V>& all) {
    const auto n = count();
    for (std::size_t i = 0; i < n && good_; ++i) {
      std::pair<K, V> x{};
      get(x);
      all.insert(std::move(x));
    }
  }

  template <class... Ts>
  void get(std::variant<Ts...>& x) {
    const auto index = number();
    if (index >= sizeof...(Ts)) {
      good_ = false;
      return;
    }
    get_alternative(x, static_cast<std::size_t>(index),
                    std::index_sequence_for<Ts...>{});
  }

  template <class Variant, std::size_t... Is>
  void get_alternative(Variant& x, std::size_t index,
                       std::index_sequence<Is...>) {
    const auto one = [&](auto number) {
      if (number.value != index)
        return;
      x.template emplace<number.value>();
      get(std::get<number.value>(x));
    };
    (one(std::integral_constant<std::size_t, Is>{}), ...);
  }

  template <class T>
  requires requires(unpacker& a, T& x) { fields(a, x); }
  void get(T& x) {
    const auto n = count();
    unpacker inner{rest_.substr(0, n)};
    rest_.remove_prefix(n);
    fields(inner, x);
    good_ = good_ && inner.good_;
  }

  std::string_view rest_;
  bool good_ = true;
};

} // namespace switchboard::wire
