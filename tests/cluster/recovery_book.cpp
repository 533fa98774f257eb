#include "tests/cluster/recovery_book.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>

namespace switchboard::faults {

namespace {

using ms = recovery_book::ms;

/// Upper ends of the histogram's columns, in ms; what is longer has its own.
constexpr std::array<int, 8> columns{500,  1000, 1500,  2000,
                                     3000, 5000, 10000, 20000};

ms quantile(std::vector<ms> all, double part) {
  if (all.empty())
    return ms{0};
  std::sort(all.begin(), all.end());
  const auto last = static_cast<double>(all.size() - 1);
  return all[static_cast<std::size_t>(last * part + 0.5)];
}

std::string seconds(ms x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f",
                static_cast<double>(x.count()) / 1000);
  return text.data();
}

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? text
                              : std::string(width - text.size(), ' ') + text;
}

std::string middle_and_most(const std::vector<ms>& of) {
  return of.empty()
           ? "-"
           : seconds(quantile(of, 0.5)) + " / " + seconds(quantile(of, 1));
}

std::vector<int> counts_of(const std::vector<ms>& all) {
  std::vector<int> to(columns.size() + 1);
  for (const auto& x : all)
    ++to[static_cast<std::size_t>(
      std::upper_bound(columns.begin(), columns.end(),
                       static_cast<int>(x.count()) - 1)
      - columns.begin())];
  return to;
}

} // namespace

void recovery_book::add(const recovery_book& more) {
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const auto& [kind, x] : more.pages_) {
    auto& to = pages_[kind];
    to.count += x.count;
    to.witnessed += x.witnessed;
    to.from_end = x.from_end;
    for (std::size_t i = 0; i < x.lanes.size(); ++i)
      append(to.lanes[i], x.lanes[i]);
    append(to.all, x.all);
    append(to.after, x.after);
  }
}

int recovery_book::faults() const {
  int all = 0;
  for (const auto& [kind, x] : pages_)
    all += x.count;
  return all;
}

std::string recovery_book::text() const {
  std::string to =
    "Served again, in seconds: median / most. From the fault, or "
    "(*) from its end.\n\n"
    + left("fault", 20) + right("times", 6) + right("seen", 6);
  for (const auto* lane : pulse::lanes)
    to += right(lane, 15);
  to += right("after its end", 16) + '\n';
  for (const auto& [kind, x] : pages_) {
    to += left(kind + (x.from_end ? " *" : ""), 20)
          + right(std::to_string(x.count), 6)
          + right(std::to_string(x.witnessed), 6);
    for (const auto& lane : x.lanes)
      to += right(middle_and_most(lane), 15);
    to += right(middle_and_most(x.after), 16) + '\n';
  }
  to += "\nUntil all lanes were served (faults that took up to so many "
        "seconds)\n\n"
        + left("", 20);
  for (const auto x : columns)
    to += right(seconds(ms{x}), 6);
  to += right("more", 6) + '\n';
  for (const auto& [kind, x] : pages_) {
    to += left(kind + (x.from_end ? " *" : ""), 20);
    for (const auto n : counts_of(x.all))
      to += right(n == 0 ? "." : std::to_string(n), 6);
    to += '\n';
  }
  return to;
}

std::string recovery_book::json() const {
  const auto list = [](const std::vector<ms>& all) {
    boost::json::array to;
    for (const auto& x : all)
      to.push_back(x.count());
    return to;
  };
  boost::json::array to;
  for (const auto& [kind, x] : pages_) {
    boost::json::object one{{"fault", kind},
                            {"times", x.count},
                            {"seen", x.witnessed},
                            {"ms_from", x.from_end ? "end" : "begin"}};
    for (std::size_t i = 0; i < x.lanes.size(); ++i)
      one[std::string(pulse::lanes[i]) + "_ms"] = list(x.lanes[i]);
    one["all_ms"] = list(x.all);
    one["after_end_ms"] = list(x.after);
    to.push_back(std::move(one));
  }
  return boost::json::serialize(to);
}

} // namespace switchboard::faults
