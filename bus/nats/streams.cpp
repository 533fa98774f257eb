#include "bus/nats/streams.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace switchboard::nats {

namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr std::int64_t duplicates_seconds = 120;

bus::stream_state read_state(const jsStreamInfo& of) {
  return {std::to_string(of.Created), of.State.FirstSeq, of.State.LastSeq};
}

/// The wanted subjects, and those that are there.
std::vector<const char*> join(const std::vector<std::string>& wanted,
                              const jsStreamConfig& there) {
  std::vector<const char*> all(there.Subjects,
                               there.Subjects + there.SubjectsLen);
  for (const auto& x : wanted)
    if (std::none_of(all.begin(), all.end(), [&](auto y) { return x == y; }))
      all.push_back(x.c_str());
  return all;
}

/// Of two limits the wider one; -1 and 0 mean none.
std::int64_t wider(std::int64_t there, std::int64_t wanted, std::int64_t none) {
  return there <= 0 || wanted <= 0 ? none : std::max(there, wanted);
}

result<stream_info> find_stream(jsCtx* in, const std::string& name) {
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const auto status = js_GetStreamInfo(&raw, in, name.c_str(), nullptr, &code);
  if (status != NATS_OK)
    return translate(status, code, "looking at stream " + name);
  return stream_info{raw};
}

result<stream_info> make_stream(jsCtx* in, const bus::stream_config& want) {
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  std::vector<const char*> subjects;
  for (const auto& x : want.subjects)
    subjects.push_back(x.c_str());
  config.Name = want.name.c_str();
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.MaxBytes = want.bytes_max > 0 ? want.bytes_max : -1;
  config.MaxAge = want.age_max.count() * nanoseconds_per_second;
  config.Replicas = want.replicas;
  config.Storage = js_FileStorage;
  // A full stream refuses, and its publisher learns it; it never forgets what
  // it has promised to keep.
  config.Discard = js_DiscardNew;
  config.Duplicates =
    (want.age_max.count() > 0
       ? std::min<std::int64_t>(want.age_max.count(), duplicates_seconds)
       : duplicates_seconds)
    * nanoseconds_per_second;
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const auto status = js_AddStream(&raw, in, &config, nullptr, &code);
  if (status != NATS_OK)
    return translate(status, code, "making stream " + want.name);
  return stream_info{raw};
}

result<stream_info> widen_stream(jsCtx* in, const bus::stream_config& want,
                                 stream_info there) {
  auto config = *there->Config;
  auto subjects = join(want.subjects, config);
  const auto before = config;
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.MaxBytes = wider(config.MaxBytes, want.bytes_max, -1);
  config.MaxAge =
    wider(config.MaxAge, want.age_max.count() * nanoseconds_per_second, 0);
  config.Replicas = std::max<std::int64_t>(config.Replicas, want.replicas);
  if (before.SubjectsLen == config.SubjectsLen
      && before.MaxBytes == config.MaxBytes && before.MaxAge == config.MaxAge
      && before.Replicas == config.Replicas)
    return there;
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const auto status = js_UpdateStream(&raw, in, &config, nullptr, &code);
  if (status != NATS_OK)
    return translate(status, code, "widening stream " + want.name);
  return stream_info{raw};
}

} // namespace

result<bus::stream_state> ensure_stream(jsCtx* in,
                                        const bus::stream_config& want) {
  auto there = find_stream(in, want.name);
  if (!there && there.error().code == errc::not_found) {
    auto made = make_stream(in, want);
    if (made)
      return read_state(**made);
    // Another node may have been faster.
    there = find_stream(in, want.name);
    if (!there)
      return made.error();
  }
  if (!there)
    return there.error();
  const auto wide = widen_stream(in, want, std::move(*there));
  if (!wide)
    return wide.error();
  return read_state(**wide);
}

} // namespace switchboard::nats
