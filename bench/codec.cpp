#include "bench/codec.hpp"

#include "bench/codec_floor.hpp"
#include "bench/payloads.hpp"
#include "bus/codec.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace switchboard::bench {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t per_turn = 1000;

/// A thousand messages in each form.
struct forms {
  std::vector<inbound> values;
  std::vector<std::string> proto;
  std::vector<std::string> json;

  forms() {
    for (std::size_t i = 0; i < per_turn; ++i) {
      const std::string user = "codec-" + std::to_string(i);
      values.push_back(
        {.id = {user + "-1"}, .from = {"web", user}, .content = payload(i)});
      proto.push_back(codec::encode(values.back()));
      json.push_back(codec::encode_json(values.back()));
    }
  }
};

/// Decodes all of them. @returns how many did not come back as they were
std::int64_t decode(const forms& all, const std::vector<std::string>& bytes,
                    latencies& took_ns) {
  std::int64_t bad = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto begin = steady_clock::now();
    const auto got = codec::decode_inbound(bytes[i], all.values[i].from, "");
    took_ns.add((steady_clock::now() - begin) / std::chrono::nanoseconds{1});
    const auto& want = all.values[i];
    bad += got && got->id == want.id && got->from == want.from
               && got->content == want.content
             ? 0
             : 1;
  }
  return bad;
}

/// Calls `once`, which handles a thousand, until so many were handled.
/// @returns a second
template <class F>
double rate(std::int64_t messages, F once) {
  const auto begin = steady_clock::now();
  std::int64_t done = 0;
  for (; done < messages; done += per_turn)
    once();
  return static_cast<double>(done)
         / std::chrono::duration<double>(steady_clock::now() - begin).count();
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

struct figures {
  std::vector<double> ours, bare, json, encode, copy;
  std::int64_t seen = 0; ///< Keeps the floors from being left out.
};

void one_round(const forms& all, std::int64_t messages, figures& f) {
  const auto ours = [&] {
    f.ours.push_back(rate(messages, [&] {
      for (std::size_t i = 0; i < per_turn; ++i)
        f.seen += codec::decode_inbound(all.proto[i], all.values[i].from, "")
                    .has_value();
    }));
  };
  const auto bare = [&] {
    f.bare.push_back(rate(messages, [&] { f.seen += parse_bare(all.proto); }));
  };
  ours(), bare(), bare(), ours();
  f.json.push_back(rate(messages / 10, [&] {
    for (std::size_t i = 0; i < per_turn; ++i)
      f.seen +=
        codec::decode_inbound(all.json[i], all.values[i].from, "").has_value();
  }));
  f.encode.push_back(rate(messages, [&] {
    for (const auto& x : all.values)
      f.seen += static_cast<std::int64_t>(codec::encode(x).size());
  }));
  f.copy.push_back(rate(messages, [&] { f.seen += copy_bare(all.proto); }));
}

/// How much smaller Protobuf is than JSON, in percent, for the short lines.
double smaller(const forms& all) {
  double proto = 0;
  double json = 0;
  for (std::size_t i = 0; i < per_turn; ++i)
    if (all.values[i].content.size() <= 20) {
      proto += static_cast<double>(all.proto[i].size());
      json += static_cast<double>(all.json[i].size());
    }
  return json > 0 ? (1 - proto / json) * 100 : 0;
}

} // namespace

report run_codec(const codec_options& how) {
  const forms all;
  report r{.name = "codec", .unit = "messages/s decoded, one thread"};
  latencies proto_ns;
  latencies json_ns;
  r.lost = decode(all, all.proto, proto_ns) + decode(all, all.json, json_ns);
  proto_ns = {};
  figures f;
  {
    progress bar{"codec"};
    for (int i = 0; i < how.rounds; ++i) {
      bar.at(static_cast<double>(i) / how.rounds);
      one_round(all, how.messages, f);
    }
  }
  r.lost += decode(all, all.proto, proto_ns);
  r.value = median(f.ours);
  r.floor = median(f.bare);
  r.ratio = r.value / r.floor;
  r.floor_is = "the bare Protobuf parser into one object used again; no check, "
               "no copy, no subject";
  r.must = ">= 40 % smaller than JSON on short lines; aim: 10 times as fast";
  r.claim = "40 % smaller than JSON";
  r.p50_us = proto_ns.quantile(.5) / 1000;
  r.p99_us = proto_ns.quantile(.99) / 1000;
  r.p999_us = proto_ns.quantile(.999) / 1000;
  r.max_us = proto_ns.max() / 1000;
  r.more = {{"one message p50/p99", std::to_string(proto_ns.quantile(.5))
                                      + " / "
                                      + std::to_string(proto_ns.quantile(.99))
                                      + " ns, the clock's own included"},
            {"smaller than JSON, short lines", number(smaller(all)) + " %"},
            {"JSON of the same fields", number(median(f.json)) + "/s; ours is "
                                          + number(r.value / median(f.json))
                                          + " times as fast"},
            {"encoding", number(median(f.encode)) + "/s"},
            {"memcpy of the same bytes", number(median(f.copy)) + "/s"},
            {"checked to be equal", std::to_string(3 * per_turn)}};
  if (f.seen == 0) // Never: but who measures must not measure nothing.
    r.lost = how.messages;
  return r;
}

} // namespace switchboard::bench
