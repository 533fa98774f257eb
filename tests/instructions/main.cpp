// The hot paths, one at a time, for valgrind to count. Without an argument it
// lists their names; with a name it runs that path and prints how often.
#include "actors/domain/router.hpp"
#include "actors/domain/session.hpp"
#include "bench/crowd.hpp"
#include "bench/payloads.hpp"
#include "bus/codec.hpp"
#include "gateways/agent/protocol.hpp"
#include "gateways/agent/send_queue.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Only what happens inside is counted: check.sh names this function.
extern "C" [[gnu::noinline]] void
switchboard_measured(const std::function<void()>& what) {
  what();
  asm volatile("" ::: "memory"); // Not a tail call: the end must be seen, too.
}

namespace switchboard {

namespace {

constexpr time_point noon{duration{1'700'000'000'000}};
constexpr int often = 100;

void must(bool x, const char* what) {
  if (x)
    return;
  std::fprintf(stderr, "instructions: %s\n", what);
  std::exit(1);
}

inbound said(std::int64_t n) {
  return {.id = {"u1-" + std::to_string(n)},
          .from = {"web", "u1"},
          .content = bench::payload(static_cast<std::uint64_t>(n))};
}

// -- the bytes of a message ---------------------------------------------------

void decode_all(const std::vector<std::string>& bytes) {
  const contact from{"web", "u1"};
  const auto once = [&] {
    int good = 0;
    for (const auto& x : bytes)
      good += codec::decode_inbound(x, from, "").has_value() ? 1 : 0;
    must(good == often, "a message was not understood");
  };
  once(); // What is made once is made now.
  switchboard_measured(once);
}

void codec_decode() {
  std::vector<std::string> bytes;
  for (int n = 0; n < often; ++n)
    bytes.push_back(codec::encode(said(n)));
  decode_all(bytes);
}

void codec_decode_json() {
  std::vector<std::string> bytes;
  for (int n = 0; n < often; ++n)
    bytes.push_back(codec::encode_json(said(n)));
  decode_all(bytes);
}

void codec_receipt() {
  const auto once = [] {
    for (int n = 0; n < often; ++n)
      must(!codec::encode_receipt({{123456789012345 + n}, n, false}).empty(),
           "a receipt is empty");
  };
  once();
  switchboard_measured(once);
}

// -- one step of a session ----------------------------------------------------

struct conversation {
  session::state s;
  session::rules rules;
  std::size_t effects = 0;

  conversation() {
    s.id = {1};
    s.who = {"web", "u1"};
    step(session::customer_said{said(0)});
    step(session::granted{.agent = {"li"}});
    step(session::accepted{.agent = {"li"}, .offer = s.offers});
    must(std::holds_alternative<session::active>(s.at),
         "the session is not active");
  }

  void step(const session::event& what) {
    effects += session::apply(s, what, rules, noon).size();
  }
};

void run_steps(const std::function<session::event(conversation&, int)>& make) {
  conversation x;
  std::vector<session::event> all;
  for (int n = 1; n <= often; ++n)
    all.push_back(make(x, n));
  const auto lines = x.s.last_seq;
  switchboard_measured([&] {
    for (const auto& e : all)
      x.step(e);
  });
  must(x.s.last_seq == lines + often, "not every line was appended");
}

void session_customer() {
  run_steps([](conversation&, int n) -> session::event {
    return session::customer_said{said(n)};
  });
}

void session_agent() {
  run_steps([](conversation& x, int n) -> session::event {
    return session::agent_said{.agent = {"li"},
                               .ownership = x.s.ownership,
                               .id = {"re-" + std::to_string(n)},
                               .body = "we look into it at once"};
  });
}

// -- the matcher's choice -----------------------------------------------------

/// Everybody is busy, and the line is long.
struct company {
  bench::crowd people{7};
  router::matcher matcher;
  std::vector<agent::availability> agents;
  std::int64_t sessions = 0;

  company() {
    for (std::int64_t i = 0; i < 500; ++i) {
      agents.push_back(people.agent(i, 1'000'000));
      static_cast<void>(
        matcher.apply(router::agent_changed{agents.back()}, noon));
    }
    for (int i = 0; i < 3000; ++i)
      static_cast<void>(matcher.apply(join(), noon));
  }

  router::event join() { return people.session(++sessions, noon, 500); }
};

void matcher_choice() {
  company x;
  int found = 0;
  for (std::size_t n = 0; n < often; ++n) {
    auto a = x.agents[n];
    a.load = a.who.capacity - 1000;
    const router::event freed = router::agent_changed{a};
    switchboard_measured(
      [&] { found += x.matcher.apply(freed, noon).empty() ? 0 : 1; });
  }
  must(found == often, "an agent with room got nobody");
}

void matcher_join() {
  company x;
  std::vector<router::event> all;
  for (int n = 0; n < often; ++n)
    all.push_back(x.join());
  std::size_t effects = 0;
  switchboard_measured([&] {
    for (const auto& e : all)
      effects += x.matcher.apply(e, noon).size();
  });
  must(x.matcher.waiting() == 3000 + often, "somebody does not wait");
}

// -- frames of a screen -------------------------------------------------------

void frame_writer() {
  std::vector<agent_push> all;
  for (int n = 1; n <= often; ++n)
    all.emplace_back(push::entry_added{
      .session = {1},
      .line = {.seq = n,
               .body = bench::payload(static_cast<std::uint64_t>(n)),
               .id = {"u1-" + std::to_string(n)},
               .at = noon}});
  std::size_t bytes = 0;
  const auto once = [&] {
    send_queue waiting{{.objects_max = 512,
                        .bytes_max = 256 * 1024,
                        .catch_up_bytes_max = 4 * 1024 * 1024}};
    for (const auto& x : all)
      must(waiting.push(agent_protocol::format(x), false), "it overflowed");
    while (!waiting.empty())
      bytes += waiting.take(32 * 1024).size();
  };
  once();
  switchboard_measured(once);
  must(bytes > 0, "nothing was written");
}

void frame_reader() {
  std::vector<std::string> all;
  for (int n = 1; n <= often; ++n)
    all.push_back(R"({"id":)" + std::to_string(n)
                  + R"(,"send":{"session":"1","ownership":3,"client_id":"re-)"
                  + std::to_string(n)
                  + R"(","body":"we look into it at once"}})");
  std::size_t good = 0;
  const auto once = [&] {
    for (const auto& x : all)
      for (const auto& y : agent_protocol::parse_frame(x))
        good += std::holds_alternative<agent_protocol::command>(y) ? 1U : 0U;
  };
  once();
  switchboard_measured(once);
  must(good == 2 * often, "a frame was not understood");
}

struct path {
  std::string_view name;
  void (*run)();
};

constexpr std::array paths{
  path{"codec_decode", codec_decode},
  path{"codec_decode_json", codec_decode_json},
  path{"codec_receipt", codec_receipt},
  path{"session_customer", session_customer},
  path{"session_agent", session_agent},
  path{"matcher_choice", matcher_choice},
  path{"matcher_join", matcher_join},
  path{"frame_writer", frame_writer},
  path{"frame_reader", frame_reader},
};

} // namespace

} // namespace switchboard

int main(int argc, char** argv) {
  using namespace switchboard;
  for (const auto& x : paths)
    if (argc < 2)
      std::printf("%s\n", x.name.data());
    else if (x.name == argv[1]) {
      x.run();
      std::printf("%d\n", often);
      return 0;
    }
  return argc < 2 ? 0 : 2;
}
