#include "bench/rig.hpp"

#include "bench/load.hpp"
#include "persistence/postgres/postgres_store.hpp"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace switchboard::bench {

namespace fs = std::filesystem;

namespace {

std::string make_folder() {
  const auto path =
    fs::temp_directory_path() / ("switchboard-" + random_secret(6));
  fs::create_directories(path);
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_exec
                          | fs::perms::others_exec);
  return path.string();
}

void must(const result<migration_state>& x) {
  if (!x)
    throw std::runtime_error(x.error().detail);
}

} // namespace

rig::rig(std::string program)
  : program_(program.empty() ? fs::read_symlink("/proc/self/exe").string()
                             : std::move(program)),
    folder_(make_folder()),
    secret_(random_secret(32)),
    nats_(folder_ + "/nats"),
    postgres_({.folder = folder_ + "/postgres"}),
    http_port_(free_port()) {
  must(migrate(postgres_.conninfo()));
  run_in();
}

/// A server that has run for a while writes into WAL files that it has used
/// before. A new one fills each with zeros first, 16 MB that every commit of
/// that moment waits for, and that is not what is to be measured.
void rig::run_in() {
  static_cast<void>(query("DO $$ BEGIN FOR i IN 1 .. 40 LOOP "
                          "PERFORM pg_logical_emit_message(false, '', 'x'); "
                          "PERFORM pg_switch_wal(); END LOOP; END $$"));
  static_cast<void>(query("CHECKPOINT"));
}

rig::~rig() {
  stop_node();
  nats_.stop();
  postgres_.stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void rig::start_node() {
  node_.emplace(make_node("rig", http_port_));
}

child_process rig::make_node(const std::string& name,
                             std::uint16_t port) const {
  // Secrets go through the environment: the command line is for all to see.
  return child_process{
    {.command = {program_, "serve"},
     .environment = {"SWITCHBOARD_NODE_NAME=" + name,
                     "SWITCHBOARD_NATS_URL=" + nats_.url(),
                     "SWITCHBOARD_NATS_USER=" + nats_.user(),
                     "SWITCHBOARD_NATS_PASSWORD=" + nats_.password(),
                     "SWITCHBOARD_POSTGRES_URL=" + postgres_.conninfo(),
                     "SWITCHBOARD_AUTH_SECRET=" + secret_,
                     "SWITCHBOARD_HTTP_PORT=" + std::to_string(port)},
     .directory = folder_,
     .log = folder_ + "/node" + (name == "rig" ? "" : "-" + name) + ".log"}};
}

void rig::stop_node() {
  node_.reset();
}

void rig::kill_node() {
  if (!node_)
    return;
  node_->signal(SIGKILL);
  node_->wait(std::chrono::seconds{10});
  node_.reset();
}

bool rig::node_alive() {
  return node_ && node_->alive();
}

int rig::node_pid() const {
  return node_ ? node_->pid() : -1;
}

bool rig::wait_ready(std::chrono::milliseconds patience) {
  const auto wire = connect("probe");
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    // An empty payload is answered with an error by whoever owns the slot.
    if (wire->request("sb.v1.post.web.probe", "{}", std::chrono::seconds{1}))
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return false;
}

std::unique_ptr<bus> rig::connect(const std::string& name) const {
  auto made = connect_nats(nats_.options(name));
  if (!made)
    throw std::runtime_error("NATS: " + made.error().detail);
  return std::move(*made);
}

std::unique_ptr<store> rig::open_store() const {
  return make_postgres_store(postgres_.conninfo(), "switchboard/rig");
}

std::string rig::query(const std::string& sql) const {
  const auto done = run_process(
    {.command = {"psql", postgres_.conninfo(), "-qtA", "-F", " ", "-c", sql}});
  if (done.exit_code != 0)
    throw std::runtime_error("psql: " + done.output);
  return done.output;
}

std::map<std::string, std::int64_t> rig::cpu() const {
  std::map<std::string, std::int64_t> all{
    {"nats-server", cpu_us_of(nats_.pid())},
    {"postgres", cpu_us_of(postgres_.pid())}};
  if (node_)
    all["node"] = cpu_us_of(node_->pid());
  // Our children are not ours here.
  auto own = cpu_us_of(getpid());
  for (const auto& [name, used] : all)
    own -= used;
  all["generator"] = own;
  return all;
}

void add_cpu(report& to, const std::map<std::string, std::int64_t>& before,
             const std::map<std::string, std::int64_t>& after,
             std::int64_t messages) {
  std::string line;
  for (const auto& [name, used] : after) {
    const auto at = before.find(name);
    const auto us = used - (at == before.end() ? 0 : at->second);
    const auto share =
      static_cast<double>(us)
      / static_cast<double>(std::max<std::int64_t>(messages, 1));
    to.cpu.emplace_back(name, share);
    std::ostringstream each;
    each.precision(1);
    each << std::fixed << name << ' ' << share;
    line += (line.empty() ? "" : ", ") + each.str();
  }
  to.more.emplace_back("CPU us per message", line);
}

std::vector<stored_line> stored_lines(const rig& from, const std::string& run) {
  std::vector<stored_line> all;
  std::istringstream rows{from.query(
    "SELECT source_id, session_id, seq FROM entry WHERE kind = 1 AND "
    "source_id LIKE '"
    + run + "-%'")};
  stored_line x;
  while (rows >> x.id >> x.at.session >> x.at.seq)
    all.push_back(x);
  return all;
}

void check_invariants(report& to, const rig& from) {
  const auto found = from.open_store()->verify();
  if (!found)
    throw std::runtime_error(found.error().detail);
  for (const auto& x : *found)
    if (x.violations > 0) {
      to.more.emplace_back(x.invariant + " violated",
                           std::to_string(x.violations));
      to.lost += x.invariant == "INV-1" ? x.violations : 0;
      to.reordered +=
        x.invariant == "INV-3" || x.invariant == "INV-2" ? x.violations : 0;
    }
}

void add_receipts(report& to, const rig& from, const load& what,
                  const std::string& run) {
  std::vector<sent_message> sent;
  for (const auto& x : what.answers())
    sent.push_back({load::user_name(run, x.user), x.number,
                    load::message_name(run, x.user, x.number),
                    place{x.where.session.value, x.where.seq}});
  add(to, audit(std::move(sent), stored_lines(from, run)));
  if (what.sent() > what.answered())
    to.more.emplace_back("without an answer",
                         std::to_string(what.sent() - what.answered()));
  to.lost += what.sent() - what.answered();
}

void check(report& to, const rig& from, const load& what,
           const std::string& run) {
  add_receipts(to, from, what, run);
  check_invariants(to, from);
}

} // namespace switchboard::bench
