#include "actors/domain/explain.hpp"

#include "actors/domain/scoring.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace switchboard {

namespace {

using candidate = decision::candidate;

constexpr std::size_t terms_width_min = 72;
constexpr std::size_t agent_width_min = 8;
constexpr std::size_t agent_width_max = 20;

// -- widths -------------------------------------------------------------------

/// Columns of one UTF-8 text; Chinese, Japanese and Korean signs take two.
std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0xe3 && byte <= 0xed)
      n += 2;
    else if (byte >= 0xf0)
      n += 2;
    else if ((byte & 0xc0) != 0x80)
      n += 1;
  }
  return n;
}

std::string left(std::string text, std::size_t width) {
  const auto n = columns(text);
  return n < width ? text + std::string(width - n, ' ') : text;
}

std::string right(std::string text, std::size_t width) {
  const auto n = columns(text);
  return n < width ? std::string(width - n, ' ') + text : text;
}

/// Puts words on lines of at most `width`, all but the first indented.
std::string wrapped(std::string_view text, std::size_t first_indent,
                    std::size_t indent, std::size_t width) {
  std::string out(first_indent, ' ');
  auto used = first_indent;
  auto fresh = true;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!fresh && used + 1 + columns(word) > width) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
      fresh = true;
    }
    if (!fresh) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns(word);
    fresh = false;
  }
  return out + '\n';
}

// -- numbers ------------------------------------------------------------------

/// 805000 -> "0.805", cut and not rounded.
std::string fraction(std::int64_t millionths) {
  const auto sign = millionths < 0 ? "-" : "";
  const auto x = millionths < 0 ? -millionths : millionths;
  const auto digits = std::to_string(x % 1'000'000 / 1000);
  return sign + std::to_string(x / 1'000'000) + "."
         + std::string(3 - digits.size(), '0') + digits;
}

/// 2500 -> "2.5" live chats.
std::string chats(std::int32_t thousandths) {
  auto out = fraction(std::int64_t{thousandths} * 1000);
  while (out.back() == '0')
    out.pop_back();
  if (out.back() == '.')
    out.pop_back();
  return out;
}

// -- parts --------------------------------------------------------------------

std::string wishes(const needs& want) {
  std::string out = "queue " + want.queue.text;
  if (!want.language.empty())
    out += ", language " + want.language;
  for (const auto& skill : want.skills)
    out += ", skill " + skill;
  return out + ", " + std::string(to_string(want.urgency));
}

std::string headline(const decision& d) {
  std::string out = "session " + to_string(d.session);
  if (d.chosen.empty())
    return out + ": nobody";
  out += ": " + d.chosen.text;
  const auto second =
    std::find_if(d.candidates.begin(), d.candidates.end(), [&](const auto& c) {
      return c.rank > 0 && c.agent != d.chosen;
    });
  if (second == d.candidates.end())
    return out + ", the only one who could";
  out += ", " + fraction(d.margin) + " ahead of " + second->agent.text;
  return d.tie_rule.empty() ? out : out + " (" + d.tie_rule + ")";
}

std::string row(const candidate& c, std::size_t agent_width, bool with_terms) {
  auto out = right(c.rank > 0 ? std::to_string(c.rank) : "-", 4) + "  "
             + left(c.agent.text, agent_width) + right(fraction(c.match), 7)
             + right(fraction(c.quality), 8);
  if (with_terms)
    out += right(fraction(c.language), 8) + right(fraction(c.skill), 7)
           + right(fraction(c.affinity), 7) + right(fraction(c.load_factor), 7);
  return out + right(chats(c.load) + "/" + chats(c.capacity), 8) + '\n';
}

std::string head(std::size_t agent_width, bool with_terms) {
  auto out = right("rank", 4) + "  " + left("agent", agent_width)
             + right("match", 7) + right("quality", 8);
  if (with_terms)
    out += right("lang", 8) + right("skill", 7) + right("affin", 7)
           + right("rho", 7);
  return out + right("load", 8) + '\n';
}

std::size_t agent_column(const decision& d, bool with_terms,
                         std::size_t width) {
  const std::size_t others = with_terms ? 58 : 29;
  const auto room =
    width > others + agent_width_min ? width - others : agent_width_min;
  auto n = agent_width_min;
  for (const auto& c : d.candidates)
    n = std::max(n, columns(c.agent.text));
  return std::min({n, room, agent_width_max});
}

bool only_lacks_room(const candidate& c) {
  return std::all_of(c.verdicts.begin(), c.verdicts.end(), [](const auto& v) {
    return v.rfind("capacity:", 0) == 0;
  });
}

} // namespace

std::string would_be(const decision& d, const policy& p) {
  std::int64_t to_beat = 0;
  for (const auto& c : d.candidates)
    if (c.agent == d.chosen)
      to_beat = c.match;
  constexpr std::int32_t step = 250; // The smallest default weight.
  for (const auto& c : d.candidates) {
    if (c.agent == d.chosen || !only_lacks_room(c))
      continue;
    const auto room_from = std::min(c.load - 1, c.capacity - d.load);
    for (auto load = room_from / step * step; load >= 0; load -= step)
      if (c.quality * scoring::load_factor(p, load) / scoring::one > to_beat)
        return "would be " + c.agent.text + " if load < "
               + chats(std::min(load + step, c.load));
  }
  return {};
}

std::string explain(const decision& d, const policy& p, std::size_t width) {
  const auto with_terms = width >= terms_width_min;
  const auto agent_width = agent_column(d, with_terms, width);
  auto out = wrapped(headline(d), 0, 2, width);
  out += wrapped("wants " + wishes(d.want), 0, 2, width);
  out += wrapped("waited " + fraction(d.wait_ms * 1000) + " s, urgency "
                   + fraction(d.urgency) + ", " + std::to_string(d.waiting)
                   + " waiting; decided on " + d.trigger + " by policy "
                   + std::to_string(d.policy),
                 0, 2, width);
  out += '\n' + head(agent_width, with_terms);
  for (const auto& c : d.candidates) {
    out += row(c, agent_width, with_terms);
    for (const auto& v : c.verdicts)
      out += wrapped(v, 6, 8, width);
  }
  if (d.candidates_left_out > 0)
    out += wrapped("and " + std::to_string(d.candidates_left_out) + " more", 6,
                   8, width);
  if (const auto other = would_be(d, p); !other.empty())
    out += '\n' + wrapped(other, 0, 2, width);
  return out;
}

} // namespace switchboard
