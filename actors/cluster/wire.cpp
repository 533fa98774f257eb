#include "actors/cluster/wire.hpp"

#include "actors/cluster/archive.hpp"

namespace switchboard::wire {

namespace {

/// Grows when a reader of the former format could misread the new one.
constexpr std::uint32_t format = 2;

} // namespace

// -- the members of everything that travels -----------------------------------

template <class A, class T>
requires std::is_empty_v<T>
void fields(A&, T&) {}

/// Decision records travel as they are stored.
template <class A>
void decision_field(A& a, std::shared_ptr<const decision>& x) {
  std::string text;
  if constexpr (std::is_same_v<A, packer>) {
    if (x)
      text = to_json(*x);
    a(text);
  } else {
    a(text);
    if (text.empty())
      return;
    if (auto read = decision_from_json(text))
      x = std::make_shared<const decision>(std::move(*read));
  }
}

template <class A>
void fields(A& a, contact& x) {
  a(x.channel, x.user);
}
template <class A>
void fields(A& a, needs& x) {
  a(x.queue, x.language, x.skills, x.urgency);
}
template <class A>
void fields(A& a, inbound& x) {
  a(x.id, x.from, x.content, x.sent_at, x.metadata, x.want, x.phone, x.email);
}
template <class A>
void fields(A& a, entry& x) {
  a(x.seq, x.kind, x.event, x.author, x.body, x.id, x.at);
}
template <class A>
void fields(A& a, receipt& x) {
  a(x.session, x.seq, x.duplicate);
}

// Sessions.

template <class A>
void fields(A& a, session::transfer_target& x) {
  a(x.agent, x.queue);
}
template <class A>
void fields(A& a, session::customer_said& x) {
  a(x.what);
}
template <class A>
void fields(A& a, session::agent_said& x) {
  a(x.agent, x.ownership, x.id, x.body);
}
template <class A>
void fields(A& a, session::agent_noted& x) {
  a(x.agent, x.id, x.body);
}
template <class A>
void fields(A& a, session::granted& x) {
  a(x.agent, x.pick);
  decision_field(a, x.why);
}
template <class A>
void fields(A& a, session::accepted& x) {
  a(x.agent, x.offer);
}
template <class A>
void fields(A& a, session::declined& x) {
  a(x.agent, x.offer, x.reason);
}
template <class A>
void fields(A& a, session::withdrawn& x) {
  a(x.agent, x.offer, x.reason);
}
template <class A>
void fields(A& a, session::agent_lost& x) {
  a(x.agent, x.reason);
}
template <class A>
void fields(A& a, session::transfer_asked& x) {
  a(x.agent, x.ownership, x.target, x.note);
}
template <class A>
void fields(A& a, session::hold_asked& x) {
  a(x.agent, x.ownership);
}
template <class A>
void fields(A& a, session::resume_asked& x) {
  a(x.agent, x.ownership);
}
template <class A>
void fields(A& a, session::close_asked& x) {
  a(x.agent, x.ownership, x.disposition);
}
template <class A>
void fields(A& a, session::wrapped_up& x) {
  a(x.agent, x.disposition);
}
template <class A>
void fields(A& a, session::timer& x) {
  a(x.round);
}
template <class A>
void fields(A& a, session::placed& x) {
  a(x.position, x.wait_min, x.wait_max);
}

// Agents.

template <class A>
void fields(A& a, agent::ability& x) {
  a(x.name, x.level);
}
template <class A>
void fields(A& a, agent::profile& x) {
  a(x.display_name, x.languages, x.skills, x.queues, x.channels, x.capacity);
}
template <class A>
void fields(A& a, agent::availability& x) {
  a(x.id, x.who, x.routable, x.now, x.load, x.last_accepted_at, x.sessions);
}
template <class A>
void fields(A& a, agent::connected& x) {
  a(x.device);
}
template <class A>
void fields(A& a, agent::disconnected& x) {
  a(x.device);
}
template <class A>
void fields(A& a, agent::presence_asked& x) {
  a(x.now, x.reason, x.next);
}
template <class A>
void fields(A& a, agent::profile_changed& x) {
  a(x.who);
}
template <class A>
void fields(A& a, agent::proposed& x) {
  a(x.session, x.load, x.pick);
  decision_field(a, x.why);
}
template <class A>
void fields(A& a, agent::offer_opened& x) {
  a(x.session, x.offer, x.load, x.until);
}
template <class A>
void fields(A& a, agent::offer_ended& x) {
  a(x.session, x.offer, x.reason);
}
template <class A>
void fields(A& a, agent::assigned& x) {
  a(x.session, x.load);
}
template <class A>
void fields(A& a, agent::unassigned& x) {
  a(x.session);
}
template <class A>
void fields(A& a, agent::timer& x) {
  a(x.round);
}

// Screens.

template <class A>
void fields(A& a, push::offer& x) {
  a(x.session, x.number, x.until, x.who, x.want, x.preview, x.why);
}
template <class A>
void fields(A& a, push::offer_ended& x) {
  a(x.session, x.number, x.reason);
}
template <class A>
void fields(A& a, push::session_opened& x) {
  a(x.session, x.ownership, x.phase, x.who, x.customer, x.want, x.last_seq,
    x.answered);
}
template <class A>
void fields(A& a, push::session_changed& x) {
  a(x.session, x.ownership, x.phase);
}
template <class A>
void fields(A& a, push::reminder& x) {
  a(x.session, x.waiting_since);
}
template <class A>
void fields(A& a, push::session_ended& x) {
  a(x.session, x.reason);
}
template <class A>
void fields(A& a, push::entry_added& x) {
  a(x.session, x.line);
}
template <class A>
void fields(A& a, push::typing& x) {
  a(x.session, x.author);
}
template <class A>
void fields(A& a, push::read& x) {
  a(x.session, x.seq);
}
template <class A>
void fields(A& a, push::presence& x) {
  a(x.now, x.reason, x.next);
}
template <class A>
void fields(A& a, router::line& x) {
  a(x.queue, x.waiting, x.oldest);
}
template <class A>
void fields(A& a, push::queue_lines& x) {
  a(x.lines);
}

// What an agent asks for.

template <class A>
void fields(A& a, ask::send& x) {
  a(x.session, x.ownership, x.client_id, x.body);
}
template <class A>
void fields(A& a, ask::note& x) {
  a(x.session, x.client_id, x.body);
}
template <class A>
void fields(A& a, ask::accept& x) {
  a(x.session, x.offer);
}
template <class A>
void fields(A& a, ask::decline& x) {
  a(x.session, x.offer, x.reason);
}
template <class A>
void fields(A& a, ask::presence& x) {
  a(x.now, x.reason, x.next);
}
template <class A>
void fields(A& a, ask::transfer& x) {
  a(x.session, x.ownership, x.target, x.note);
}
template <class A>
void fields(A& a, ask::hold& x) {
  a(x.session, x.ownership);
}
template <class A>
void fields(A& a, ask::resume& x) {
  a(x.session, x.ownership);
}
template <class A>
void fields(A& a, ask::close& x) {
  a(x.session, x.ownership, x.disposition);
}
template <class A>
void fields(A& a, ask::wrapped_up& x) {
  a(x.session, x.disposition);
}
template <class A>
void fields(A& a, ask::pick& x) {
  a(x.session);
}
template <class A>
void fields(A& a, ask::typing& x) {
  a(x.session);
}
template <class A>
void fields(A& a, ask::read& x) {
  a(x.session, x.seq);
}

// To an agent's actor. Functions and pointers stay at home.

template <class A>
void fields(A& a, screen_in& x) {
  a(x.from, x.key, x.binding, x.home, x.offers, x.shown);
}
template <class A>
void fields(A& a, screen_out& x) {
  a(x.key);
}
template <class A>
void fields(A& a, asked& x) {
  a(x.what);
}
template <class A>
void fields(A& a, session_given& x) {
  a(x.what, x.load);
}
template <class A>
void fields(A& a, session_taken& x) {
  a(x.session, x.reason);
}
template <class A>
void fields(A& a, offer_made& x) {
  a(x.what, x.load);
}
template <class A>
void fields(A& a, offer_over& x) {
  a(x.session, x.number, x.reason);
}
template <class A>
void fields(A& a, passed_on& x) {
  a(x.what);
}
template <class A>
void fields(A&, filled&) {} // Never leaves its node.
template <class A>
void fields(A&, fill_on&) {} // Nor does this.
template <class A>
void fields(A& a, may_read& x) {
  a(x.session);
}
template <class A>
void fields(A&, neighbours_new&) {} // Never leaves its node.
template <class A>
void fields(A& a, home_gone& x) {
  a(x.home);
}

template <class A>
void fields(A& a, pick_refused& x) {
  a(x.session, x.number, x.reason);
}

// To the router.

template <class A>
void fields(A& a, router::session_waiting& x) {
  a(x.session, x.channel, x.want, x.load, x.since, x.only, x.not_from,
    x.previous, x.previous_at, x.asked, x.excluded, x.excluded_until, x.besides,
    x.target);
}
template <class A>
void fields(A& a, router::session_left& x) {
  a(x.session);
}
template <class A>
void fields(A& a, router::agent_changed& x) {
  a(x.what);
}
template <class A>
void fields(A& a, router::agent_left& x) {
  a(x.agent);
}
template <class A>
void fields(A& a, router::refused& x) {
  a(x.session, x.agent, x.reason);
}
template <class A>
void fields(A& a, router::picked& x) {
  a(x.session, x.agent);
}
template <class A>
void fields(A& a, policy::service& x) {
  a(x.target, x.weight);
}
template <class A>
void fields(A& a, policy::relaxation& x) {
  a(x.expires_after, x.what, x.queue, x.only);
}
template <class A>
void fields(A& a, policy::reply_window& x) {
  a(x.channel, x.time);
}
template <class A>
void fields(A& a, policy& x) {
  a(x.version, x.language_weight, x.skill_weight, x.affinity_weight,
    x.extension_weight, x.language_level_min, x.skill_level_min,
    x.last_agent_affinity, x.affinity_half_life, x.load_factor_floor);
  for (auto& each : x.throughput)
    a(each);
  for (auto& each : x.services)
    a(each);
  a(x.reply_windows, x.window_lead, x.window_pressure, x.relaxations, x.reserve,
    x.occupancy_max, x.hold_time, x.hold_patience, x.refusal_pause,
    x.proposal_time, x.exclusion_time);
}
template <class A>
void fields(A& a, router::policy_choice& x) {
  a(x.acting, x.canary, x.canary_percent);
}
template <class A>
void fields(A& a, router::policy_changed& x) {
  a(x.what);
}

// Letters.

template <class A>
void fields(A& a, for_session& x) {
  a(x.session, x.what.what, x.hops);
}
template <class A>
void fields(A& a, for_agent& x) {
  a(x.agent, x.what, x.hops);
}
template <class A>
void fields(A& a, from_gateway& x) {
  a(x.what.what, x.hops);
}
template <class A>
void fields(A& a, straggler& x) {
  a(x.subject, x.bytes, x.id, x.reply, x.hops);
}
template <class A>
void fields(A& a, agent_claims& x) {
  a(x.session, x.agent, x.hops);
}
template <class A>
void fields(A& a, for_router& x) {
  a(x.what, x.hops);
}

// Customers who look.

template <class A>
void fields(A& a, visit::said& x) {
  a(x.session, x.what);
}
template <class A>
void fields(A& a, visit::standing& x) {
  a(x.session, x.last_seq, x.agent);
}
template <class A>
void fields(A& a, visit::closed& x) {
  a(x.session);
}
template <class A>
void fields(A& a, visit::typing& x) {
  a(x.session);
}
template <class A>
void fields(A& a, visit::read& x) {
  a(x.session, x.seq);
}
template <class A>
void fields(A& a, visit::place& x) {
  a(x.session, x.position, x.wait_min, x.wait_max);
}
template <class A>
void fields(A& a, visitor_here& x) {
  a(x.who, x.home, x.hops);
}
template <class A>
void fields(A& a, visitor_gone& x) {
  a(x.who, x.home, x.hops);
}
template <class A>
void fields(A& a, for_visitor& x) {
  a(x.who, x.what, x.hops);
}
template <class A>
void fields(A& a, visited& x) {
  a(x.who, x.what);
}

template <class A>
void fields(A& a, parcel& x) {
  a(x.slot, x.from, x.number, x.what);
}

template <class A>
void fields(A& a, answer& x) {
  a(x.number);
  bool good = x.what.has_value();
  a(good);
  auto got = x.what ? *x.what : receipt{};
  auto why = x.what ? error{errc::unavailable, {}} : x.what.error();
  if (good)
    a(got);
  else
    a(why.code, why.detail);
  if constexpr (!std::is_same_v<A, packer>)
    x.what = good ? result<receipt>{got} : result<receipt>{why};
}

template <class A>
void fields(A& a, shown& x) {
  a(x.key, x.binding, x.what, x.reason);
}

namespace {

template <class T>
std::string write(const T& x) {
  packer to;
  to(format, x);
  return to.take();
}

template <class T>
result<T> read(std::string_view bytes) {
  unpacker from{bytes};
  std::uint32_t of = 0;
  T x{};
  from(of);
  if (of != format)
    return fail(errc::malformed, "another node speaks format "
                                   + std::to_string(of) + ", this one "
                                   + std::to_string(format));
  const auto bare = from.at_end();
  from(x);
  if (bare || !from.good())
    return fail(errc::malformed, "what another node sent cannot be read");
  return x;
}

} // namespace

std::string encode(const parcel& x) {
  return write(x);
}

std::string encode(const answer& x) {
  return write(x);
}

std::string encode(const shown& x) {
  return write(x);
}

std::string encode(const visited& x) {
  return write(x);
}

result<parcel> decode_parcel(std::string_view bytes) {
  auto got = read<parcel>(bytes);
  if (got && got->slot > slots)
    return fail(errc::malformed, "there is no such slot");
  return got;
}

result<answer> decode_answer(std::string_view bytes) {
  return read<answer>(bytes);
}

result<shown> decode_shown(std::string_view bytes) {
  return read<shown>(bytes);
}

result<visited> decode_visited(std::string_view bytes) {
  return read<visited>(bytes);
}

// -- who waits ----------------------------------------------------------------

namespace {

/// Where a letter keeps its reply; null: it has none.
reply_to* place_of_reply(letter& x) {
  if (auto* to = std::get_if<for_session>(&x))
    return &to->what.reply;
  if (auto* to = std::get_if<from_gateway>(&x))
    return &to->what.reply;
  if (auto* to = std::get_if<visitor_here>(&x))
    return &to->reply;
  auto* to = std::get_if<for_agent>(&x);
  if (!to)
    return nullptr;
  if (auto* what = std::get_if<asked>(&to->what))
    return &what->reply;
  if (auto* what = std::get_if<screen_in>(&to->what))
    return &what->done;
  if (auto* what = std::get_if<may_read>(&to->what))
    return &what->answer;
  return nullptr;
}

} // namespace

reply_to reply_of(const letter& x) {
  const auto* at = place_of_reply(const_cast<letter&>(x)); // Only read here.
  return at ? *at : reply_to{};
}

void set_reply(letter& x, reply_to to) {
  if (auto* at = place_of_reply(x))
    *at = std::move(to);
}

int& hops_of(letter& x) {
  return std::visit([](auto& y) -> int& { return y.hops; }, x);
}

} // namespace switchboard::wire
